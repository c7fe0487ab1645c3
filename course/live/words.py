"""A figure in words: for those who cannot see it, and for stored outputs that can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from course.live.figure import LivePanel, live
from course.plots.numbers import number as number
from course.plots.numbers import power as power
from course.plots.numbers import with_error as with_error


def count(n: int, noun: str) -> str:
    """How many there are: "1 layer", "2 layers"."""
    return f"{n} {noun}{'s' * (n != 1)}"


def percents(at: Iterable[int], accuracy: np.ndarray) -> str:
    """Mean accuracies in words, "2: 98 %, 10: 95 %": of shares (N, R) at N depths or sizes."""
    means = 100 * accuracy.mean(1)
    return ", ".join(f"{n}: {percent:.0f} %" for n, percent in zip(at, means, strict=True))


def show(fig: Figure, words: str = "") -> LivePanel:
    """`fig` as a picture with alternative text, which is also shown below it.

    words: what is to be seen, in words; the summary of `in_words` if empty. The last expression of
    a cell: ``show(fig, "The loss falls from 2.3 to 0.1 within 50 steps.")``.
    """
    text = words or in_words(fig)
    return live(fig, lambda: text, reset=False)


def in_words(fig: Figure | Axes) -> str:
    """A figure's text: titles, axes, and for each labelled line its first, last and extreme values.

    Lines without a label (guides) are left out. Numbers are rounded to two digits; what is not
    finite is counted.
    """
    axes = [fig] if isinstance(fig, Axes) else [ax for ax in fig.axes if ax.get_visible()]
    return "\n".join(_axes(ax) for ax in axes)


def _axes(ax: Axes) -> str:
    title = ax.get_title() or ax.get_title("left") or "Picture"
    scales = [("x", ax.get_xscale()), ("y", ax.get_yscale())]
    bent = ", ".join(f"{name} axis {scale}" for name, scale in scales if scale != "linear")
    beside = [other.get_ylabel() for other in ax.get_shared_y_axes().get_siblings(ax)]
    label = ax.get_ylabel() or next(filter(None, beside), "y")  # a shared axis is labelled once
    labels = f"{label} against {ax.get_xlabel() or 'x'}"
    lines = [f"{title}: {labels}{f' ({bent})' if bent else ''}."]
    for line in ax.lines:
        if not str(line.get_label()).startswith("_") and line.get_visible():
            lines.append(f"- {line.get_label()}: {_series(line.get_ydata())}")
    for cloud in ax.collections:
        if isinstance(cloud, PathCollection) and not str(cloud.get_label()).startswith("_"):
            lines.append(f"- {cloud.get_label()}: {len(np.asarray(cloud.get_offsets()))} points")
    for image in ax.images:
        values: Any = np.ma.filled(np.ma.masked_invalid(np.ma.asarray(image.get_array())), np.nan)
        lines.append(f"- image of {' x '.join(map(str, values.shape[:2]))}: {_series(values)}")
    for bars in ax.containers:
        if not str(bars.get_label()).startswith("_") and hasattr(bars, "patches"):
            heights = [bar.get_height() for bar in bars.patches]
            lines.append(f"- {bars.get_label()}: {_series(heights)}")
    return "\n".join(lines)


def _series(values: Any) -> str:
    y = np.asarray(values, dtype=float).ravel()
    finite = y[np.isfinite(y)]
    if not finite.size:
        return f"{y.size} values, none finite" if y.size else "no values"
    lost = f", {y.size - finite.size} not finite" if finite.size < y.size else ""
    if finite.size == 1:
        return f"{number(finite[0])}{lost}"
    first, last, least, largest = map(number, (finite[0], finite[-1], finite.min(), finite.max()))
    return f"{y.size} values from {first} to {last}, least {least}, largest {largest}{lost}"
