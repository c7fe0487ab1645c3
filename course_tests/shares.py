"""On a fresh clone each process of a test run compiles a share of the modules, for all of them.

Each process imports all files of tests, so that it knows what there is. Where nothing is compiled
yet, all would do it at the same time, and pytest rewrites every `assert`, too: half of what it
takes to collect the tests. So each begins with files of its own, and finds the others done.
"""

from __future__ import annotations

import compileall
import contextlib
import importlib
import sys
from pathlib import Path

import pytest

from course_tests.repository import ROOT

TESTS = ROOT / "course_tests"


def share(worker: int, workers: int, folder: Path, pattern: str) -> list[Path]:
    """Of the files below `folder`, those with which this process begins."""
    return sorted(folder.rglob(pattern))[worker::workers]


def begin(worker: int, workers: int) -> None:
    """Compile a share of the package, then import one of the tests, as pytest does afterwards.

    A file that cannot be imported is left to pytest, which says so. Does nothing where Python
    keeps nothing that it compiles.
    """
    if sys.dont_write_bytecode:
        return
    for path in share(worker, workers, TESTS.with_name("course"), "*.py"):
        compileall.compile_file(path, quiet=2)  # nothing where that is done
    for path in share(worker, workers, TESTS, "test_*.py"):
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(path.stem)
