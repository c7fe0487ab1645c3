"""Grades many submissions side by side: a process and a time limit for each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from course.arguments import reject
from course.classroom.collect import restore
from course.classroom.collect.submissions import Submission
from course.classroom.folder import MARKER, gradebook

# seconds for one submission, kernel, feedback and all


@dataclass
class Result:
    """What became of one submission. status: graded, unreadable, stopped (time) or failed.

    score: points so far; waiting: points of answers in words that nobody has marked yet.
    remarks: on what was handed in; incidents: on how it ran; outdated: answers in words that are
    other ones than those that were marked.
    """

    student: str
    name: str
    set: str
    status: str
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
    def told(self) -> str:
        """Remarks and incidents, as the instructor reads them."""
        again = [f"answer {name!r} is a new one: mark it again" for name in self.outdated]
        return "; ".join([*self.remarks, *self.incidents, *again])


def releases(course: Path, chosen: Iterable[str] = ()) -> dict[str, Any]:
    """Set -> its student notebook, for `chosen` sets or all that were released."""
    known = {p.stem: p for p in sorted((course / "release").glob("*/*.ipynb"))}
    if not known:
        raise reject("course", str(course), "a course with a release: run course assign release")
    for name in chosen:
        if name not in known:
            raise reject("set", name, "one of the released sets: " + ", ".join(known))
    names = list(chosen) or list(known)
    return {name: nbformat.read(known[name], as_version=4) for name in names}


def file_in(course: Path, submission: Submission) -> str:
    """Puts a submission where nbgrader looks for it; returns a digest of work and master."""
    folder = course / "submitted" / submission.student / submission.set
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "timestamp.txt").write_text(f"{submission.when:%Y-%m-%d %H:%M:%S} UTC")
    target = folder / f"{submission.set}.ipynb"
    if submission.notebook is None:
        target.unlink(missing_ok=True)
        return ""
    nbformat.write(submission.notebook, target)
    return digest(course, submission.set, submission.student)


def rewritten(course: Path, submission: Submission) -> list[str]:
    """The answers in words that are other ones than those handed in before."""
    file = course / "submitted" / submission.student / submission.set / f"{submission.set}.ipynb"
    if submission.notebook is None or not file.exists():
        return []

    def answers(notebook: Any) -> dict[str, str]:
        marks = [(cell, cell.metadata.get("nbgrader", {})) for cell in notebook.cells]
        return {
            restore.grade_id(cell): cell.source.strip()
            for cell, mark in marks
            if mark.get("grade") and mark.get("solution")
        }

    old, new = answers(nbformat.read(file, as_version=4)), answers(submission.notebook)
    return [name for name in new if old.get(name, new[name]) != new[name]]


def digest(course: Path, name: str, student: str) -> str:
    """Of what is graded and what it is graded by: equal means that nothing has changed."""
    parts = [course / "submitted" / student / name, course / "source" / name]
    data = b"".join((part / f"{name}.ipynb").read_bytes() for part in parts)
    settings = (course / MARKER).read_bytes()
    return hashlib.sha256(data + settings).hexdigest()


def unreadable(course: Path, submission: Submission) -> Result:
    """The result of a file that is no notebook: on record with 0 points."""
    nothing(course, submission.set, submission.student)
    result = Result(submission.student, submission.name, submission.set, "unreadable")
    read_scores(course, result)
    return result


def nothing(course: Path, name: str, student: str) -> None:
    """Records 0 points for every graded cell of a submission that could not be graded."""
    with gradebook(course) as book:
        book.update_or_create_student(student)
        submission = book.update_or_create_submission(name, student)
        for notebook in submission.notebooks:
            for one in notebook.grades:
                one.auto_score, one.needs_manual_grade = 0.0, False
        book.db.commit()


def read_scores(course: Path, result: Result) -> None:
    """Fills in the points of `result` from the gradebook."""
    with gradebook(course) as book:
        submission = book.find_submission(result.set, result.student)
        result.most = submission.max_score
        result.score, result.waiting = 0.0, 0.0
        for notebook in submission.notebooks:
            for one in sorted(notebook.grades, key=lambda g: g.name):
                known = one.manual_score if one.manual_score is not None else one.auto_score
                result.cells[one.name] = known
                result.score += known or 0.0
                result.waiting += one.max_score if known is None else 0.0


def save(course: Path, results: Iterable[Result]) -> None:
    """Adds results to those on file (logs/results.json), whole or not at all."""
    on_file = {(r.set, r.student): r for r in load(course)}
    on_file |= {(r.set, r.student): r for r in results}
    target = course / "logs" / "results.json"
    part = target.with_suffix(".part")
    part.write_text(json.dumps([asdict(on_file[key]) for key in sorted(on_file)], indent=1))
    os.replace(part, target)


def load(course: Path) -> list[Result]:
    """The results on file, by set and student."""
    target = course / "logs" / "results.json"
    if not target.exists():
        return []
    return [Result(**entry) for entry in json.loads(target.read_text(encoding="utf-8"))]
