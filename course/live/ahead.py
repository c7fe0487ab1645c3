"""What may be asked for next, computed while nobody waits for it.

While one looks at a picture the kernel is idle, and what comes next is most likely one step away:
the next place of the slider that was moved last, another line of a list, the other state of a box.
These are computed as soon as drawing rests, what is beside the other controls (and the next draw)
when it has rested for longer. Where nobody looks (see `slices.goes_on`), and while a run trains in
its thread, nothing is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import ipywidgets

from course.arguments import reject
from course.live.background import training
from course.live.controls import beside
from course.live.failures import interruptible
from course.live.slices import goes_on


class Ahead:
    """Calls `compute` with values one step away from those of a panel, one after the other.

    compute: keeps what it returns (`functools.lru_cache`), and `draw` asks it for the same, as here
        by position; its parameters are some of `draw`'s. It should take no longer than a drawing,
        for an event that arrives meanwhile waits for it. None: nothing is computed ahead.
    controls: the widgets by name.

    Raises ValueError for a parameter of `compute` that is neither a control nor the seed.
    """

    def __init__(
        self, compute: Callable[..., Any] | None, controls: Mapping[str, ipywidgets.Widget]
    ) -> None:
        self._compute, self._controls = compute, dict(controls)
        self._takes = list(inspect.signature(compute).parameters) if compute else []
        if unknown := set(self._takes) - {*controls, "seed"}:
            raise reject("ahead", compute, f"a function of controls, not of {sorted(unknown)}")
        self._last = ""  # the name of the control that was moved last
        self._near: Iterator[tuple[Any, ...]] = iter(())
        self._far: Iterator[tuple[Any, ...]] = iter(())

    def moved(self, control: ipywidgets.Widget | None) -> None:
        """This control has been moved; None: the seed."""
        moved = (name for name, each in self._controls.items() if each is control)
        self._last = next(moved, "seed")

    def begin(self, values: Mapping[str, Any]) -> None:
        """These are drawn now: what is beside them is to come."""
        names = [*self._controls, "seed"] if "seed" in values else list(self._controls)
        self._near = self._beside(values, [name for name in names if name == self._last])
        self._far = self._beside(values, [name for name in names if name != self._last])

    def go_on(self, *, far: bool) -> bool:
        """Compute the next; whether one was left. far: not only beside the control moved last.

        An error is not shown: it comes again, with its words, when `draw` asks for the same.
        """
        if self._compute is None or not goes_on() or training():
            return False
        following = next(self._near, None)
        if following is None and far:
            following = next(self._far, None)
        if following is None:
            return False
        try:
            with suppress(Exception), interruptible():
                self._compute(*following)
        except KeyboardInterrupt:
            self._near = self._far = iter(())
        return True

    def _beside(self, values: Mapping[str, Any], names: list[str]) -> Iterator[tuple[Any, ...]]:
        """What `compute` gets there, unless it is what it has got for `values`."""
        for name in names:
            if name in self._takes:
                there = [values[name] + 1] if name == "seed" else beside(self._controls[name])
                for value in there:
                    yield tuple(({**values, name: value})[each] for each in self._takes)
