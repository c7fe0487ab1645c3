"""What may be asked for next, computed while nobody waits for it.

While one looks at a picture the kernel is idle, and what comes next is most likely one step away: a
slider's next position, another line of a list, the other state of a box, a new draw. So these are
computed then. Where nobody looks (see `slices.watched`), nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import ipywidgets

from course.live.controls import beside
from course.live.failures import interruptible
from course.live.slices import watched


class Ahead:
    """Calls `compute` with values one step away from those of a panel, one after the other.

    compute: keeps what it returns (`functools.lru_cache`), and `draw` asks it for the same; it
        should take no longer than a drawing, for an event that arrives meanwhile waits for it.
        None: nothing is computed ahead.
    controls: the widgets by name.
    """

    def __init__(
        self, compute: Callable[..., Any] | None, controls: Mapping[str, ipywidgets.Widget]
    ) -> None:
        self._compute, self._controls = compute, dict(controls)
        self._names = list(controls)  # in the order in which they are likely to be moved
        self._around: dict[str, Any] = {}
        self._left: Iterator[dict[str, Any]] = iter(())

    def moved(self, control: ipywidgets.Widget) -> None:
        """The control that was moved last is likely to be moved again."""
        self._names.sort(key=lambda name: self._controls[name] is not control)

    def go_on(self, values: dict[str, Any]) -> bool:
        """Compute the next of what is beside these values; whether one was left.

        An error is not shown: it comes again, with its words, when `draw` asks for the same.
        """
        if self._compute is None or not watched():
            return False
        if values != self._around:
            self._around, self._left = values, self._beside(values)
        for following in self._left:
            with suppress(Exception, KeyboardInterrupt), interruptible():
                self._compute(**following)
            return True
        return False

    def _beside(self, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for name in self._names.copy():
            for value in beside(self._controls[name]):
                yield {**values, name: value}
        if "seed" in values:
            yield {**values, "seed": values["seed"] + 1}
