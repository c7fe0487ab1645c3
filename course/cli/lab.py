"""`course lab`: open the notebooks, wherever they are."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

import course
from course.arguments import reject

PACKAGE = Path(course.__file__).parent
COPY = Path("very-deep-networks-notebooks")


def notebooks() -> Path:
    """The folder of the notebooks: of the clone, or else inside the installed package."""
    clone = PACKAGE.parent / "notebooks"
    return clone if (PACKAGE.parent / "pyproject.toml").is_file() else PACKAGE / "notebooks"


def in_clone() -> bool:
    """Whether the course runs from a clone, whose notebooks may be edited where they are."""
    return notebooks().parent != PACKAGE


def first(folder: Path) -> Path:
    """The first notebook in `folder`; ValueError if it holds none."""
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        raise reject("notebooks", str(folder), "a folder with the notebooks; install again")
    return notebooks[0]


def copy(target: Path) -> list[Path]:
    """Copy the notebooks that `target` lacks into it, and return those: yours are never replaced.

    A copy appears under its name only when it is complete. Raises OSError if it can't be written.
    """
    first(notebooks())
    target.mkdir(parents=True, exist_ok=True)
    fresh = [p for p in sorted(notebooks().glob("*.ipynb")) if not (target / p.name).exists()]
    for path in fresh:
        part = target / f".{path.name}.part"
        shutil.copyfile(path, part)
        part.replace(target / path.name)
    return fresh


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="""
\b
Examples:
  course lab
  course lab --copy my-notebooks       work on copies, keep the originals
  course lab --no-browser --port 8890  anything `jupyter lab` understands
""",
)
@click.option(
    "--copy",
    "target",
    type=click.Path(path_type=Path),
    help="Copy the notebooks into this folder first and open them there. "
    "Files that are already there stay as they are.",
)
@click.argument("jupyter", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER OPTIONS]...")
def lab(target: Path | None, jupyter: tuple[str, ...]) -> None:
    """Open JupyterLab at the first notebook. Ctrl-C (twice) ends it.

    In a clone of the repository the notebooks are opened where they are. Where the course was
    installed as a package, they are copied into ./very-deep-networks-notebooks (see --copy), so
    that you can change them.

    Notebooks compute with one thread each unless OMP_NUM_THREADS says otherwise.
    """
    # Networks this thin gain nothing from a second thread, and where cores are busy, or fewer than
    # the machine shows (as on Binder), threads that wait for one another take many times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if target is None and not in_clone():
        target = COPY
    if target is not None:
        fresh = copy(target)
        click.echo(f"{len(fresh)} notebooks copied into {target}.")
        root, start = target, first(target)
    else:
        root, start = notebooks().parent, first(notebooks())
    sys.exit(_jupyter(root.resolve(), start.resolve(), jupyter))


def _jupyter(root: Path, start: Path, options: tuple[str, ...]) -> int:
    """Run JupyterLab in this process, so that it gets Ctrl-C itself; returns its exit status."""
    from jupyterlab.labapp import LabApp

    address = f"/lab/tree/{start.relative_to(root).as_posix()}"
    # The user's options come last: the last one counts.
    arguments = [f"--ServerApp.root_dir={root}", f"--LabApp.default_url={address}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        # JupyterLab would refuse; but in a container one often is root, and has no choice.
        click.echo("You are root, and so is every notebook.", err=True)
        arguments.append("--ServerApp.allow_root=True")
    arguments += options
    return LabApp.launch_instance(arguments) or 0
