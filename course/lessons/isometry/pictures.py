"""Pictures of a Jacobian: its singular values by rank, and their spread by depth."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.lessons.products.pictures import MARGINS, formula_line, sizes
from course.plots import style
from course.plots.decades import Decades, Levels

Array = NDArray[np.float64]


class JacobianPicture:
    """Left: singular values of the Jacobian by rank. Right: their spread, by depth."""

    LEAST, MOST = 1e-4, 1e3

    def __init__(self, fig: Figure, axes: Any) -> None:
        style.margins(fig, bottom=0.22, **MARGINS)
        left, right = axes
        left.set(title="Singular values of the Jacobian", xlabel="rank", ylabel="singular value")
        right.set(
            title="How uneven they are", xlabel="depth", ylabel="spread: variance of $s^2$/mean",
            yscale="log", xscale="log", xlim=(0.9, 110), ylim=(self.LEAST, self.MOST),
        )  # fmt: skip
        self.axis = Decades(left)
        self.ranks = Levels(self.axis, "measured", 0)
        (self.points,) = right.plot([], [], label="measured", **{**style.line(0), "linestyle": ""})
        self.formula = formula_line(right, label="closed form, at critical weights")
        (self.here,) = right.plot(
            [], [], marker="o", markersize=11, markerfacecolor="none", color=style.PALETTE[1],
            clip_on=False,
        )  # fmt: skip
        self.points.set_clip_on(False)
        self.below = right.text(0.05, 0.06, "", transform=right.transAxes, color=style.GREY)
        self.below.set(fontsize=9, in_layout=False)
        style.legend_below(fig, [self.points, self.formula])

    def show(
        self, log10: Array, depths: Array, spreads: Array, formula: Array, depth: int, now: float
    ) -> None:
        """log10: (n,), -inf for what is lost; spreads, formula: (len(depths),).

        What is below the axes lies on their edge, with words.
        """
        self.ranks.show(sizes(log10), nothing="lost")
        self.points.set_data(depths, self._inside(spreads))
        self.formula.set_data(depths, self._inside(formula))
        self.here.set_data([depth], self._inside(np.array([now])))
        low = min(np.min(spreads), np.min(formula)) < self.LEAST
        self.below.set_text("below $10^{-4}$" if low else "")

    def _inside(self, values: Array) -> Array:
        return np.clip(values, 1.15 * self.LEAST, self.MOST)
