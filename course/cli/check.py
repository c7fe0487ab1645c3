"""`course check`: is this machine ready?"""

from __future__ import annotations

import sys

import click

from course.cli.findings import Finding, findings

WIDTH = 14


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
    memory, free disk space, the notebooks and their kernel, the widgets in JupyterLab, and where
    each data set would be read from. Nothing is changed and nothing is downloaded.
    """
    problems = 0
    for finding in findings():
        problems += finding.advice is not None
        click.echo(line(finding))
    click.echo("Everything is ready." if not problems else f"Problems: {problems}.")
    sys.exit(1 if problems else 0)


def line(finding: Finding) -> str:
    """A finding as text: one line, and a second one with the advice if it is a problem."""
    state = "ok     " if finding.advice is None else "PROBLEM"
    text = f"{state} {finding.name:<{WIDTH}} {finding.value}"
    return text if finding.advice is None else f"{text}\n     -> {finding.advice}"
