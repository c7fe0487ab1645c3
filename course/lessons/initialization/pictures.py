"""Pictures of sizes by weight scale and depth, of order and chaos, and of depth against width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from course.plots import style
from course.plots.decades import Decades, Levels, length

Array = NDArray[np.float64]
STEPS = (1, 2, 4, 8, 16)
"""Decades at which the colour of a map changes, above and below a size of 1."""
EDGES = np.array([-32, *(-step for step in reversed(STEPS)), *STEPS, 32], dtype=float)
OVER = 1
"""Where colours lie: above ticks and labels, which needn't be drawn again with each picture."""
NAMES = ("signal, measured", "signal, theory", "gradient, measured", "gradient, theory")


class Sizes:
    """Three axes: maps of the signal and of the gradient by scale and layer; both at one scale."""

    def __init__(self, fig: Figure, axes: Any, scales: Array) -> None:
        self.scales = scales
        style.margins(fig, left=0.06, right=0.985, bottom=0.36, top=0.92, wspace=0.36)
        forward, backward, profile = axes
        self.maps = [
            _SizeMap(ax, title, scales)
            for ax, title in ((forward, "Signal, forward"), (backward, "Gradient, backward"))
        ]
        box = forward.get_position(), backward.get_position()
        place = fig.add_axes((box[0].x0, 0.13, box[1].x1 - box[0].x0, 0.035))
        bar = fig.colorbar(self.maps[0].image, cax=place, orientation="horizontal")
        bar.set_ticks(EDGES[1:-1].tolist(), labels=[f"$10^{{{edge:.0f}}}$" for edge in EDGES[1:-1]])
        if bar.solids is not None:
            bar.solids.set_zorder(OVER)
        bar.set_label("size (colours: measured; black lines: where theory has these edges)")
        profile.set(title="At the weight scale chosen", xlabel="layer", ylabel="size")
        self.decades = Decades(profile, layers=True)
        self.levels = [
            Levels(self.decades, name, k) for name, k in zip(NAMES, (0, 6, 1, 2), strict=True)
        ]
        for k in (1, 3):
            self.levels[k].line.set(marker="", zorder=3)
        for k in (0, 2):
            self.levels[k].line.set(linestyle="", markersize=3)
        fig.legend(
            handles=[levels.line for levels in self.levels], loc="lower right",
            bbox_to_anchor=(0.985, 0.0), frameon=False, fontsize=9,
        )  # fmt: skip

    def show_maps(self, measured: tuple[Array, Array], expected: tuple[Array, Array]) -> None:
        """Signal and gradient, each (G, L): by weight scale, at layers 1 ... L."""
        for picture, *sizes in zip(self.maps, measured, expected, strict=True):
            picture.show(*sizes)

    def show_scale(self, scale: float, profiles: tuple[Array, Array, Array, Array]) -> None:
        """The sizes at one scale, each (L,), in the order of NAMES."""
        for picture in self.maps:
            picture.guide.set_xdata([scale, scale])
        for levels, values in zip(self.levels, profiles, strict=True):
            levels.show(values)


class _SizeMap:
    """Decades of a size by weight scale (across) and layer (upwards), with theory's edges."""

    def __init__(self, ax: Axes, title: str, scales: Array) -> None:
        self.ax, self.scales = ax, scales
        ax.grid(False)
        ax.set(title=title, xlabel="weight scale", ylabel="layer")
        self.image = ax.imshow(
            np.zeros((1, len(scales))), aspect="auto", origin="lower", cmap="RdBu_r",
            norm=BoundaryNorm(EDGES, 256), interpolation="nearest", zorder=OVER,
        )  # fmt: skip
        ax.set_autoscale_on(False)  # else each new extent of the image sets the limits
        self.lines = [ax.plot([], [], color="black", linewidth=1.0)[0] for _ in EDGES[1:-1]]
        self.guide = ax.axvline(1.0, color=style.PALETTE[2], linewidth=2, linestyle="--")
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))

    def show(self, measured: Array, expected: Array) -> None:
        """Both (G, L)."""
        half = (self.scales[1] - self.scales[0]) / 2
        layers = measured.shape[1]
        limits = (self.scales[0] - half, self.scales[-1] + half), (0.5, layers + 0.5)
        self.image.set_data(np.clip(_decades(measured), EDGES[0] + 1, EDGES[-1] - 1).T)
        self.image.set_extent((*limits[0], *limits[1]))
        style.limits(self.ax, xlim=limits[0], ylim=(0.5, length(layers) + 0.5))
        theory = _decades(expected)
        for line, edge in zip(self.lines, EDGES[1:-1], strict=True):
            line.set_data(
                [_crossing(self.scales, theory[:, k], edge) for k in range(layers)],
                np.arange(1, layers + 1),
            )


