"""One look for every figure: the Okabe-Ito palette, safe for colour-blind readers.

Colour never stands alone: each colour comes with its own line style and marker, so that lines stay
apart in grey print too. Source: Okabe and Ito, "Color Universal Design" (2008).
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots import style

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: tuple[Any, ...] = (
    "-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (1, 1)),
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

ARCHITECTURES = ("resnet", "plain", "van", "highway", "diracnet", "van0", "looks-linear")
"""In this order they take the palette, so a network has the same colour in every notebook."""

GREY = "#6E6E6E"
LIGHT = "#D9D9D9"


def line(k: int) -> dict[str, Any]:
    """Keywords for the k-th line: ``ax.plot(x, y, **style.line(0))``. It repeats after seven."""
    k %= len(PALETTE)
    return {"color": PALETTE[k], "linestyle": DASHES[k], "marker": MARKERS[k], "markersize": 4}


def architecture(name: str) -> dict[str, Any]:
    """Keywords for a network's line, the same in every figure: ``style.architecture("plain")``."""
    return line(ARCHITECTURES.index(name))


def figure(width: float = 8.0, height: float = 3.6, **subplots: Any) -> tuple[Figure, Any]:
    """A figure with axes (as ``plt.subplots``), made without pyplot, so that nothing leaks.

    width, height: inches at 100 dots per inch. Returns (figure, axes or array of axes).
    """
    fig = Figure(figsize=(width, height), dpi=100, layout="constrained")
    axes = fig.subplots(**subplots)
    for ax in fig.axes:
        tidy(ax)
    return fig, axes


def tidy(ax: Axes) -> Axes:
    """Drop the frame's top and right side and draw a faint grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=LIGHT, linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def guessing(ax: Axes, percent: float) -> None:
    """A grey line where an answer drawn by chance would be, with its name."""
    ax.axhline(percent, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.text(
        1.0, percent + 1, "guessing ", transform=ax.get_yaxis_transform(),
        ha="right", va="bottom", color=style.GREY, fontsize=8,
    )  # fmt: skip
