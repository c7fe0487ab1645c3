"""What several processes of one test run need, made by the first that asks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from course_tests.repository import tool


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` fills when it is called with it: once in a run, by one process.

    The others wait for it. It is everybody's: who wants to change something in it copies it first.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each worker has its own folder in that of the run
    folder, unfinished = base / name, base / f"{name}.unfinished"
    with FileLock(base / f"{name}.lock"):
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)  # of one that failed
            make(unfinished)
            unfinished.rename(folder)
    return folder


def wheel(factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository, built once in a run, without network."""

    def build(folder: Path) -> None:
        tool("hatchling", "build", "-t", "wheel", "-d", str(folder), check=True)

    (built,) = once(factory, "wheel", build).glob("*.whl")
    return built
