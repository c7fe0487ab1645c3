"""Work inside a live figure, a slice of time at each drawing: sliders stay quick meanwhile."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
SLICE = 0.06  # seconds of work between two drawings
FIRST = 0.005  # seconds of work before the first: the picture follows the hand
PAUSE = 0.002


class Slices(Generic[T]):
    """An iterator, such as a training, that is worked off in slices of time.

    items: what it has given so far; done: whether it has ended.
    """

    def __init__(self, source: Iterable[T]) -> None:
        self._source = iter(source)
        self.items: list[T] = []
        self.done = False

    def advance(self, again: Callable[[], None]) -> None:
        """Take the items of a slice, at least one, and have `again` called unless that was the end.

        In a `draw`: ``steps.advance(lambda: panel.again())``; a lambda, for in its first drawing a
        panel has no name yet. Where nobody watches (no loop, COURSE_WAIT=1) all is one slice.
        """
        end = time.monotonic() + _seconds(SLICE if self.items else FIRST)
        while not self.done:
            try:
                self.items.append(next(self._source))
            except StopIteration:
                self.done = True
            if time.monotonic() >= end:  # after one item at the least
                break
        if not self.done:
            asyncio.get_running_loop().call_later(PAUSE, again)


def _seconds(slice_: float) -> float:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return math.inf
    return math.inf if os.environ.get("COURSE_WAIT") == "1" else slice_
