"""Curves of many runs: their mean with a band of standard errors, and each run as a thin line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D

from course.arguments import reject
from course.plots import style

BAND = 0.22
"""How opaque a band is."""
MARKERS = 12
"""About so many a line at most: more would merge into a band."""
Band = tuple[Line2D, PolyCollection, Line2D]
NOTHING = np.empty(0), np.empty((0, 1))
"""For `move_band`, where there is nothing to show: x and values."""


def mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error over the last axis, of the finite values only.

    values (..., R) -> two arrays (...). The standard error is the standard deviation (with R - 1)
    over the square root of R; 0 for one value; both are NaN where no value is finite.
    """
    values = np.asarray(values, dtype=float)
    finite = np.isfinite(values)
    count = finite.sum(axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.where(finite, values, 0.0).sum(axis=-1)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        squares = np.where(finite, (values - mean[..., None]) ** 2, 0.0).sum(axis=-1)
        error = np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1))
    return mean, np.where(count > 0, error, np.nan)


def mean_band(
    ax: Axes, x: Any, values: Any, *, label: str = "", errors: float = 1.0, **line: Any
) -> Band:
    """The mean of R runs against x, with a band of `errors` standard errors on each side.

    x: (N,); values: (N, R); line: keywords for the line, e.g. ``**style.architecture("plain")``.
    Where a run is NaN or infinite, the mean is that of the others, and a cross at the upper edge of
    the axes says so; of many in a row there are at most `MARKERS`. Returns (line, band, crosses);
    `move_band` gives them new values.
    """
    x, values = _checked(x, values)
    mean, error = mean_and_error(values)
    (curve,) = ax.plot(x, mean, label=label, **line)
    band = ax.fill_between(
        x, mean - errors * error, mean + errors * error,
        color=curve.get_color(), alpha=BAND, linewidth=0, zorder=curve.get_zorder() - 0.5,
    )  # fmt: skip
    (crosses,) = ax.plot(
        *_broken(x, values), linestyle="", marker="x", markersize=7, color=curve.get_color(),
        transform=ax.get_xaxis_transform(), clip_on=False, label="_not finite",
    )  # fmt: skip
    crosses.set_in_layout(False)  # it lies on the edge, and may be empty
    return curve, band, crosses


def move_band(artists: Band, x: Any, values: Any, *, errors: float = 1.0) -> None:
    """Give what `mean_band` returned new values, in place: for live figures. See `NOTHING`."""
    curve, band, crosses = artists
    x, values = _checked(x, values)
    mean, error = mean_and_error(values)
    curve.set_data(x, mean)
    curve.set_markevery(max(1, -(-len(x) // MARKERS)))
    band.set_verts([outline(x, mean - errors * error, mean + errors * error)])
    crosses.set_data(*_broken(x, values))


def empty_band(ax: Axes, **line: Any) -> Band:
    """A `mean_band` with nothing in it yet: `move_band` gives it values."""
    return mean_band(ax, *NOTHING, **line)


def empty_bands(ax: Axes, lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Band]:
    """An `empty_band` for each name; lines: keywords for the line of each."""
    return {name: empty_band(ax, label=name, **line) for name, line in lines.items()}


def by_depth(
    ax: Axes,
    x: Any,
    values: Mapping[str, np.ndarray],
    *,
    expected: Mapping[str, np.ndarray] | None = None,
    xlabel: str = "depth",
    ylabel: str = "",
    beside: bool = False,
) -> None:
    """A line with a band of standard errors for each name, (N, R), and a legend.

    expected: closed forms by the same names, (N,), in black. beside: the legend right of the axes.
    """
    for k, (name, runs) in enumerate(values.items()):
        line = style.line(k)
        if expected is not None:
            line |= {"linestyle": "", "markersize": 6}
            ax.plot(x, expected[name], color="black", linewidth=1.0, zorder=1.5)
        mean_band(ax, x, runs, label=name, **line)
    if expected is not None:
        ax.plot([], [], **style.formula(), label="closed form")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    style.whole_numbers(ax)
    if beside:
        style.legend_beside(ax, 1.01)
    else:
        ax.legend(frameon=False, fontsize=9)


def outline(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The polygon between two curves, each (N,), where both are finite: points (2N, 2)."""
    finite = np.isfinite(low) & np.isfinite(high)
    upper = np.stack([x, high], 1)[finite]
    return np.concatenate([np.stack([x, low], 1)[finite], upper[::-1]])


def _checked(x: Any, values: Any) -> tuple[np.ndarray, np.ndarray]:
    x, values = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
    if x.ndim != 1 or values.ndim != 2 or len(values) != len(x):
        raise reject("shape of values", values.shape, f"({len(np.atleast_1d(x))}, runs)")
    return x, values


def _broken(x: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Crosses where a run is not finite: x, and the upper edge in axes' units.

    One at the first of each row, and at one in 1, 2, 4, ... of all: as a run grows, none moves.
    """
    places = np.flatnonzero(~np.isfinite(values).all(axis=1))
    shown = np.diff(places, prepend=-2) > 1
    shown[:: 1 << ((len(places) - 1) // MARKERS).bit_length()] = True
    return x[places[shown]], np.ones(shown.sum())
