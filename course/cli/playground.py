"""`course playground`: the depth playground, a page for a browser."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path

import click

from course import files
from course.arguments import reject
from course.cli.lab import notebooks
from course.site import playground_page


@click.command(
    epilog="""
\b
Examples:
  course playground
  course playground --out depth.html --lessons https://example.org/{name}.html
"""
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the page to this file.")
@click.option(
    "--lessons",
    metavar="ADDRESS",
    help="Where the lessons are, with {name} for that of a notebook. [default: this machine]",
)
@click.option("--open/--no-open", "opened", default=True, help="Open the page. [default: open]")
def playground(out: Path | None, lessons: str | None, opened: bool) -> None:
    """Write the depth playground, and open it in the browser.

    Train very deep networks in a page, and see what becomes of signals and gradients: depth, width,
    activation, first weights, skips, norms and training at a slider's move. One file that asks for
    nothing else: mail it, put it on a server, open it from a disk. What is set stands in its
    address, so a question to a class can be a link.
    """
    if lessons is not None and "{name}" not in lessons:
        raise reject("lessons", lessons, "an address with {name} in it")
    names = {path.stem.partition("_")[2]: path for path in sorted(notebooks().glob("*_*.ipynb"))}
    addresses = {
        slug: path.as_uri() if lessons is None else lessons.replace("{name}", path.stem)
        for slug, path in names.items()
    }
    path = out or Path(tempfile.mkdtemp(prefix="course-")) / "playground.html"
    if not path.parent.is_dir():
        raise reject("out", path, "a file in a folder that is there")
    files.write_whole(path, playground_page(addresses))
    click.echo(path)
    if opened:
        webbrowser.open(path.resolve().as_uri())
