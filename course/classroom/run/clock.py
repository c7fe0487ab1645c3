"""Seconds that count against a limit: those in which a busy machine gave no processor do not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

MOST = 5  # a limit lasts at most so many times as long by the clock on the wall


class Clock:
    """Starts when it is made; processes: those whose waiting counts, by their numbers.

    Others that they start do not count: who starts hundreds makes all of them wait.
    """

    def __init__(self, processes: Iterable[int] = ()) -> None:
        self._processes = list(processes)
        self._started, self._before = time.monotonic(), waits(self._processes)

    @property
    def seconds(self) -> float:
        """Since the start, less what the thread that waited longest for a processor has waited."""
        wall = time.monotonic() - self._started
        waited = (
            seconds - self._before.get(thread, 0.0)
            for thread, seconds in waits(self._processes).items()
        )
        return max(wall - max(waited, default=0.0), wall / MOST)


def waits(processes: Iterable[int]) -> dict[str, float]:
    """{thread: seconds}, for how long each could have run and had no processor.

    Linux tells: the second number in schedstat, in nanoseconds. Empty on other systems, and for
    processes that have ended.
    """
    found = {}
    for process in processes:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for file in Path(f"/proc/{process}/task").glob("*/schedstat"):
                found[file.parent.name] = int(file.read_text().split()[1]) / 1e9
    return found
