"""A class of a hundred, and every set for real: slow, so left out of the default run."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from course.classroom import master
from course.classroom.folder import CourseFolder
from course.classroom.grade import rounds
from course.classroom.release import release
from course_tests.classroom import cohort

pytestmark = [pytest.mark.grading, pytest.mark.slow, pytest.mark.timeout(3600)]


def test_a_hundred_students_get_what_they_should(tmp_path: Path) -> None:
    """Each graded cell of each of 100 submissions, in parallel, as known by construction."""
    one = master.load("ps01-scalar-chain")
    course = CourseFolder.lay_out(tmp_path / "course")
    list(release(course, [one.name]))
    released = course.releases()[one.name]
    expected = cohort.cohort(one, released, tmp_path / "download", size=100)
    done = rounds.hand_in(course, tmp_path / "download")
    assert len(done.results) == 100
    for result in done.results:
        assert result.status == "graded", result
        cells = expected[result.student]
        assert {k: v for k, v in result.cells.items() if k in cells} == cells, result.student


@pytest.mark.parametrize("name", master.names())
def test_every_choice_of_every_set_through_nbgrader(name: str, tmp_path: Path) -> None:
    """Solution, untouched and each known mistake: kernel, sandbox and nbgrader agree."""
    one = master.load(name)
    course = CourseFolder.lay_out(tmp_path / "course")
    list(release(course, [name]))
    released = course.releases()[name]
    expected = {}
    solved = dict.fromkeys(one.problems, cohort.SOLVED)
    students = {"solved": solved, "untouched": {}}
    for number, mistake in enumerate(one.of_kind("mistake")):
        students[f"mistake-{number}"] = {**solved, mistake.of: mistake.name}
    for student, chosen in students.items():
        place = tmp_path / "download" / student
        place.mkdir(parents=True)
        nbformat.write(cohort.submission(one, released, chosen), place / f"{name}.ipynb")
        expected[student] = cohort.points(one, chosen)
    for result in rounds.hand_in(course, tmp_path / "download").results:
        cells = expected[result.student]
        assert {k: v for k, v in result.cells.items() if k in cells} == cells, result
