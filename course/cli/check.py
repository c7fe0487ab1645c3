"""`course check`: is this machine ready?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module

import click

from course.cli.finding import AGAIN, Finding

WIDTH = 14
CHECKS = {
    "course.cli.machine": ("python", "packages", "memory", "disk", "device"),
    "course.cli.jupyter": ("kernel", "runtime", "widgets"),
    "course.cli.places": ("notebooks", "predictions", "data"),
}
"""The functions that look, by module, in the order in which a reader would ask."""


@click.command(
    epilog="""
\b
Exit status:
  0  no problems
  1  problems; the line after each arrow says what to do
"""
)
def check() -> None:
    """Say what is here, what is missing, and what to do about it.

    Looked at: Python and each package against the range the course needs, the processor or GPU,
    memory, free disk space, the notebooks and their kernel, your own copy, the widgets in
    JupyterLab, where each data set would be read from, and whether what you do can be kept.
    Nothing is changed and nothing is downloaded.
    """
    click.echo("Looking at this machine; torch and JupyterLab take some seconds to load.")
    problems = 0
    for finding in findings(_announce):
        problems += finding.advice is not None
        click.echo(line(finding))
    click.echo("Everything is ready." if not problems else f"Problems: {problems}.")
    sys.exit(1 if problems else 0)


def line(finding: Finding) -> str:
    """A finding as text: one line, and a second one with the advice if it is a problem."""
    state = "ok     " if finding.advice is None else "PROBLEM"
    text = f"{state} {finding.name:<{WIDTH}} {finding.value}"
    return text if finding.advice is None else f"{text}\n     -> {finding.advice}"


def _announce(name: str) -> None:
    """Say what is being looked at, on a screen: the line that follows is written over it."""
    if sys.stdout.isatty():
        click.echo(f"...     {name:<{WIDTH}}\r", nl=False)


def findings(announce: Callable[[str], None] = lambda name: None) -> Iterator[Finding]:
    """Everything of `CHECKS`, each announced by its name before it is looked at.

    A module is imported in its turn, so that the first lines come at once.
    """
    for module, names in CHECKS.items():
        for name in names:
            announce(name)
            try:
                yield from getattr(import_module(module), name)()
            except Exception as error:  # a broken package can raise anything; say so and go on
                said = " ".join(str(error).split())
                yield Finding(name, f"{type(error).__name__}: {said}", AGAIN)
