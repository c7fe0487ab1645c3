"""A course folder with one released set, and a way to grade what is handed in to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from course.classroom import grade, layout, marking, master, releasing, sandbox
from course_tests.classroom import cohort

SET = "ps01-scalar-chain"


@pytest.fixture(scope="session", autouse=True)
def a_machine_that_may_grade() -> None:
    """Skips where submissions would run as root: a container without namespaces, for one."""
    try:
        sandbox.isolation()
    except PermissionError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def first() -> master.Master:
    return master.load(SET)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = layout.lay_out(tmp_path_factory.mktemp("classroom") / "course")
    assert [name for name, _ in releasing.release(folder, [SET])] == [SET]
    return folder


@pytest.fixture(scope="module")
def release(course: Path) -> Any:
    return grade.releases(course)[SET]


@pytest.fixture
def solved(first: master.Master, release: Any) -> Any:
    """A student's notebook in which everything is solved."""
    return cohort.submission(first, release, dict.fromkeys(first.problems, cohort.SOLVED), "Why.")


Hand = Callable[..., dict[str, grade.Result]]


@pytest.fixture(scope="module")
def hand_in(course: Path) -> Hand:
    """Collects a folder and grades it; returns student -> result with its remarks."""

    def graded(place: Path, wall: float = grade.WALL) -> dict[str, grade.Result]:
        done = marking.hand_in(course, place, wall=wall)
        return {result.student: result for result in done.results}

    return graded
