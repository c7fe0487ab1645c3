"""The pool: what hangs, or brings its process down, costs one submission and leaves nothing."""

from __future__ import annotations

import contextlib
import copy
import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import nbformat
import psutil
import pytest

from course.classroom.folder import CourseFolder
from course.classroom.grade import feedback, pool
from course_tests.classroom.conftest import SET
from course_tests.classroom.test_hostile import prepend

pytestmark = pytest.mark.grading
HANG = "course-pool-test-hang"


def file_in(course: CourseFolder, student: str, notebook: Any) -> tuple[str, str]:
    path = course.submitted(SET, student)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return SET, student


def hanging() -> list[psutil.Process]:
    """The kernels, and what they started, that would hang for ever."""
    return [p for p in psutil.process_iter(["cmdline"]) if HANG in (p.info["cmdline"] or [])]


@contextlib.contextmanager
def watching() -> Iterator[list[int]]:
    """A list that gets the ids of processes that hang while they do."""
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2) and not seen:
            seen.extend(process.pid for process in hanging())

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    done.set()
    thread.join()


def test_what_hangs_is_stopped_with_all_that_it_started(course: CourseFolder, solved: Any) -> None:
    """The others are graded; nothing goes on running."""
    wait = "import time; time.sleep(600)"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {wait!r}, {HANG!r}])"
    config = course.path / "nbgrader_config.py"
    config.write_text(config.read_text().replace("timeout = 20", "timeout = 600"))
    stuck = prepend(copy.deepcopy(solved), code)
    jobs = [file_in(course, "stuck", stuck)]
    for wall in (6, 20, 60):  # until its time is over after it began to hang, on any machine
        with watching() as seen:
            (result,) = pool.grade(course, jobs, wall=wall)
        assert result.status == "stopped" and result.score == 0
        assert result.incidents == [f"took longer than {wall} s and was stopped"]
        if seen:
            break
    assert seen
    assert hanging() == []


def test_a_dead_process_costs_one_submission(
    course: CourseFolder, solved: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as a machine without memory would: another process takes the place."""
    jobs = [file_in(course, "unlucky", solved), file_in(course, "next", solved)]
    monkeypatch.setattr(pool.worker, "grade", die_or_grade)
    results = {r.student: r for r in pool.grade(course, jobs, workers=1)}
    assert results["unlucky"].status == "failed" and results["unlucky"].score == 0
    assert results["unlucky"].incidents == ["the grader of this submission died"]
    assert results["next"].status == "graded" and results["next"].score > 0


def test_workers_start_with_the_templates_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of nbgrader's feedback, compiled; no page has its head from there."""
    monkeypatch.setattr(feedback._Kept, "compiled", {})
    head = feedback.SafePages.head
    importlib.import_module(pool.PRELOAD).make_a_page()
    assert len(feedback._Kept.compiled) > 3 and feedback.SafePages.head == head


grade = pool.worker.grade


def die_or_grade(folder: str, name: str, student: str) -> Any:
    if student == "unlucky" and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return grade(folder, name, student)
