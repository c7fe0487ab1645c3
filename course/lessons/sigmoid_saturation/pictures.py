"""Pictures of where units sit on the curve of their activation, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Levels, length, places

Array = NDArray[np.float64]
EDGE = 8.0
"""Inputs of units are shown from -EDGE to EDGE; what lies beyond is counted at the edge."""
BINS = np.linspace(-EDGE, EDGE, 65)


class Saturation:
    """Four axes: the curve; below it the units of each layer; the share saturated; gradients."""

    def __init__(self, fig: Figure, axes: Any) -> None:
        (top, flat), (below, back) = axes
        style.margins(fig, left=0.06, right=0.985, bottom=0.135, top=0.95, wspace=0.22, hspace=0.3)
        top.set(title="The curve and its slope", xlim=(-EDGE, EDGE), ylim=(-1.1, 1.1))
        self.curve, self.slope = (
            top.plot([], [], label=name, **{**style.line(k), "marker": ""})[0]
            for k, name in enumerate(("value", "slope"))
        )
        top.legend(loc="upper left", frameon=False, fontsize=9)
        below.set(title="Where the units sit", xlabel="input z of a unit", ylabel="layer")
        self.units = below.imshow(
            np.zeros((1, len(BINS) - 1)), aspect="auto", cmap="Blues",
            norm=PowerNorm(0.5, 0.0, 0.4), interpolation="nearest",
        )  # fmt: skip
        below.grid(False)
        below.set_autoscale_on(False)  # else each new extent of the image sets the limits
        ticks = (-8, -4, 0, 4, 8)
        below.set_xticks(ticks, ["≤ −8", "−4", "0", "4", "≥ 8"])
        below.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        self.rows = below
        self.bounds = [
            [ax.axvline(0, color=style.GREY, linewidth=1, linestyle="--") for _ in range(2)]
            for ax in (top, below)
        ]
        flat.set(title="Saturated units", ylabel="share of the layer", ylim=(-0.03, 1.03))
        flat.yaxis.set_major_formatter(PercentFormatter(1.0))
        style.whole_numbers(flat)
        (self.share,) = flat.plot([], [], **style.line(2))
        self.flat = flat
        back.set(title="Gradients", xlabel="layer", ylabel="size of the gradient")
        self.decades = Decades(back, layers=True)
        self.measured = Levels(self.decades, "measured", 0)
        self.expected = Levels(self.decades, "from the slopes alone", 6)
        self.expected.line.set(marker="", zorder=3)
        fig.legend(
            handles=[self.measured.line, self.expected.line], loc="lower right", ncols=2,
            frameon=False, fontsize=9,
        )  # fmt: skip

    def show_curve(self, z: Array, value: Array, slope: Array, bounds: tuple[float, float]) -> None:
        """z, value, slope: (N,); bounds: where saturation begins, infinite for never."""
        self.curve.set_data(z, value)
        self.slope.set_data(z, slope)
        for pair in self.bounds:
            for guide, place in zip(pair, bounds, strict=True):
                guide.set(xdata=[place] * 2, visible=bool(abs(place) < EDGE))

    def show(self, z: Array, saturated: Array, gradient: Array, expected: Array) -> None:
        """z: (L, N), the inputs of the units of each layer; the others (L,)."""
        layers = len(z)
        clipped = np.clip(z, BINS[0] + 1e-9, BINS[-1] - 1e-9)
        counts = np.array([np.histogram(row, BINS)[0] for row in clipped])
        self.units.set_data(counts / z.shape[1])
        self.units.set_extent((-EDGE, EDGE, layers + 0.5, 0.5))
        style.limits(self.rows, xlim=(-EDGE, EDGE), ylim=(length(layers) + 0.5, 0.5))
        style.limits(self.flat, xlim=(0, 1.02 * length(layers)))
        self.share.set_data(np.arange(1, layers + 1), saturated)
        self.share.set_markevery(places(layers))
        self.measured.show(gradient)
        self.expected.show(expected)


def accuracies(
    ax: Axes, x: Any, runs: Mapping[str, Any], *, xlabel: str, log: bool = False
) -> None:
    """Shares (training accuracies) against x: their mean and band, and where guessing is.

    x: (N,); runs: by name an array (n, R), for the first n of x. log: of the x axis.
    """
    for k, (name, values) in enumerate(runs.items()):
        curves.mean_band(ax, x[: len(values)], values, label=name, **style.line(k))
    style.guide(ax, 0.1, "guessing", beside=True, linewidth=1, zorder=1)
    ax.set(xlabel=xlabel, ylabel="training accuracy", ylim=(0, 1.04))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    if log:
        ax.set_xscale("log")
        ax.set_xticks(x, [f"{value:g}" for value in x])
        ax.xaxis.set_minor_locator(NullLocator())
    if len(runs) > 1:
        style.legend_beside(ax, loc="upper left", bbox_to_anchor=(1.01, 1.0))
