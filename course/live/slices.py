"""Work inside a live figure, a little at a time: sliders stay quick meanwhile."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
SLICE = 0.015  # seconds of work before the next look whether a control has been moved
SENT = 0.040  # seconds before the first: it holds up the picture that is on its way to the page


class Slices(Generic[T]):
    """An iterator, such as a training, that is worked off in slices of time.

    A `draw` shows what there is, nothing at first, and hands it on, ``Caption(..., work=steps)``.
    Then its panel goes on with it, and draws now and then, until it ends or a control is moved.

    source: what gives items, or a function that makes it, called when the first is wanted: the
    picture before a training need not wait until all is ready for it.
    items: what it has given so far; done: whether it has ended.
    """

    def __init__(self, source: Iterable[T] | Callable[[], Iterable[T]]) -> None:
        self._source: Iterator[T] | None = None
        self._given = source
        self.items: list[T] = []
        self.done = False

    def hurry(self) -> bool:
        """Where nobody watches (no loop, COURSE_WAIT=1) do all that is left; whether any was."""
        left = not self.done and not goes_on()
        if left:
            self.advance(math.inf)
        return left

    def advance(self, seconds: float = SLICE) -> None:
        """Take the items of a slice, at least one."""
        end = time.monotonic() + seconds
        if self._source is None:
            self._source = iter(self._given() if callable(self._given) else self._given)
        while not self.done:
            try:
                self.items.append(next(self._source))
            except StopIteration:
                self.done = True
            if time.monotonic() >= end:
                break


def later(seconds: float, call: Callable[..., None], *arguments: Any) -> bool:
    """Have something called in so many seconds; False where nothing can (no loop, plain Python)."""
    try:
        asyncio.get_running_loop().call_later(seconds, call, *arguments)
    except RuntimeError:
        return False
    return True


def goes_on() -> bool:
    """Whether work can go on later: there is a loop, and nobody waits (COURSE_WAIT=1)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return os.environ.get("COURSE_WAIT") != "1"
