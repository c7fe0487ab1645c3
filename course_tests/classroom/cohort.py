"""Submissions made from masters, with points that are known by construction."""

from __future__ import annotations

import copy
import functools
import random
from pathlib import Path
from typing import Any

import nbformat

from course.classroom import master as masters
from course.classroom.collect.restore import grade_id
from course.classroom.master import Master

SOLVED, UNTOUCHED = "solved", "untouched"


@functools.cache
def load(name: str) -> Master:
    """The master called `name`, which is read once for all tests of a process."""
    return masters.load(name)


def choices(master: Master, problem: str) -> list[str]:
    """What a student may do with a problem: solve it, leave it, or make one of its mistakes."""
    return [SOLVED, UNTOUCHED, *(m.name for m in master.of_kind("mistake") if m.of == problem)]


def answer(master: Master, problem: str, choice: str) -> str | None:
    """The source of the answer cell; None where it stays as it was released."""
    if choice == UNTOUCHED:
        return None
    if choice == SOLVED:
        return master.cell(problem).source
    return {m.name: m.source for m in master.of_kind("mistake") if m.of == problem}[choice]


def points(master: Master, chosen: dict[str, str]) -> dict[str, float]:
    """Graded cell -> points that it must get, for choices by problem."""
    expected = {}
    for problem, cells in master.problems.items():
        choice = chosen.get(problem, UNTOUCHED)
        wrong = {m.name: m.fails for m in master.of_kind("mistake") if m.of == problem}
        for name in cells:
            failed = choice == UNTOUCHED or name in wrong.get(choice, ())
            expected[name] = 0.0 if failed else master.cell(name).points
    return expected


def submission(master: Master, release: Any, chosen: dict[str, str], words: str = "") -> Any:
    """A student's notebook: `release` with the chosen answers, and `words` as the written one."""
    made = copy.deepcopy(release)
    for cell in made.cells:
        name = grade_id(cell)
        if name in master.problems:
            source = answer(master, name, chosen.get(name, UNTOUCHED))
            cell.source = cell.source if source is None else source
        elif words and name and master.cell(name).kind == "written":
            cell.source = words
    return made


def cohort(
    master: Master, release: Any, folder: Path, size: int, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Writes `size` submissions of mixed quality; returns student -> graded cell -> points."""
    chance = random.Random(seed)
    expected = {}
    for number in range(size):
        student = f"student-{number:03d}"
        good = chance.random()
        chosen = {
            problem: SOLVED
            if chance.random() < good
            else chance.choice(choices(master, problem)[1:])
            for problem in master.problems
        }
        place = folder / student
        place.mkdir(parents=True)
        words = "Because depth multiplies." if chance.random() < 0.8 else ""
        nbformat.write(submission(master, release, chosen, words), place / f"{master.name}.ipynb")
        expected[student] = points(master, chosen)
    return expected
