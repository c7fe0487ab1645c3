"""The places of a control that are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets

from course.arguments import reject

MOST = 25
STRIDES = tuple(k * 10**power for power in range(4) for k in (1, 2, 5))
SPECIAL = (-1.0, 0.0, 1.0)
"""Values at which lessons look, if the slider has them."""
DRAWS = 4
SEED = "seed"
SLIDERS = (ipywidgets.IntSlider, ipywidgets.FloatSlider, ipywidgets.FloatLogSlider)


@dataclass(frozen=True)
class Control:
    """A control of an explorer with the values at which it is recorded.

    kind: "slider", "list" or "box". values: what the widget is set to; for the random draw, called
    `SEED`, the seeds. words: of each value, for a list; empty where the numbers speak. first: the
    place in `values` of the first one.
    """

    name: str
    kind: str
    label: str
    tooltip: str
    values: tuple[Any, ...]
    words: tuple[str, ...]
    first: int


def control(name: str, widget: ipywidgets.Widget, most: int = MOST) -> Control:
    """The control `widget` with at most so many stops.

    Raises ValueError for a widget that is no slider, list or box to tick.
    """
    kind = "slider"
    values: Sequence[Any]
    words: Sequence[str] = ()
    if isinstance(widget, ipywidgets.Checkbox):
        kind, values = "box", (False, True)
    elif isinstance(widget, ipywidgets.Dropdown | ipywidgets.SelectionSlider):
        kind = "list" if isinstance(widget, ipywidgets.Dropdown) else "slider"
        words, values = zip(*widget.options, strict=True)
    elif isinstance(widget, SLIDERS):
        values = _thinned(widget, most)
    else:
        raise reject(name, type(widget).__name__, "a slider, a list or a box, to be recorded")
    first = list(values).index(widget.value)
    return Control(
        name, kind, widget.description, widget.tooltip or "", tuple(values), tuple(words), first
    )


def draws(seed: int) -> Control:
    """The random draw as a control: the first seed and some more."""
    seeds = tuple(range(seed, seed + DRAWS))
    words = tuple(f"{k} of {DRAWS}" for k in range(1, DRAWS + 1))
    return Control(SEED, "slider", "random draw", "other random numbers", seeds, words, 0)


def _thinned(widget: Any, most: int) -> list[float]:
    """Values of a slider: round ones, both ends, the first one, and `SPECIAL` ones, in order.

    The widest choice with at most `most` of them.
    """
    log = isinstance(widget, ipywidgets.FloatLogSlider)
    last = round((widget.max - widget.min) / widget.step)
    offset = 0 if log else round(widget.min / widget.step)  # so that multiples are round numbers
    digits = 0 if isinstance(widget, ipywidgets.IntSlider) else 9

    def value(place: int) -> float:
        at = widget.min + place * widget.step
        return widget.base**at if log else round(at, digits) + 0.0

    own = {0, last} | {k for k in range(last + 1) if not log and value(k) in SPECIAL}
    for stride in STRIDES:
        places = own | {k for k in range(last + 1) if (k + offset) % stride == 0}
        values = {value(k) for k in places}
        values = {v for v in values if abs(v - widget.value) > 1e-9 * abs(v)} | {widget.value}
        if len(values) <= max(most, len(own) + 1):
            break
    kind = int if digits == 0 else float
    return sorted(map(kind, values))
