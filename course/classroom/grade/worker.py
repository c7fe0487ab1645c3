"""One submission after the other through nbgrader, in a process of the pool (see `pool`)."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import warnings
from typing import Any

# Imported once by the fork server, so that each worker starts with them.
import nbgrader.converters
import nbgrader.preprocessors  # noqa: F401
import psutil
from nbgrader.converters.base import NbGraderException

from course.classroom.folder import CourseFolder
from course.classroom.grade.results import Result, read_points, without_points
from course.classroom.run import execute

MEMORY = 4 * 2**30  # bytes of address space for the grader, in case of monstrous messages
_SUBREAPER = 36  # prctl: processes that lost their parent become this one's children


def start() -> None:
    """Prepares a process of the pool: bounded memory, and strays that it can find and end."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGTERM, _leave)  # the pool's way to end a worker
    warnings.simplefilter("ignore")


def grade(folder: str, name: str, student: str) -> Result:
    """The result of autograding what `student` handed in for set `name`; feedback is written."""
    course, result = CourseFolder(folder), Result(student, "", name, "graded")
    log = course.log(name, student)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
    execute.kernel_seconds.clear()
    execute.incidents.clear()
    error = _autograde(course, name, student)
    end_family()
    result.kernel_seconds = sum(wall for wall, _ in execute.kernel_seconds)
    result.kernel_cpu = sum(used for _, used in execute.kernel_seconds)
    result.incidents = list(execute.incidents)
    if error:
        result.status = "failed"
        result.incidents.append(error)
        return without_points(course, result)
    read_points(course, result)
    return result


def _autograde(course: CourseFolder, name: str, student: str) -> str:
    """ "" where it was graded, or why it was not."""
    try:
        course.converter("Autograde", name, student).start()
        course.converter("GenerateFeedback", name, student).start()
    except Exception as problem:
        logging.exception("not graded")
        if isinstance(problem, NbGraderException):  # says "see above", which is in the log
            return f"nbgrader gave up: see logs/{name}/{student}.log"
        return f"{type(problem).__name__}: {problem}"
    return ""


def end_family() -> None:
    """Ends what submissions have left running: children, their children, and orphans."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            child.kill()
            child.wait(5)


def _leave(*_: Any) -> None:
    end_family()
    os._exit(1)
