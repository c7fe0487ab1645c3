"""One submission through nbgrader, in a process of its own: `grade` starts one for each."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# Imported once by the fork server, so that each worker starts with them.
import nbgrader.converters
import nbgrader.preprocessors  # noqa: F401

from course.classroom import judge, layout

MEMORY = 3 * 2**30  # bytes of address space for the grader of one submission
_SUBREAPER = 36  # prctl: processes that lost their parent become this one's children


def run(course: str, name: str, student: str, answer: Connection) -> None:
    """Autogrades one submission and writes its feedback; sends {"error", "kernel_seconds"}."""
    log = Path(course) / "logs" / name / f"{student}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    _bound_memory()
    with log.open("w", encoding="utf-8") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
        warnings.simplefilter("ignore")
        error = _grade(Path(course), name, student)
        answer.send({"error": error, "kernel_seconds": sum(judge.kernel_seconds)})
        answer.close()


def _grade(course: Path, name: str, student: str) -> str:
    try:
        for kind in ("Autograde", "GenerateFeedback"):
            layout.converter(kind, course, name, student).start()
    except Exception as problem:
        logging.exception("not graded")
        return f"{type(problem).__name__}: {problem}"
    return ""


def _bound_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def feedback(course: Path, name: str, student: str) -> None:
    """Writes the feedback of one submission again, after marks were given by hand."""
    made: Any = layout.converter("GenerateFeedback", course, name, student)
    made.start()
