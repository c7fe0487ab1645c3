"""`course lab`: open the student's own copy of the notebooks."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import click

import course
from course.arguments import reject
from course.cli import server, working_copy
from course.cli.working_copy import STATE, Change
from course.files import write_whole

PACKAGE = Path(course.__file__).parent
COPY = "my-very-deep-networks"
"""Name of the copy in the home folder: found from wherever one starts, and whichever clone goes."""
READ_ONLY = "read_only"
"""Name of the folder in the copy that shows the notebooks as they are stored, with outputs."""


def notebooks() -> Path:
    """The folder of the notebooks: of the clone, or else inside the installed package."""
    clone = PACKAGE.parent / "notebooks"
    return clone if (PACKAGE.parent / "pyproject.toml").is_file() else PACKAGE / "notebooks"


def home_copy() -> Path:
    """Where the working copy is unless one says otherwise; ValueError where there is no home."""
    try:
        return Path.home() / COPY
    except RuntimeError:
        raise ValueError("there is no home folder: say where with --copy DIR") from None


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=f"""
\b
Examples:
  course lab                           your copy, in {COPY} in your home folder
  course lab --copy ./my-course        your copy, in a folder of your choice
  course lab --read                    the notebooks as they are stored, to read
  course lab --no-browser --port 8890  anything `jupyter lab` understands
""",
)
@click.option(
    "--copy",
    "target",
    type=click.Path(path_type=Path),
    help=f"The folder of your copy; made if it is not there.  [default: {COPY} at home]",
)
@click.option(
    "--read", is_flag=True, help=f"Show the notebooks with their outputs, in {READ_ONLY}/ there."
)
@click.option(
    "--prepare", is_flag=True, help="Make the copy or bring it up to date, and open nothing."
)
@click.argument("jupyter", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER OPTIONS]...")
def lab(target: Path | None, read: bool, prepare: bool, jupyter: tuple[str, ...]) -> None:
    """Open JupyterLab with your own copy of the notebooks. Ctrl-C (twice) ends it.

    In the copy the outputs are empty at first: predict, run, and see for yourself. It is yours:
    nothing that you changed or ran is ever replaced. When the course was updated, notebooks that
    you did not touch are refreshed; of the others the new one is laid beside yours, as
    NAME_new.ipynb. Delete or rename a notebook to get a fresh one at the next start.

    If JupyterLab already runs for your copy, it is shown instead of starting a second one.

    Notebooks compute with one thread each unless OMP_NUM_THREADS says otherwise, and train several
    networks at once on all cores unless that or COURSE_THREADS does.
    """
    limit_threads()
    copy = _folder(home_copy() if target is None else target)
    first = _first(notebooks())
    with server.alone(copy / STATE / "server.lock") as free:
        if free:
            _say(copy, working_copy.hand_out(notebooks(), copy))
        elif working_copy.plan(notebooks(), copy):
            click.echo("The course was updated: end JupyterLab and start again to get the new.")
        start = copy / first
        if read:
            start = copy / READ_ONLY / first
            working_copy.hand_out(notebooks(), start.parent, outputs=True)
            click.echo(f"To read, with outputs: {start.parent}")
        if prepare:
            return
        if "JUPYTERHUB_SERVICE_PREFIX" in os.environ:
            click.echo(f"JupyterLab is open around you: open {start} in its list of files.")
        elif free:
            sys.exit(server.serve(copy, start, jupyter))
        else:
            _show(copy, start, "--no-browser" not in jupyter)


def limit_threads() -> None:
    """Tell kernels, by their environment, that training alone is divided among the cores.

    Operations this thin gain nothing from a second thread, and where cores are busy, or fewer than
    the machine shows, threads that wait for one another take many times as long. Replicas, which
    are divided by whole steps, wait seldom.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        known = hasattr(os, "sched_getaffinity")  # Linux
        cores = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
        os.environ["OMP_NUM_THREADS"] = "1"
        os.environ.setdefault("COURSE_THREADS", str(cores))


def _folder(copy: Path) -> Path:
    """The folder of the copy, made if need be, as a full path.

    Raises ValueError for the course's own folders, and for one that cannot be made or written.
    """
    copy = copy.expanduser().resolve()
    own = notebooks().resolve()
    if copy in (own, own.parent):
        raise reject("copy", str(copy), "a folder of your own, not the course's")
    try:
        (copy / STATE).mkdir(parents=True, exist_ok=True)
        if own.parent in copy.parents and not (copy / ".gitignore").exists():
            write_whole(copy / ".gitignore", "*\n")  # the clone stays clean
        (copy / STATE / "server.lock").touch()
    except OSError as error:
        allowed = f"a folder that can be written ({error.strerror}); choose one with --copy DIR"
        raise reject("copy", str(copy), allowed) from error
    return copy


def _first(folder: Path) -> str:
    """The name of the first notebook in `folder`; ValueError if it holds none."""
    names = sorted(path.name for path in folder.glob("*.ipynb"))
    if not names:
        raise reject("notebooks", str(folder), "a folder with the notebooks; install again")
    return names[0]


def _say(copy: Path, changes: list[Change]) -> None:
    """Print where the copy is, and what has been written into it."""
    click.echo(f"Your own copy of the notebooks: {copy}")
    missing, untouched = (
        [change.name for change in changes if change.kind == kind]
        for kind in ("missing", "untouched")
    )
    if missing:
        click.echo(f"Handed out, with empty outputs: {len(missing)} notebooks.")
    if untouched:
        click.echo(f"Updated, as you had not touched them: {', '.join(untouched)}.")
    for change in changes:
        if change.kind == "beside":
            click.echo(f"{change.original} is updated. Yours stays; the new one is {change.name}.")


def _show(copy: Path, start: Path, browser: bool) -> None:
    """Say that JupyterLab already runs, and open its page."""
    url = server.address(copy, start)
    click.echo(f"JupyterLab already runs for this folder; here it is:\n    {url}")
    if browser:
        webbrowser.open(url)
