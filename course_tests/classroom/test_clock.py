"""On a busy machine a cell has more time: it is not the student who lets it wait."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from course.classroom.run import execute
from course.classroom.run.clock import MOST, Clock, waits

told = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="this system does not tell who waits"
)
SPIN = "import os; os.sched_setaffinity(0, {cpu}); print(flush=True)\nwhile True: pass"
SLEEP = "import time; print(flush=True); time.sleep(10**6)"


def begin(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def crowd() -> Iterator[list[int]]:
    """One process that sleeps, and four that share one processor."""
    cpu = min(os.sched_getaffinity(0))
    with ExitStack() as stack:
        processes = [begin(SLEEP), *(begin(SPIN.replace("cpu", str(cpu))) for _ in range(4))]
        for process in processes:
            stack.enter_context(process)
            stack.callback(process.kill)
        yield [process.pid for process in processes]


@told
def test_only_waiting_for_a_processor_is_left_out(crowd: list[int]) -> None:
    asleep, *busy = crowd
    started = time.monotonic()
    sleeping, spinning = Clock([asleep]), [Clock([pid]) for pid in busy]
    together = Clock(busy)
    while (wall := time.monotonic() - started) < 2:
        time.sleep(0.1)
    assert sleeping.seconds > 0.9 * wall
    assert min(clock.seconds for clock in spinning) < 0.6 * wall  # a quarter is theirs
    assert together.seconds < 0.6 * wall
    assert min(clock.seconds for clock in [*spinning, together]) >= wall / MOST


@told
def test_what_ended_or_began_meanwhile_does_no_harm(crowd: list[int]) -> None:
    clock = Clock([*crowd, 2**22 + 1])
    assert len(waits(crowd)) == len(crowd) and waits([2**22 + 1]) == {}
    os.kill(crowd[1], 9)
    assert clock.seconds >= 0
    assert Clock().seconds >= 0


@pytest.mark.parametrize(("seconds", "interrupted"), [(5.0, False), (14.0, False), (19.9, True)])
def test_a_cell_that_had_to_wait_gets_as_long_again(seconds: float, interrupted: bool) -> None:
    judge: Any = execute.Judge()
    calls = []
    judge.km = SimpleNamespace(interrupt_kernel=lambda: calls.append("interrupted"))
    judge.clock = SimpleNamespace(seconds=seconds)
    reply = asyncio.run(judge._async_handle_timeout(20))
    assert (reply is not None, calls) == (interrupted, ["interrupted"] * interrupted)
