"""Several workers grade at once; one that hangs or dies costs only the submission it was at."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import psutil

from course.classroom.folder import gradebook
from course.classroom.grade.results import Result, nothing, read_scores

WALL = 400.0  # seconds for one submission, kernel, feedback and all


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
    context.set_forkserver_preload(["course.classroom.grade.worker"])
    waiting = list(jobs)[::-1]
    with gradebook(course) as book:  # before the workers, who would race for it
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
    from course.classroom.grade import worker

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
