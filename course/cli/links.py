"""`course links`: addresses at which the notebooks open elsewhere, for a page of your class."""

from __future__ import annotations

import click

from course.cli.lab import notebooks


@click.command(
    epilog="""
\b
Examples:
  course links someone/deep-course                                Binder and Colab
  course links someone/deep-course --hub https://hub.example.org  ... and a hub with nbgitpuller
"""
)
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--branch", default="main", show_default=True, help="The branch that is opened.")
@click.option("--hub", help="The address of a JupyterHub that has nbgitpuller.")
def links(repository: str, branch: str, hub: str | None) -> None:
    """Links that open each notebook on Binder, on Colab, and on a hub.

    OWNER/NAME is a public repository on GitHub with the course: yours, a fork, or the students'
    repository that `course assign tree` writes. The course does not know where it lies, and nothing
    is asked of the network: look at one link of each kind before you hand them out.
    """
    from course.site import by_nbgitpuller, on_binder, on_colab

    for path in sorted(notebooks().glob("*.ipynb")):
        click.echo(path.stem)
        click.echo(f"  Binder  {on_binder(repository, path.name, branch)}")
        click.echo(f"  Colab   {on_colab(repository, path.name, branch)}")
        if hub:
            place = f"notebooks/{path.name}"
            click.echo(f"  hub     {by_nbgitpuller(hub, repository, place, branch)}")
