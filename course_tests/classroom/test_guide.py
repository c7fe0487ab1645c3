"""The instructor's guide names what exists: commands, options, sets, files, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from course import classroom
from course.classroom import master
from course.cli import main
from course_tests import store

FOLDER = Path(classroom.__file__).parent
GUIDE = (FOLDER / "GUIDE.md").read_text(encoding="utf-8")
TEACHING = (FOLDER / "TEACHING.md").read_text(encoding="utf-8")
COMMANDS = sorted(
    {
        match.strip("` ")
        for match in re.findall(r"course (?:assign [a-z]+|grade|regrade|quiz [a-z]+|lab)", GUIDE)
    }
)


def test_the_guide_names_every_command() -> None:
    assert {c.removeprefix("course ") for c in COMMANDS} >= {
        "assign list",
        "assign new",
        "assign release",
        "assign tree",
        "grade",
        "regrade",
        "quiz export",
        "quiz summary",
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist_with_the_options_named(command: str) -> None:
    done = CliRunner().invoke(main, [*command.split()[1:], "--help"])
    assert done.exit_code == 0, done.output
    for line in GUIDE.splitlines():
        if command in line and "jupyterhub" not in line:
            rest = line.split(command, 1)[1].split("`")[0].split("#")[0]
            for option in re.findall(r"--[a-z]+", rest):
                assert option in done.output, line


def test_every_set_and_notebook_has_its_place_in_the_plan() -> None:
    for name in master.names():
        one = master.load(name)
        assert re.search(rf"\| {one.notebook} .*\| {name} \|", GUIDE) or (
            one.notebook == "01" and name in GUIDE
        )
        assert name in TEACHING.split(f"## {one.notebook} ")[1].split("\n## ")[0]
    for path in store.numbered():
        notes = TEACHING.split(f"## {store.number(path)} ")[1].split("\n## ")[0]
        assert "*Beliefs:*" in notes and "*Ask:*" in notes and "*Board:*" in notes
        assert re.search(r"\(\d+ minutes", notes.splitlines()[0])


def test_commands_of_nbgrader_exist() -> None:
    from nbgrader.apps.nbgraderapp import NbGraderApp

    used = set(re.findall(r"`nbgrader ([a-z_]+)", GUIDE))
    assert used and used <= set(NbGraderApp.subcommands)


def test_after_the_install_lines_the_commands_are_found() -> None:
    """Pasted from the top: `course` is on the path, and the versions are those that are tested."""
    install = GUIDE.split("```sh\n")[1].split("```")[0].splitlines()
    assert install[0].endswith("&& . .venv/bin/activate")
    assert all("-c binder/constraints.txt" in line for line in install[1:])
    readme = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    assert install[1].removeprefix("pip ") in readme  # torch as the README installs it


def test_links_and_anchors() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-")
        for h in re.findall(r"^## (.*)$", GUIDE, re.M)
    }
    for text, target in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", GUIDE + TEACHING):
        if target.startswith("#"):
            assert target[1:] in headings, text
        elif not target.startswith("http"):
            assert (FOLDER / target).exists(), target


def test_points_and_status_are_as_said() -> None:
    totals = [one.automatic + one.by_hand for one in map(master.load, master.names())]
    assert f"each set has {min(totals):g} to {max(totals):g} points" in GUIDE
    words = {one.by_hand for one in map(master.load, master.names())}
    assert words == {4.0, 5.0}
    code = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / "grade").glob("*.py"))
    for status in ("graded", "unreadable", "stopped", "failed"):
        assert f"| {status} |" in GUIDE and f'"{status}"' in code
