"""`course run EXPERIMENT`: one command per experiment, with an option for each of its settings."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from course.arguments import one_of, reject
from course.cli import Polite
from course.experiments import EXPERIMENTS, Experiment

if TYPE_CHECKING:
    from course.experiments.table import Table


def comma_separated(item: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """A reader of "2,10,30" into a tuple; named so that click's errors speak of a list."""

    def comma_separated_list(text: str) -> tuple[Any, ...]:
        return tuple(item(part) for part in text.split(",") if part.strip())

    return comma_separated_list


def seeds(text: str) -> int | tuple[int, ...]:
    """ "3" means three seeds, 0 to 2; "7," or "0,5,9" names them."""
    return comma_separated(int)(text) if "," in text else int(text)


READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "int | None": int,
    "tuple[str, ...]": comma_separated(str.strip),
    "tuple[int, ...]": comma_separated(int),
}
"""How the text of an option becomes a value, by the type of the setting."""


def settings_options(experiment: Experiment) -> list[click.Parameter]:
    """An option per setting of the experiment; unset ones are None and leave the default."""
    options: list[click.Parameter] = []
    for field in fields(experiment.settings):
        default = getattr(experiment.settings, field.name)
        text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        reader = seeds if field.name == "seeds" else READERS[str(field.type)]
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
            ["--jobs"], type=int, default=1, show_default=True, help="processes side by side"
        ),
        click.Option(
            ["--part"],
            type=part,
            metavar="K/N",
            default="1/1",
            help="only the k-th of n shares of the grid, for n machines with one --out folder",
        ),
        click.Option(["--quiet"], is_flag=True, help="no progress bar"),
    ]


def part(text: str) -> tuple[int, int]:
    """ "2/4" as (2, 4)."""
    k, _, n = text.partition("/")
    return int(k), int(n)


def writable(out: Path) -> None:
    """Make the folder `out` and try to write there, before any work; ValueError if it can't be.

    A folder that can't be used is not left behind.
    """
    made = [path for path in (out, *out.parents) if not path.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=out):
            pass
    except OSError as error:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise reject("out", str(out), f"a folder that can be written ({error.strerror})") from None


def picture(table: Table) -> Path:
    """Draw accuracy against depth into a PNG beside the table."""
    from course.experiments.table import write_whole
    from course.plots.experiments import accuracy_against_depth

    settings = table.header["settings"]
    runs = f"{settings['epochs']} epochs, {len(settings['seeds'])} seeds (band: standard error)"
    title = f"{table.header['experiment']}: {settings['data']}, {runs}"
    fig = accuracy_against_depth(table.last(), title=title, outputs=table.header["classes"])
    png = io.BytesIO()
    fig.savefig(png, format="png", dpi=150)
    path = table.path.with_suffix(".png")
    write_whole(path, png.getvalue())
    return path


def command(experiment: Experiment) -> click.Command:
    """The click command of one experiment."""

    def run(
        out: Path,
        root: Path | None,
        device: str,
        jobs: int,
        part: tuple[int, int],
        quiet: bool,
        **given: Any,
    ) -> None:
        settings = experiment.settings.change(**given)
        writable(out)
        table = experiment.run(
            settings,
            out=out,
            root=root,
            device=device,
            jobs=jobs,
            part=part,
            progress=not quiet,
        )
        if table is None:
            click.echo(f"This part is done; the table follows when all are: see {out}.")
        else:
            click.echo(f"table    {table.path}")
            click.echo(f"picture  {picture(table)}")

    return click.Command(
        experiment.name,
        callback=run,
        params=[*settings_options(experiment), *common_options()],
        help=experiment.page.replace("\n\n", "\n\n\b\n"),
        short_help=experiment.summary,
        epilog=f"\b\nExample:\n  course run {experiment.name} --seeds 5 --out results",
    )


class Experiments(Polite):
    """The commands of the registry of experiments."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all experiments."""
        return list(EXPERIMENTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that experiment; ValueError if there is none."""
        return command(EXPERIMENTS[one_of("experiment", cmd_name, EXPERIMENTS)])


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

    The table and the picture are written when everything has been trained, each in one go: under
    its name there is never half a file. Ctrl-C stops a run.
    """