def _decades(sizes: Array) -> Array:
    """log10; zeros and what overflowed far outside, so that they take the colours of the ends."""
    with np.errstate(divide="ignore"):
        return np.nan_to_num(np.log10(sizes), nan=400.0, posinf=400.0, neginf=-400.0)


def _crossing(x: Array, rising: Array, level: float) -> float:
    """Where a rising line first reaches the level; NaN where it doesn't, or comes from 0."""
    above = np.flatnonzero(rising >= level)
    k = above[0] if above.size else 0
    if k == 0 or rising[k - 1] < EDGES[0]:
        return float("nan")
    share = (level - rising[k - 1]) / (rising[k] - rising[k - 1])
    return float(x[k - 1] + share * (x[k] - x[k - 1]))


class Phases:
    """Two axes: order and chaos in the plane of sigma_w and sigma_b; cosines by layer there."""

    def __init__(
        self, fig: Figure, axes: Any, line: tuple[Array, Array], pairs: int, limits: Any
    ) -> None:
        """line: (sigma_w, sigma_b) where chi = 1; limits: the largest of both."""
        style.margins(fig, left=0.07, right=0.98, bottom=0.14, top=0.91, wspace=0.2)
        plane, self.angles = axes
        across, up = line
        plane.set(
            title="Where you are", xlabel=r"weights: $\sigma_w$", ylabel=r"biases: $\sigma_b$",
            xlim=(-0.05, limits[0] * 1.02), ylim=(-0.03, limits[1] * 1.03),
        )  # fmt: skip
        plane.fill_betweenx(up, -0.05, across, color=style.PALETTE[5], alpha=0.25, linewidth=0)
        plane.fill_betweenx(up, across, 9.0, color=style.PALETTE[4], alpha=0.25, linewidth=0)
        plane.plot(across, up, color="black", linewidth=1.5)
        for x, words in ((0.25, "order"), (0.8, "chaos")):
            plane.text(x, 0.5, words, transform=plane.transAxes, fontsize=12, ha="center")
        (self.point,) = plane.plot([], [], marker="o", markersize=9, color=style.PALETTE[1])
        self.angles.set(
            title="Two inputs on their way", xlabel="layer", ylabel="cosine of the two",
            ylim=(-0.8, 1.06),
        )  # fmt: skip
        self.angles.axhline(0.0, color=style.GREY, linewidth=0.8)
        thin = {"color": style.PALETTE[0], "linewidth": 0.9, "alpha": 0.75}
        self.pairs = [self.angles.plot([], [], **thin)[0] for _ in range(pairs)]
        self.pairs[0].set_label(f"measured: {pairs} pairs, one network")
        (self.theory,) = self.angles.plot(
            [], [], color="black", linestyle="--", linewidth=2, label="theory: infinite width"
        )
        self.angles.legend(loc="lower left", frameon=False, fontsize=9, ncols=2)
        style.whole_numbers(self.angles)

    def show(self, sigma_w: float, sigma_b: float, measured: Array, expected: Array) -> None:
        """measured (pairs, L + 1), expected (L + 1,): from the inputs to layer L."""
        layers = np.arange(len(expected))
        self.point.set_data([sigma_w], [sigma_b])
        for line, values in zip(self.pairs, measured, strict=True):
            line.set_data(layers, values)
        self.theory.set_data(layers, expected)
        style.limits(self.angles, xlim=(0, length(len(expected) - 1)))


def spreads(ax: Axes, ratios: Any, measured: Mapping[str, Any], expected: Any) -> None:
    """Spread over draws against depth / width: ratios (N,), each of the others (N,)."""
    for k, (name, values) in enumerate(measured.items()):
        ax.plot(ratios, values, label=name, **{**style.line(k), "linestyle": ""})
    ax.plot(ratios, expected, label="theory", **{**style.line(6), "marker": ""})
    ax.set(xscale="log", xlabel="depth / width", ylabel="SD of the logarithm", ylim=(0, None))
    ax.set_xticks(ratios, [f"{ratio:.2g}" for ratio in ratios])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.legend(loc="upper left", frameon=False, fontsize=9)


def tents(fig: Figure, axes: Any, x: Any, values: Mapping[int, Any]) -> None:
    """A tent applied 1, 2, ... times: values {times: (N,)} at x (N,), a picture for each."""
    for ax, (times, y) in zip(axes, values.items(), strict=True):
        ax.plot(x, y, color=style.PALETTE[0], linewidth=1.5)
        ax.set(title=f"{times} layer{'s' * (times > 1)}", xlabel="x", ylim=(-0.05, 1.1))
    axes[0].set_ylabel("output")
