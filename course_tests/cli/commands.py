"""The `course` command as tests call it."""

from __future__ import annotations

from click.testing import CliRunner, Result

from course.cli import main


def course(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments)


def refused(done: Result, *words: str) -> None:
    """Assert that it ended with status 2 and one line on standard error that has the words."""
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("course: ") and done.stderr.count("\n") == 1
    assert [word for word in words if word not in done.stderr] == []
