"""The `course` command.

Each command lives in a module of its own, which is imported only when it is called, so that
`course --help` answers at once. To add a command, add a line to `COMMANDS`.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, cast

import click

# jsonschema, which JupyterLab and nbformat import, compiles a grammar of international addresses
# with it for more than two seconds, in each process. Without the package it does not check these:
# no notebook and no setting has any.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

COMMANDS = {
    "lab": ("course.cli.lab", "Open your own copy of the notebooks in JupyterLab."),
    "check": ("course.cli.check", "Is this machine ready? What to do if not."),
    "run": ("course.cli.run", "Run an experiment; what was found, a table, a picture."),
    "doctor": ("course.cli.doctor", "What is wrong with your network? Of SCRIPT.PY:FACTORY."),
    "playground": ("course.cli.playground", "Train very deep networks in a page of your browser."),
    "assign": ("course.classroom.commands", "For instructors: problem sets, released to students."),
    "grade": ("course.classroom.commands", "For instructors: collect, autograde, give feedback."),
    "regrade": (
        "course.classroom.commands",
        "For instructors: grade again after a fix, add marks.",
    ),
    "site": ("course.cli.site", "All lessons as pages, to read in a browser."),
    "links": ("course.cli.links", "Addresses of the notebooks on Binder, Colab, a hub."),
    "quiz": ("course.classroom.commands", "Export your predictions, or sum up those of a class."),
}
"""name: (the module that defines a click command of that name, one line of help)."""

EPILOG = """
\b
Examples:
  course check                         is everything there?
  course lab                           start with the first notebook
  course run degradation               a table and a picture in results/
  course run degradation --help        every setting of that experiment

\b
Exit status:
  0  it worked (for `course check`: no problems were found)
  1  `course check` found problems, or you stopped the command
  2  something that was asked for cannot be done; one line says what

\b
Environment:
  COURSE_DATA       a folder with data sets in torchvision's layout, looked in before the cache
  COURSE_THREADS    among how many threads networks that train side by side are divided
  COURSE_TRACEBACK  set to 1, an error ends with Python's traceback instead of one line
"""


class Refusal(click.ClickException):
    """A request that cannot be met: one line on standard error, exit status 2."""

    exit_code = 2

    def __init__(self, error: object) -> None:
        super().__init__(" ".join(str(error).split()) or type(error).__name__)

    def show(self, file: Any = None) -> None:
        click.echo(f"course: {self.message}", err=True)


class Polite(click.Group):
    """A group in which a user's error never ends in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it raises for bad input, files or memory becomes a `Refusal`."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (ValueError, OSError, MemoryError, RuntimeError) as error:
            if os.environ.get("COURSE_TRACEBACK") == "1" or not _theirs(error):
                raise
            raise Refusal(_said(error)) from error


class Doors(Polite):
    """The commands of `COMMANDS`, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, from its module."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        return cast(click.Command, getattr(import_module(module), cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for --help, which must not import anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=Doors, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="very-deep-networks-course", prog_name="course")
def main() -> None:
    """Why do very deep networks fail to train, and what lets them? The course's own command."""


def _theirs(error: BaseException) -> bool:
    """Whether a user can mend it. Other errors at run time are ours, and keep their traceback."""
    # torch's own error for a GPU without memory; its class can't be named without loading torch.
    out_of_memory = type(error).__name__ == "OutOfMemoryError"
    # click's own way of ending (Exit, Abort) are errors at run time too.
    return out_of_memory or not isinstance(error, RuntimeError)


def _said(error: BaseException) -> str:
    """What an exception says, in a reader's words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})" if str(error) else "not enough memory"
    return str(error)
