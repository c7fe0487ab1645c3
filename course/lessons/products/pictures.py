"""Pictures of how products of maps stretch space: singular values by rank, sheets."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Formula, Levels

Array = NDArray[np.float64]
LOST = -300.0  # log10 of what has no place on an axis of sizes


def sizes(log10: ArrayLike) -> Array:
    """Numbers from their logarithms, and 0 where they are too small to draw."""
    logs = np.asarray(log10, dtype=float)
    return np.where(logs > LOST, 10.0 ** np.clip(logs, LOST, -LOST), 0.0)


MARGINS = {"left": 0.085, "right": 0.985, "top": 0.92, "wspace": 0.26}


def formula_line(ax: Axes, **line: Any) -> Line2D:
    """An empty black line: what a closed form says."""
    return ax.plot([], [], **{**style.formula(), "zorder": 3, **line})[0]


class Product:
    """Left: singular values by rank. Right: the share of them below some thresholds, by depth."""

    def __init__(self, fig: Figure, axes: Any, thresholds: tuple[float, ...]) -> None:
        style.margins(fig, bottom=0.22, **MARGINS)
        left, right = axes
        left.set(title="Singular values of the product", xlabel="rank", ylabel="singular value")
        right.set(
            title="How many are below", xlabel="number of factors",
            ylabel="share of the singular values", ylim=(-0.03, 1.03),
        )  # fmt: skip
        style.whole_numbers(right)
        self.axis = Decades(left)
        self.measured = Levels(self.axis, "measured, each value", 0)
        self.measured.line.set_linestyle("")
        self.formula = Formula(self.axis, "closed form, for many factors")
        self.formula.line.set_zorder(3)
        self.curves, self.points = [], []
        for k, threshold in enumerate(thresholds, start=1):
            line = style.line(k)
            name = f"below $10^{{{np.log10(threshold):.0f}}}$"
            (curve,) = right.plot([], [], label=name, **{**line, "marker": ""})
            (point,) = right.plot([], [], **{**line, "linestyle": "", "markersize": 8})
            self.curves.append(curve)
            self.points.append(point)
        self.right = right
        style.legend_below(fig, [self.measured.line, self.formula.line, *self.curves])

    def show(
        self, log10: Array, formula: Array, depths: Array, expected: Array, depth: int, now: Array
    ) -> None:
        """log10, formula: (n,) by rank. expected: (thresholds, depths); now: (thresholds,)."""
        self.measured.show(sizes(log10))
        self.measured.line.set_markevery(None)  # each value, as the legend says: there is no line
        self.formula.show(sizes(formula))
        for curve, point, line, value in zip(self.curves, self.points, expected, now, strict=True):
            curve.set_data(depths, line)
            point.set_data([depth], [value])
        style.limits(self.right, xlim=(0, depths[-1] + 2))


class SheetPicture:
    """Left: a square after so many maps, a colour for each quarter. Right: how thin it is."""

    def __init__(self, fig: Figure, axes: Any, expected: Array) -> None:
        style.margins(fig, bottom=0.12, **MARGINS)
        left, right = axes
        self.left = left
        left.set(title="The sheet", xlabel="first unit", ylabel="second unit", aspect="equal")
        left.set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6))
        dots: dict[str, Any] = {"linestyle": "", "marker": ".", "markersize": 2.5}
        self.quarters = [left.plot([], [], color=style.PALETTE[k], **dots)[0] for k in range(4)]
        depths = np.arange(len(expected))
        right.set(
            title="Width over length", xlabel="number of maps", ylabel="$s_2/s_1$ of the Jacobian",
            yscale="log", xlim=(-1, len(expected)), ylim=(1e-20, 10),
        )  # fmt: skip
        self.band = right.fill_between(
            [0], [1], [1], color=style.PALETTE[0], alpha=curves.BAND, linewidth=0
        )
        line = {**style.line(0), "marker": ""}
        (self.line,) = right.plot([], [], label="measured, mean over the sheet", **line)
        formula = formula_line(
            right, linestyle=(0, (4, 2)), label="closed form: halved by each map"
        )
        formula.set_data(depths[1:], 10.0 ** expected[1:])
        (self.here,) = right.plot([], [], marker="o", markersize=9, color=style.PALETTE[0])
        right.legend(loc="lower left", frameon=False, fontsize=9)

    def show(self, quarters: Array, ratio: Array, depth: int) -> None:
        """quarters: (4, N, 2), the points now; ratio: (D+1, M), log10 of s_2/s_1."""
        for dots, points in zip(self.quarters, quarters, strict=True):
            dots.set_data(*points.T)
        depths = np.arange(len(ratio))
        low, high = np.quantile(ratio, [0.1, 0.9], axis=1)
        middle = 10.0 ** ratio.mean(axis=1)
        self.band.set_verts([curves.outline(depths, 10.0**low, 10.0**high)])
        self.line.set_data(depths, middle)
        self.here.set_data([depth], [middle[depth]])
