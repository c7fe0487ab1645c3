"""Grades many submissions side by side: a process and a time limit for each."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import nbformat
import psutil

from course.arguments import reject
from course.classroom import layout, mend
from course.classroom.collect import Submission

WALL = 400.0  # seconds for one submission, kernel, feedback and all


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
            mend.grade_id(cell): cell.source.strip()
            for cell, mark in marks
            if mark.get("grade") and mark.get("solution")
        }

    old, new = answers(nbformat.read(file, as_version=4)), answers(submission.notebook)
    return [name for name in new if old.get(name, new[name]) != new[name]]


def digest(course: Path, name: str, student: str) -> str:
    """Of what is graded and what it is graded by: equal means that nothing has changed."""
    parts = [course / "submitted" / student / name, course / "source" / name]
    data = b"".join((part / f"{name}.ipynb").read_bytes() for part in parts)
    settings = (course / layout.MARKER).read_bytes()
    return hashlib.sha256(data + settings).hexdigest()


@dataclass
class _Worker:
    """A process that grades, the line to it, and what it has been at since when."""

    process: Any
    line: Any
    job: tuple[str, str] | None = None
    until: float = 0.0


def grade(
    course: Path, jobs: Iterable[tuple[str, str]], *, workers: int | None = None, wall: float = WALL
) -> Iterator[Result]:
    """Autogrades (set, student) pairs, `workers` at a time; yields each result as it comes.

    A submission that takes more than `wall` seconds, or brings its worker down, ends together with
    everything that it started; another worker takes its place. The default of `workers` is half
    as many again as there are processors: a kernel that starts or ends leaves its processor idle.
    """
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["course.classroom.worker"])
    waiting = list(jobs)[::-1]
    with layout.gradebook(course) as book:  # before the workers, who would race for it
        for student in {student for _, student in waiting}:
            book.update_or_create_student(student)
    cores = os.cpu_count() or 1
    most = min(len(waiting), workers or cores + cores // 2)
    crew: list[_Worker] = []
    try:
        while waiting or any(one.job for one in crew):
            crew += [_hire(context, course) for _ in range(min(most, len(waiting)) - len(crew))]
            for one in crew:
                if one.job is None and waiting:
                    one.job, one.until = waiting.pop(), time.monotonic() + wall
                    one.line.send(one.job)
            ready: list[Any] = wait([one.line for one in crew if one.job], timeout=0.5)
            for one in list(crew):
                said = _heard(one, one.line in ready, wall)
                if one.job is None or said is None:
                    continue
                (name, student), one.job = one.job, None
                if "kernel_seconds" not in said:
                    crew.remove(one)
                    _end(one)
                yield _outcome(course, name, student, said)
    finally:
        for one in crew:
            _end(one)


def _hire(context: Any, course: Path) -> _Worker:
    from course.classroom import worker

    mine, theirs = context.Pipe()
    process = context.Process(target=worker.serve, args=(str(course), theirs), daemon=False)
    process.start()
    theirs.close()
    return _Worker(process, mine)


def _heard(one: _Worker, ready: bool, wall: float) -> dict[str, Any] | None:
    """What a worker said, or why it will say nothing more; None while it works."""
    if ready:
        try:
            said: dict[str, Any] = one.line.recv()
            return said
        except (EOFError, OSError):
            return {"error": "the grader of this submission died"}
    if one.job is not None and time.monotonic() > one.until:
        return {"stopped": f"took longer than {wall:g} s and was stopped"}
    return None


def _end(one: _Worker) -> None:
    """Ends a worker and whatever it started, kernels that went astray included."""
    one.line.close()
    try:
        family = psutil.Process(one.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    if one.job is None and not family:
        one.process.join(timeout=5)
    if one.process.is_alive():
        one.process.kill()
    for child in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    one.process.join()
    one.process.close()


def _outcome(course: Path, name: str, student: str, said: dict[str, Any]) -> Result:
    result = Result(student, "", name, "graded")
    result.incidents = said.get("incidents", [])
    result.kernel_seconds = said.get("kernel_seconds", 0.0)
    result.kernel_cpu = said.get("kernel_cpu", 0.0)
    for status in ("stopped", "error"):
        if said.get(status):
            result.status = "stopped" if status == "stopped" else "failed"
            result.incidents.append(said[status])
            nothing(course, name, student)
    read_scores(course, result)
    return result


def unreadable(course: Path, submission: Submission) -> Result:
    """The result of a file that is no notebook: on record with 0 points."""
    nothing(course, submission.set, submission.student)
    result = Result(submission.student, submission.name, submission.set, "unreadable")
    read_scores(course, result)
    return result


def nothing(course: Path, name: str, student: str) -> None:
    """Records 0 points for every graded cell of a submission that could not be graded."""
    with layout.gradebook(course) as book:
        book.update_or_create_student(student)
        submission = book.update_or_create_submission(name, student)
        for notebook in submission.notebooks:
            for one in notebook.grades:
                one.auto_score, one.needs_manual_grade = 0.0, False
        book.db.commit()


def read_scores(course: Path, result: Result) -> None:
    """Fills in the points of `result` from the gradebook."""
    with layout.gradebook(course) as book:
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
