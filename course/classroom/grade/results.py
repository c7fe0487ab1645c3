"""What became of each submission, on file in logs/results.json, and its points in the gradebook."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from course import files
from course.classroom.folder import CourseFolder


@dataclass
class Result:
    """What became of one submission. status: graded, unreadable, stopped (time) or failed.

    when: the time of hand-in (ISO, UTC), "" where an earlier version did not keep it.
    score: points so far; waiting: points of answers in words that nobody has marked yet.
    remarks: on what was handed in; incidents: on how it ran; outdated: answers in words that are
    other ones than those that were marked.
    """

    student: str
    name: str
    set: str
    status: str
    when: str = ""
    score: float = 0.0
    most: float = 0.0
    waiting: float = 0.0
    cells: dict[str, float | None] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    kernel_seconds: float = 0.0
    kernel_cpu: float = 0.0
    digest: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(set, student), by which results are kept."""
        return self.set, self.student

    @property
    def told(self) -> str:
        """Remarks and incidents, as the instructor reads them."""
        again = [f"answer {name!r} is a new one: mark it again" for name in self.outdated]
        return "; ".join([*self.remarks, *self.incidents, *again])


@dataclass
class Outcome:
    """Results by set and student, files that are nobody's, how many submissions stayed as before,
    whose points changed (set, student, before, now), and the tables that were written.

    ungraded: how many submissions Ctrl-C kept from being run.
    """

    results: list[Result] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    skipped: int = 0
    changed: list[tuple[str, str, float, float]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    ungraded: int = 0


def load(course: CourseFolder) -> dict[tuple[str, str], Result]:
    """(set, student) -> the result on file, sorted."""
    path = course.path / "logs" / "results.json"
    if not path.exists():
        return {}
    results = [Result(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    return {result.key: result for result in results}


def save(course: CourseFolder, results: Iterable[Result]) -> None:
    """Adds results to those on file, whole or not at all."""
    on_file = load(course) | {result.key: result for result in results}
    text = json.dumps([asdict(on_file[key]) for key in sorted(on_file)], indent=1)
    files.write_whole(course.path / "logs" / "results.json", text)


def read_points(course: CourseFolder, result: Result) -> None:
    """Fills in the points of `result` from the gradebook."""
    with course.gradebook() as book:
        submission = book.find_submission(result.set, result.student)
        result.most = submission.max_score
        result.score, result.waiting = 0.0, 0.0
        for notebook in submission.notebooks:
            for grade in sorted(notebook.grades, key=lambda grade: grade.name):
                by_hand = grade.manual_score is not None
                points = grade.manual_score if by_hand else grade.auto_score
                result.cells[grade.name] = points
                result.score += points or 0.0
                result.waiting += grade.max_score if points is None else 0.0


def without_points(course: CourseFolder, result: Result) -> Result:
    """`result` with 0 points on record for every graded cell: it could not be graded."""
    with course.gradebook() as book:
        book.update_or_create_student(result.student)
        submission = book.update_or_create_submission(result.set, result.student)
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                grade.auto_score, grade.needs_manual_grade = 0.0, False
        book.db.commit()
    read_points(course, result)
    return result
