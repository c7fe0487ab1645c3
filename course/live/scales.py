"""An axis whose limits or ticks have changed: when it can be drawn anew without the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter


def signatures(axes: Iterable[Axes]) -> dict[Axis, list[Any]]:
    """By axis, what its ticks say and where they stand: formatters and locators can be changed."""
    return {axis: _signature(axis) for ax in axes for axis in (ax.xaxis, ax.yaxis)}


def _signature(axis: Axis) -> list[Any]:
    state: list[Any] = []
    for ticker in (axis.major, axis.minor):
        state += [_state(ticker.formatter), _state(ticker.locator)]
        if isinstance(ticker.formatter, FuncFormatter):
            ticks = axis.majorTicks if ticker is axis.major else axis.minorTicks
            state += [ticker.formatter(tick.get_loc(), k) for k, tick in enumerate(ticks)]
    return state


def _state(ticker: Any) -> list[Any]:
    return [
        value.tobytes() if isinstance(value, np.ndarray) else repr(value)
        for value in vars(ticker).values()
    ]


def stands_alone(axis: Axis) -> bool:
    """Whether new limits of an axis change nothing but itself and what is drawn by them.

    Not so with a fixed aspect, with axes inside of these, with a frame that stands at a value, and
    where an exponent may lift the title.
    """
    ax = axis.axes
    frame = (spine.get_position() for spine in ax.spines.values())
    if ax.get_aspect() != "auto" or ax.child_axes or ax.get_axes_locator() is not None:
        return False
    if any(place != ("outward", 0.0) for place in frame):
        return False
    if not any(ax.get_title(side) for side in ("left", "center", "right")):
        return True
    formatter, before = ax.yaxis.get_major_formatter(), ax.yaxis.get_offset_text().get_text()
    places: Any = ax.yaxis.get_majorticklocs()  # an array, as in drawing: it remembers them
    formatter.format_ticks(places)
    low = ax.xaxis.get_ticks_position() == "bottom" == ax.xaxis.get_label_position()
    return low and not before and not formatter.get_offset()


def put_back(ax: Axes, xlim: tuple[float, float], ylim: tuple[float, float]) -> None:
    """The limits that there were; those that still are stay unsaid, or all would be drawn again.

    Whether the axes scale themselves stays as it was.
    """
    if ax.get_xlim() != xlim:
        ax.set_xlim(xlim, auto=None)
    if ax.get_ylim() != ylim:
        ax.set_ylim(ylim, auto=None)


def panels(rescaled: Iterable[Axis]) -> set[Axes]:
    """The axes to which these belong."""
    return {axis.axes for axis in rescaled}


def drawn_by(rescaled: set[Axis], parts: Sequence[Artist]) -> set[Artist]:
    """Those of `parts` that new limits of these axes change: they, and all within their axes."""
    inside = panels(rescaled)
    titles = {text for ax in inside for text in ax.get_children() if type(text) is Text}
    titles -= {text for ax in inside for text in ax.texts}
    still = {*titles, *(ax.patch for ax in inside)}
    return rescaled | {
        part
        for part in parts
        if part.axes in inside and part not in still and not isinstance(part, (Axis, Spine))
    }
