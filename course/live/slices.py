"""Work inside a live figure, a little at a time: sliders stay quick meanwhile."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
FIRST = 0.005  # seconds of work before the first drawing: the picture follows the hand
SLICE = 0.015  # seconds of work before the next look whether a control has been moved


class Slices(Generic[T]):
    """An iterator, such as a training, that is worked off in slices of time.

    A `draw` takes the first slice and hands on the rest, ``Caption(..., work=steps.begin())``. Then
    its panel goes on with it, and draws now and then, until it ends or a control is moved.

    items: what it has given so far; done: whether it has ended.
    """

    def __init__(self, source: Iterable[T]) -> None:
        self._source = iter(source)
        self.items: list[T] = []
        self.done = False

    def begin(self) -> Slices[T]:
        """Itself, with a first slice of at least one item; later calls change nothing.

        Where nobody watches (no loop, COURSE_WAIT=1) that is all of it.
        """
        if not self.items and not self.done:
            self._take(FIRST if _watched() else math.inf)
        return self

    def advance(self) -> None:
        """Take the items of another slice, at least one."""
        self._take(SLICE)

    def _take(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.done:
            try:
                self.items.append(next(self._source))
            except StopIteration:
                self.done = True
            if time.monotonic() >= end:  # after one item at the least
                break


def _watched() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return os.environ.get("COURSE_WAIT") != "1"
