"""Pictures of the scalar chain: sizes per layer on a log axis, and the depth of overflow.

A log axis has no place for zero, for infinity, or for a sign. Here zeros lie in a strip at the
bottom, what overflowed lies in a strip at the top, and negative numbers have hollow squares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from course.plots import style
from course.plots.decades import length, places

Array = NDArray[Any]
HALF_HEIGHTS = (6, 18, 54, 162, 330)
"""The axis reaches from 10^-h to 10^h with the least of these that holds all that is finite."""
FAR = 2 * HALF_HEIGHTS[-1]
STRIP = 0.09  # the share of the axis' height that each strip takes
HEALTHY = 3  # decades: beyond 10^3 we say "explodes", below 10^-3 "vanishes"
SMALL: dict[str, Any] = {"fontsize": 9, "color": style.GREY, "verticalalignment": "center"}


class Magnitudes:
    """Artists on `ax` for one quantity per layer: closed form as a line, measurement as markers.

    k: which colour of the palette. Call `show` to give values.
    The axis is linear in log10 of the size, so that even 10^308 has room above it.
    """

    def __init__(
        self, ax: Axes, title: str, ylabel: str, k: int = 0, beside: Magnitudes | None = None
    ) -> None:
        """beside: another quantity, which has the same scale: the two are to be compared."""
        self.ax, self.half, self.reach = ax, 0, 0.0
        self.together = [self]
        if beside is not None:
            self.together = beside.together
            self.together.append(self)
        ax.set(title=title, xlabel="layer l", ylabel=ylabel, autoscale_on=False)
        style.whole_numbers(ax)
        ax.yaxis.set_major_formatter(lambda exponent, _: f"$10^{{{exponent:.0f}}}$")
        ax.axhspan(HEALTHY, FAR, color=style.PALETTE[1], alpha=0.08, linewidth=0)
        ax.axhspan(-FAR, -HEALTHY, color=style.PALETTE[0], alpha=0.08, linewidth=0)
        self.words = [ax.text(1.02, 0, "", transform=ax.transAxes, **SMALL) for _ in range(5)]
        for height in (STRIP, 1 - STRIP):
            ax.plot([0, 1], [height] * 2, transform=ax.transAxes, color=style.GREY, linewidth=0.8)
        dots: dict[str, Any] = {
            "linestyle": "", "color": style.PALETTE[k], "markersize": 5, "zorder": 2.5,
        }  # fmt: skip
        hollow: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 1.2}
        pinned = {**dots, "transform": ax.get_xaxis_transform()}
        (self.positive,) = ax.plot([], [], marker="o", label="measured, positive", **dots)
        (self.negative,) = ax.plot([], [], marker="s", label="measured, negative", **dots, **hollow)
        (self.zero,) = ax.plot([], [], marker="v", label="measured, exactly 0", **pinned)
        (self.lost,) = ax.plot([], [], marker="^", label="measured, overflow", **pinned)
        (self.formula,) = ax.plot([], [], label="closed form", zorder=3, **style.formula())

    @property
    def artists(self) -> list[Line2D]:
        """For a legend."""
        return [self.formula, self.positive, self.negative, self.zero, self.lost]

    def show(self, formula: ArrayLike, measured: ArrayLike) -> None:
        """formula, measured: (L+1,) numbers for the layers 0 ... L; any sign, 0, inf or nan."""
        f, m = np.asarray(formula, np.float64), np.asarray(measured, np.float64)
        assert f.shape == m.shape and f.ndim == 1
        layers = np.arange(len(f))
        line, points = _exponents(f), _exponents(m)
        exponents = np.abs(np.concatenate([line, points]))
        self.reach = float(np.max(exponents, initial=0.0, where=np.isfinite(exponents)))
        end = length(len(f) - 1)
        style.limits(self.ax, xlim=(-0.02 * end, 1.02 * end))
        reach = max(side.reach for side in self.together)
        for side in self.together:
            side._scale(reach)
        self.formula.set_data(layers, line)
        for artist, which, heights in (
            (self.positive, np.isfinite(m) & (m > 0), points),
            (self.negative, np.isfinite(m) & (m < 0), points),
            (self.zero, m == 0, np.full(len(m), STRIP / 2)),
            (self.lost, ~np.isfinite(m), np.full(len(m), 1 - STRIP / 2)),
        ):
            artist.set_data(layers[which], heights[which])
            artist.set_markevery(places(int(which.sum())))

    def _scale(self, reach: float) -> None:
        """New limits only where needed: a change means that all has to be drawn again."""
        half = next((h for h in HALF_HEIGHTS if reach <= h), HALF_HEIGHTS[-1])
        if half == self.half:
            return
        self.half = half
        edge = half / (1 - 2.5 * STRIP)  # so that the strips stay clear of the curve
        self.ax.set_ylim(-edge, edge)
        self.ax.set_yticks(np.linspace(-half, half, 7))
        band = HEALTHY / edge / 2  # half the height of the healthy band
        heights = {
            "exactly 0": STRIP / 2, "vanishes": min(0.5 - band - 0.04, 0.44), "keeps size": 0.5,
            "explodes": max(0.5 + band + 0.04, 0.56), "overflow ∞": 1 - STRIP / 2,
        }  # fmt: skip
        for text, (word, height) in zip(self.words, heights.items(), strict=True):
            text.set_text(word)
            text.set_y(height)


def _exponents(values: Array) -> Array:
    """log10 of the size, NaN for what has none: zero, infinity, NaN."""
    sizes = np.where(np.isfinite(values) & (values != 0), np.abs(values), np.nan)
    return np.log10(sizes)


def overflow(
    ax: Axes, weights: ArrayLike, predicted: Mapping[str, ArrayLike], measured: Mapping[str, Any]
) -> list[Line2D]:
    """Depth of overflow against weight: a line per precision as predicted, points as measured.

    weights: (N,) above 1. predicted: name -> (N,) depths. measured: name -> {weight: depth}.
    """
    ax.set(xlabel="weight w", ylabel="layer of overflow", yscale="log")
    lines: list[Line2D] = []
    for k, (name, depths) in enumerate(predicted.items()):
        line = style.line(k)
        (curve,) = ax.plot(weights, depths, **{**line, "marker": ""})
        points = {**line, "linestyle": "", "markersize": 6}
        (dots,) = ax.plot(list(measured[name]), list(measured[name].values()), **points)
        curve.set_label(f"{name}, closed form")
        dots.set_label(f"{name}, measured")
        lines += [curve, dots]
    style.legend_beside(ax, 1.01, handles=lines[::-1], fontsize=None)
    return lines
