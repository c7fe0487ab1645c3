"""Loaded by pytest before anything else (see addopts in pyproject.toml), for tests and notebooks.

One thread for each worker: pytest-xdist already uses every core, and printed numbers then do not
depend on how many there are. `-n auto` means half as many workers again as processors, for tests
wait for kernels, servers and pages; the longest files come first, and those that need JupyterLab
share one (order.py). COURSE_WAIT makes a training run in a notebook finish in its cell.

Numbers that were measured stand in marks, ⟨1.207 ± 0.004⟩, which nbval leaves out when it compares
(sanitize.cfg): the call that prints them asserts them.

Property tests try the same examples each time, and have no deadline: a busy machine is no failure.
COURSE_EXAMPLES=random tries others each time and keeps those that failed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import settings

from course_tests import kernels, order, shares

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("COURSE_WAIT", "1")

# Two seconds less for each process that reads notebooks: see course/cli/__init__.py.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("COURSE_EXAMPLES", "same"))


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval read sanitize.cfg, unless the command line names another file."""
    if getattr(config.option, "nbval_sanitize_with", "absent") is None:
        config.option.nbval_sanitize_with = str(Path(__file__).with_name("sanitize.cfg"))
    if getattr(config.option, "nbval", False):
        kernels.install()
    config.option.loadscopereorder = False  # pytest-xdist would put files with many tests first


@pytest.hookimpl(tryfirst=True, optionalhook=True)  # pytest-xdist answers: one to a core
def pytest_xdist_auto_num_workers() -> int | None:
    """What `-n auto` means: half as many again as processors, each with 2 GB of memory."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))  # those that this process may use
    else:
        processors = os.cpu_count() or 1
    return max(1, min(processors + processors // 2, psutil.virtual_memory().total // 2**31))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For `--dist loadfile`: a process gets a file, or the folder that shares a JupyterLab."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = order.unit  # type: ignore[method-assign]
    return scheduler


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Iterator[Any]:
    """Collects without looking for garbage, as imports would again and again: they stay."""
    gc.disable()
    try:
        process = getattr(session.config, "workerinput", None)  # of pytest-xdist
        if process and shares.TESTS in [Path(name).resolve() for name in session.config.args]:
            shares.begin(int(process["workerid"].removeprefix("gw")), process["workercount"])
        return (yield)
    finally:
        gc.freeze()  # what was imported is not looked at in later searches either, nor at the end
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first, where several processes share the files between them."""
    if hasattr(config, "workerinput"):
        seconds = order.stored()
        items.sort(
            key=lambda item: order.place(item.path.relative_to(config.rootpath).as_posix(), seconds)
        )
