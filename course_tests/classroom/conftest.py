"""A course folder with one released set, and a way to grade what is handed in to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from course.classroom import master
from course.classroom import release as releasing
from course.classroom.folder import CourseFolder
from course.classroom.grade import pool, rounds
from course.classroom.grade.results import Result
from course.classroom.run import sandbox
from course_tests.classroom import cohort
from course_tests.once import once

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


def copied(factory: pytest.TempPathFactory, name: str, sets: list[str]) -> CourseFolder:
    """A course folder with `sets` released, made once in a run: a copy for each file of tests."""

    def released(folder: Path) -> None:
        new = CourseFolder.lay_out(folder)
        assert [name for name, _ in releasing.release(new, sets)] == sets

    copy = factory.mktemp("classroom") / "course"
    return CourseFolder(shutil.copytree(once(factory, name, released), copy))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> CourseFolder:
    """One with the first set, whose settings a file of tests may change."""
    return copied(tmp_path_factory, "released", [SET])


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> CourseFolder:
    """One with all sets."""
    return copied(tmp_path_factory, "all-released", master.names())


@pytest.fixture(scope="module")
def release(course: CourseFolder) -> Any:
    return course.releases()[SET]


@pytest.fixture
def solved(first: master.Master, release: Any) -> Any:
    """A student's notebook in which everything is solved."""
    return cohort.submission(first, release, dict.fromkeys(first.problems, cohort.SOLVED), "Why.")


Hand = Callable[..., dict[str, Result]]


@pytest.fixture(scope="module")
def hand_in(course: CourseFolder) -> Hand:
    """Collects a folder and grades it; returns student -> result with its remarks."""

    def graded(place: Path, wall: float = pool.WALL) -> dict[str, Result]:
        done = rounds.hand_in(course, place, wall=wall)
        return {result.student: result for result in done.results}

    return graded
