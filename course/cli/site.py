"""`course site`: all lessons as pages."""

from __future__ import annotations

import os
from pathlib import Path

import click

from course.cli.lab import notebooks


@click.command(
    epilog="""
\b
Examples:
  course site                        into ./site; sliders move over recorded pictures
  course site --still                at once; pictures stand still
  course site --jobs 8               eight explorers at a time
"""
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="The folder to write; it may hold a site already.",
)
@click.option("--still", is_flag=True, help="Record nothing: the explorers' pictures stand still.")
@click.option(
    "--recordings",
    "kept",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where recordings are kept for the next time.  [default: the course's cache]",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="How many explorers are recorded at a time.",
)
def site(out: Path, still: bool, kept: Path | None, jobs: int) -> None:
    """All lessons and the playground as pages, to read from a disk or a server, with no network.

    Each explorer is recorded at up to 25 places of each of its controls, by the code that draws it
    in the notebook. That takes a while the first time, and again only where that code has changed.
    """
    from course import data  # not above: what draws takes seconds to load
    from course.site import build, record_all

    def record() -> dict[str, Path]:
        place = kept or data.cache() / "recordings"
        return record_all(notebooks(), place, jobs=jobs, tell=click.echo)

    click.echo(f"built: {build(out, notebooks(), dict if still else record)}")
