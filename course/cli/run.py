"""`course run EXPERIMENT`: one command per experiment, with an option for each of its settings."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from course.arguments import reject
from course.cli import Polite
from course.experiments import EXPERIMENTS, Experiment, experiment

if TYPE_CHECKING:
    from course.experiments import table


class Reader(click.ParamType):
    """How the text of an option becomes a value; a text that does not fit is a ValueError."""

    def __init__(self, read: Callable[[str], Any], allowed: str) -> None:
        self.name, self.read, self.allowed = "value", read, allowed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; what is no text any more is taken as it is."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except ValueError:
            name = "option" if param is None or param.name is None else param.name
            raise reject(name, value, self.allowed) from None


def several(item: Callable[[str], Any], text: str) -> tuple[Any, ...]:
    """The parts of "2,10,30", each read by `item`."""
    return tuple(item(part.strip()) for part in text.split(",") if part.strip())


def seeds(text: str) -> int | tuple[int, ...]:
    """ "3" is a number of seeds, 0 to 2; "7," or "0,5,9" names them."""
    return several(int, text) if "," in text else int(text)


def part(text: str) -> tuple[int, int]:
    """ "2/4" as (2, 4)."""
    k, _, n = text.partition("/")
    return int(k), int(n)


WHOLE = Reader(int, "a whole number")
READERS = {
    "str": Reader(str, "a name"),
    "int": WHOLE,
    "int | None": WHOLE,
    "float": Reader(float, "a number"),
    "tuple[str, ...]": Reader(partial(several, str), "names with commas between them"),
    "tuple[float, ...]": Reader(partial(several, float), "numbers with commas between them"),
    "tuple[int, ...]": Reader(partial(several, int), "whole numbers with commas between them"),
}
"""Readers by the type of a setting."""
SEEDS = Reader(seeds, "a number of seeds, or seeds with commas between them")
PART = Reader(part, "k/n, such as 2/4")


def settings_options(page: Experiment) -> list[click.Parameter]:
    """An option per setting of the experiment; unset ones are None and leave the default."""
    options: list[click.Parameter] = []
    for field in fields(page.settings):
        default = getattr(page.settings, field.name)
        text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        reader = SEEDS if field.name == "seeds" else READERS[str(field.type)]
        about = field.metadata["about"] + ("" if default is None else f"  [default: {text}]")
        options.append(
            click.Option(
                [f"--{field.name.replace('_', '-')}"],
                type=reader,
                help=about,
                metavar="LIST" if isinstance(default, tuple) else "VALUE",
            )
        )
    return options


def common_options() -> list[click.Parameter]:
    """The options that say where and how, not what."""
    folder = click.Path(path_type=Path)
    return [
        click.Option(
            ["--out"],
            type=folder,
            default=Path("results"),
            show_default=True,
            help="folder for the table (CSV) and the picture (PNG); made if it is not there",
        ),
        click.Option(
            ["--root"],
            type=folder,
            help="folder with data sets in torchvision's layout, looked in first",
        ),
        click.Option(
            ["--device"], default="auto", show_default=True, help="auto, cpu, cuda or mps"
        ),
        click.Option(
            ["--jobs"], type=WHOLE, default=1, show_default=True, help="processes side by side"
        ),
        click.Option(
            ["--scheduler"],
            metavar="ADDRESS",
            help="train on the workers of a running Dask cluster, such as tcp://node1:8786",
        ),
        click.Option(
            ["--part"],
            type=PART,
            metavar="K/N",
            default="1/1",
            help="only the k-th of n shares, for the tasks of a batch system with one --out folder",
        ),
        click.Option(["--quiet"], is_flag=True, help="no progress bar"),
        click.Option(
            ["--dry-run"],
            is_flag=True,
            help="only try a few steps, and say how long all of it takes here, in what memory",
        ),
    ]


def picture(results: table.Table) -> Path:
    """Draw the table, beside it and under the same name; returns the path of the PNG."""
    from course.files import write_whole
    from course.plots.experiments import accuracy_against_depth

    header = results.header
    title = f"{header['experiment']}, {header['settings']['data']}"
    figure = accuracy_against_depth(
        results.last(),
        title=title,
        outputs=header["classes"],
        counts=header["depth_counts"],
    )
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=150)
    path = results.path.with_suffix(".png")
    write_whole(path, png.getvalue())
    return path


def command(page: Experiment) -> click.Command:
    """The click command of one experiment."""

    def run(
        out: Path,
        root: Path | None,
        device: str,
        jobs: int,
        scheduler: str | None,
        part: tuple[int, int],
        quiet: bool,
        dry_run: bool,
        **given: Any,
    ) -> None:
        from course.cli import summary
        from course.experiments import grid, prediction  # with torch: only where it is run

        settings = page.settings.change(**given)
        if dry_run and scheduler is not None:
            raise reject("scheduler", scheduler, "not given with --dry-run: it tries this machine")
        if dry_run:
            click.echo(prediction.predict(settings, device=device, jobs=jobs, root=root))
            return
        try:
            results = grid.run(
                page.name,
                settings,
                out=out,
                root=root,
                device=device,
                jobs=jobs,
                scheduler=scheduler,
                part=part,
                progress=not quiet,
            )
        except KeyboardInterrupt:
            click.echo(f"Stopped. What is trained is kept in {out}: the same command goes on.")
            raise
        if results is None:
            click.echo(f"This part is done. The last part to end writes the table into {out}.")
        else:
            click.echo("\n".join(summary.sentences(results)))
            click.echo(f"\ntable    {results.path}")
            click.echo(f"picture  {picture(results)}")

    return click.Command(
        page.name,
        callback=run,
        params=[*settings_options(page), *common_options()],
        help=page.page.replace("\n\n", "\n\n\b\n"),
        short_help=page.summary,
        epilog=f"\b\nExample:\n  course run {page.name} --seeds 5 --out results",
    )


class Experiments(Polite):
    """The commands of the registry of experiments."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all experiments."""
        return list(EXPERIMENTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that experiment; ValueError if there is none."""
        return command(experiment(cmd_name))


@click.group(
    cls=Experiments,
    subcommand_metavar="EXPERIMENT [OPTIONS]",
    epilog="""
\b
Examples:
  course run degradation
  course run degradation --data fashion-mnist --epochs 3 --device cuda
  course run figure1 --help
""",
)
def run() -> None:
    """Run an experiment: a grid of networks, depths and seeds, trained in the same way.

    When everything has been trained, it says what was found and writes a table and a picture, each
    in one go: under its name there is never half a file. Ctrl-C stops a run, and the same command
    goes on with it.
    """
