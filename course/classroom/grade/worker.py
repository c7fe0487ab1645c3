"""Submissions through nbgrader, one after the other, in a process of its own (see `grade`)."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

# Imported once by the fork server, so that each worker starts with them.
import nbgrader.converters
import nbgrader.preprocessors  # noqa: F401
import psutil
from nbgrader.converters.base import NbGraderException

from course.classroom.folder import converter
from course.classroom.run import execute

MEMORY = 4 * 2**30  # bytes of address space for the grader, in case of monstrous messages
_SUBREAPER = 36  # prctl: processes that lost their parent become this one's children


def serve(course: str, line: Connection) -> None:
    """Grades each (set, student) that comes in; answers with {"error", "incidents", ...}."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    _bound_memory()
    warnings.simplefilter("ignore")
    while True:
        try:
            name, student = line.recv()
        except EOFError:
            return
        log = Path(course) / "logs" / name / f"{student}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
        execute.kernel_seconds.clear()
        execute.incidents.clear()
        error = _grade(Path(course), name, student)
        _end_children()
        wall, used = map(sum, zip(*execute.kernel_seconds, (0.0, 0.0), strict=True))
        said = {"error": error, "kernel_seconds": wall, "kernel_cpu": used}
        line.send({**said, "incidents": list(execute.incidents)})


def _grade(course: Path, name: str, student: str) -> str:
    try:
        converter("Autograde", course, name, student).start()
        feedback(course, name, student)
    except Exception as problem:
        logging.exception("not graded")
        if isinstance(problem, NbGraderException):  # says "see above", which is in the log
            return f"nbgrader gave up: see logs/{name}/{student}.log"
        return f"{type(problem).__name__}: {problem}"
    return ""


def feedback(course: Path, name: str, student: str) -> None:
    """Writes the feedback page of a graded submission."""
    converter("GenerateFeedback", course, name, student).start()


def _end_children() -> None:
    """Ends what a submission has left running."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            child.kill()
            child.wait(5)


def _bound_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
