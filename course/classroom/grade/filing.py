"""What was handed in, on file in submitted/: where nbgrader looks for it, and what is new in it."""

from __future__ import annotations

import hashlib
from typing import Any

import nbformat

from course import files
from course.classroom.collect import restore
from course.classroom.collect.submissions import Submission
from course.classroom.folder import MARKER, CourseFolder


def put_on_file(course: CourseFolder, submission: Submission) -> None:
    """Writes a submission and its time to submitted/; what cannot be read leaves no notebook."""
    path = course.submitted(submission.set, submission.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    time = f"{submission.when:%Y-%m-%d %H:%M:%S} UTC"
    files.write_whole(path.parent / "timestamp.txt", time)
    if submission.notebook is None:
        path.unlink(missing_ok=True)
    else:
        files.write_whole(path, nbformat.writes(submission.notebook))


def same(course: CourseFolder, submission: Submission) -> bool:
    """Whether this very work is on file already."""
    path = course.submitted(submission.set, submission.student)
    if submission.notebook is None or not path.exists():
        return False
    return bool(path.read_text(encoding="utf-8") == nbformat.writes(submission.notebook))


def rewritten(course: CourseFolder, submission: Submission) -> list[str]:
    """The answers in words that are other ones than those on file."""
    path = course.submitted(submission.set, submission.student)
    if submission.notebook is None or not path.exists():
        return []
    old = answers_in_words(nbformat.read(path, as_version=4))
    new = answers_in_words(submission.notebook)
    return [
        name
        for name, cell in new.items()
        if name in old and old[name].source.strip() != cell.source.strip()
    ]


def answers_in_words(notebook: Any) -> dict[str, Any]:
    """Name -> cell of each answer of a submission that is marked by hand."""
    return {
        restore.grade_id(cell): cell
        for cell in notebook.cells
        for marks in [cell.metadata.get("nbgrader", {})]
        if marks.get("grade") and marks.get("solution")
    }


def digest(course: CourseFolder, name: str, student: str) -> str:
    """Of what is graded and what it is graded by: equal means that nothing has changed."""
    paths = course.submitted(name, student), course.source(name), course.path / MARKER
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
