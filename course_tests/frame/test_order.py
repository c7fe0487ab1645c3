"""The order in which several processes take files of tests."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from course_tests import environment, order
from course_tests.repository import ROOT


def test_files_that_share_something_come_first_and_then_the_longest() -> None:
    seconds = {"notebooks/02_b.ipynb": 40.0, "course_tests/site/test_b.py": 9.0, "long.py": 90.0}
    names = ["course_tests/site/test_a.py", "short.py", *seconds, "course_tests/browser/test_a.py"]
    assert sorted(names, key=lambda name: order.place(name, seconds)) == [
        "course_tests/browser/test_a.py", "course_tests/site/test_b.py",
        "course_tests/site/test_a.py", "long.py", "notebooks/02_b.ipynb", "short.py",
    ]  # fmt: skip


class Worker:
    """A process of pytest-xdist, as far as its scheduler sees one."""

    shutting_down = False

    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.tests: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.tests += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def test_files_that_share_a_jupyterlab_go_to_one_process() -> None:
    names = ["browser/test_a", "browser/test_b", "live/test_a", "live/test_b", "live/test_c"]
    tests = [f"course_tests/{name}.py::test_{k}" for name in names for k in range(3)]
    options = {"dist": "loadfile", "tx": ["3*popen"]}
    scheduler = environment.pytest_xdist_make_scheduler(SimpleNamespace(
        getvalue=options.get, option=SimpleNamespace(loadscopereorder=False)), None
    )  # fmt: skip
    workers = [Worker(number) for number in range(3)]
    for worker in workers:
        scheduler.add_node(worker)
    for worker in workers:
        scheduler.add_node_collection(worker, tests)
    scheduler.schedule()
    assert [worker.tests for worker in workers] == [
        [0, 1, 2, 3, 4, 5], [6, 7, 8], [9, 10, 11],
    ]  # fmt: skip
    assert (
        environment.pytest_xdist_make_scheduler(SimpleNamespace(getvalue=lambda _: "load"), None)
        is None
    )


def test_seconds_are_added_up_by_file(tmp_path: Path) -> None:
    report = tmp_path / "times.xml"
    report.write_text(
        """<testsuites><testsuite>
        <testcase classname="course_tests.live.test_live" name="a" time="1.5" />
        <testcase classname="notebooks.02_blow_up.ipynb" name="Cell 0" time="7.25" />
        <testcase classname="course_tests.live.test_live" name="b" time="1" />
        <testcase classname="course_tests.frame.test_claims" name="c" time="0.1" />
        </testsuite></testsuites>"""
    )
    assert list(order.measured(report).items()) == [
        ("notebooks/02_blow_up.ipynb", 7.25), ("course_tests/live/test_live.py", 2.5),
    ]  # fmt: skip


def test_the_files_with_stored_seconds_are_there() -> None:
    seconds = order.stored()
    assert len(seconds) > 20 and [name for name in seconds if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    ("processors", "memory", "workers"), [(2, 24, 3), (4, 16, 6), (64, 16, 8), (2, 4, 2), (1, 1, 1)]
)
def test_auto_means_as_many_workers_as_there_is_work_and_memory_for(
    processors: int, memory: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gigabytes of memory; who names a number in the environment gets that."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(processors), raising=False)
    total = SimpleNamespace(total=memory * 2**30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: total)
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    assert environment.pytest_xdist_auto_num_workers() == workers
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "5")
    assert environment.pytest_xdist_auto_num_workers() is None
