"""Each master: its solution passes, an untouched one gets nothing, known mistakes score as said."""

from __future__ import annotations

import re

import pytest

from course.classroom import master
from course_tests import store
from course_tests.classroom.cohort import SOLVED, UNTOUCHED, load
from course_tests.classroom.playing import play

SETS = master.names()
MISTAKES = [
    pytest.param(name, mistake, id=f"{name}: {mistake.name}")
    for name in SETS
    for mistake in load(name).of_kind("mistake")
]


def test_there_is_a_set_for_each_notebook_of_the_three_parts() -> None:
    sets = [load(name) for name in SETS]
    numbers = [one.notebook for one in sets]
    assert [number[:2] for number in numbers] == [f"{number:02d}" for number in range(1, 14)]
    assert set(numbers) <= set(map(store.number, store.numbered()))
    assert {one.part for one in sets} == {"I", "II", "III"}


@pytest.mark.parametrize("name", SETS)
def test_form(name: str) -> None:
    """Three to six problems from worked to open, points as announced, one answer in words."""
    one = load(name)
    text = "\n".join(cell.source for cell in one.of_kind("text"))
    headings = re.findall(r"^## Problem (\d)(.*)$", text, flags=re.MULTILINE)
    assert [int(number) for number, _ in headings] == list(range(1, len(headings) + 1))
    assert 3 <= len(headings) <= 6
    assert "worked" in headings[0][1]
    assert any("open" in rest for _, rest in headings)
    announced = re.findall(r"^## Problem .*\((\d+) points", text, flags=re.MULTILINE)
    assert sum(map(int, announced)) == one.automatic + one.by_hand
    assert len(one.of_kind("written")) == 1
    assert "Marks:" in one.of_kind("written")[0].source
    assert len(one.of_kind("mistake")) >= len(one.problems) >= 2
    assert sum(bool(m.hint) for m in one.of_kind("mistake")) >= len(one.problems)
    assert all(one.problems.values()), "a problem without a hidden test"


@pytest.mark.parametrize("name", SETS)
def test_a_student_needs_numpy_and_torch_alone(name: str) -> None:
    """No nbgrader, and not even the course's own package, which a sandbox does not have."""
    code = "\n".join(c.source for c in load(name).cells if c.code and c.kind != "grade")
    imported = set(re.findall(r"^\s*(?:import|from) ([a-z_]+)", code, re.M))
    assert imported <= {"math", "numpy", "torch"}


@pytest.mark.parametrize("name", SETS)
def test_the_solution_passes_and_an_untouched_set_gets_nothing(name: str) -> None:
    one = load(name)
    solved = play(one, dict.fromkeys(one.problems, SOLVED))
    assert (solved.failed, solved.hints, solved.errors) == ({}, {}, {})
    untouched = play(one, dict.fromkeys(one.problems, UNTOUCHED))
    assert set(untouched.failed) == {cell.name for cell in one.of_kind("grade")}


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_a_known_mistake(name: str, mistake: master.Cell) -> None:
    """It loses the points that it should, and the visible check hints where it can."""
    one = load(name)
    chosen = {**dict.fromkeys(one.problems, SOLVED), mistake.of: mistake.name}
    played = play(one, chosen)
    assert set(played.failed) == set(mistake.fails), played.failed
    said = " ".join(played.hints.values())
    assert mistake.hint in said, played
    assert bool(mistake.hint) == bool(said), said


@pytest.mark.parametrize("name", SETS)
def test_messages_of_hidden_tests_are_made_for_students(name: str) -> None:
    """A student who did nothing reads sentences, not Python."""
    one = load(name)
    for said in play(one, {}).failed.values():
        assert said.endswith(".") or said.endswith("?") or "stopped with" in said, said
