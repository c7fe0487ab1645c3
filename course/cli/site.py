"""`course site`: all lessons as pages."""

from __future__ import annotations

from pathlib import Path

import click

from course.cli.lab import notebooks
from course.site import build


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("site"),
    show_default=True, help="The folder to write; it may hold a site already.",
)  # fmt: skip
def site(out: Path) -> None:
    """All lessons and the playground as pages, to read from a disk or a server, with no network."""
    click.echo(f"built: {build(out, notebooks())}")
