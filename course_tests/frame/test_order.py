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
