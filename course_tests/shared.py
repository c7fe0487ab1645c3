"""What several files of tests share, such as a browser: opened for the first, closed on demand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Generic, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class Shared(Generic[P, T]):
    """What `manager` gives, a function that makes a context: one for all, until it is closed."""

    def __init__(self, manager: Callable[P, AbstractContextManager[T]]) -> None:
        self._manager, self._stack = manager, ExitStack()
        self._open: list[T] = []

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The one that is open, or a new one."""
        if not self._open:
            self._open.append(self._stack.enter_context(self._manager(*args, **kwargs)))
        return self._open[0]

    def close(self) -> None:
        """Close it; the next call opens another."""
        self._open.clear()
        self._stack.close()
