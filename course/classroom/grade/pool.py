"""Several submissions at a time; one that hangs or brings its process down costs only itself."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Generator, Iterable
from concurrent.futures import Future, TimeoutError, as_completed
from typing import Any

from pebble import ProcessExpired, ProcessPool

from course.classroom.folder import CourseFolder
from course.classroom.grade import worker
from course.classroom.grade.results import Result, without_points

PRELOAD = "course.classroom.grade.preload"  # a name: this process needs nothing of it
WALL = 1200.0  # seconds for one submission, kernel, feedback and all, on a busy machine too


def grade(
    course: CourseFolder,
    jobs: Iterable[tuple[str, str]],
    *,
    workers: int | None = None,
    wall: float = WALL,
) -> Generator[Result, None, None]:
    """Autogrades (set, student) pairs, `workers` at a time; yields each result as it comes.

    A submission that takes more than `wall` seconds, or brings its process down, ends together
    with everything that it started; another process takes the place. The default of `workers` is
    half as many again as there are processors: a kernel that starts or ends leaves its own idle.
    """
    pairs = list(jobs)
    if not pairs:
        return
    with course.gradebook() as book:  # before the workers, who would race for it
        for student in {student for _, student in pairs}:
            book.update_or_create_student(student)
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    cores = os.cpu_count() or 1
    count = min(len(pairs), workers or cores + cores // 2)
    pool = ProcessPool(count, initializer=worker.start, context=context)
    futures: dict[Future[Result], tuple[str, str]] = {
        pool.schedule(worker.grade, args=(str(course.path), *pair), timeout=wall): pair
        for pair in pairs
    }
    try:
        for future in as_completed(futures):
            yield _result(course, *futures[future], future, wall)
    finally:  # also after Ctrl-C
        pool.stop()
        pool.join()


def _result(
    course: CourseFolder, name: str, student: str, future: Future[Result], wall: float
) -> Result:
    """What the worker answered, or what is on record instead of an answer."""
    try:
        return future.result()
    except TimeoutError:
        status, why = "stopped", f"took longer than {wall:g} s and was stopped"
    except ProcessExpired:
        status, why = "failed", "the grader of this submission died"
    except Exception as problem:
        status, why = "failed", f"{type(problem).__name__}: {problem}"
    return without_points(course, Result(student, "", name, status, incidents=[why]))
