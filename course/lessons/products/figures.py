"""Figures that are drawn once: singular values three ways, directions that are left, a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course import measures
from course.lessons.products import science
from course.plots import style

Array = NDArray[Any]


def by_rank(ax: Axes, log10: Mapping[str, Array], formula: Array) -> None:
    """Powers of ten of singular values (n,) by rank, each way of computing them by its name."""
    ranks = np.arange(1, len(formula) + 1)
    ax.plot(ranks, formula, label="formula", **style.formula())
    for k, (name, values) in enumerate(log10.items()):
        ax.plot(ranks, values, label=name, **{**style.line(k), "linestyle": "", "markersize": 5})
    ax.set(xlabel="rank", ylabel="power of ten")
    style.whole_numbers(ax)
    style.legend_beside(ax)


def directions(
    axes: Sequence[Axes], depths: Sequence[int], spectra: Mapping[int, measures.Spectrum]
) -> None:
    """Left: participation ratio against the number of factors. Right: the largest singular value.

    spectra: for each width those at `depths`, (len(depths), R, n). Lines are formulas for wide
    matrices.
    """
    left, right = axes
    fine = np.geomspace(min(depths), max(depths), 60)
    for k, (width, found) in enumerate(spectra.items()):
        line = {**style.line(k), "linestyle": "", "markersize": 5}
        filled, longest = found.participation_ratio, found.log10[..., 0]
        left.plot(depths, filled.mean(axis=1), label=f"{width} dimensions", **line)
        form = science.directions(fine, width)
        left.plot(fine[form >= 1], form[form >= 1], color=line["color"], linewidth=1.2)
        right.plot(depths, 10 ** longest.mean(axis=1), label=f"{width} dimensions", **line)
    right.plot(fine, science.largest(fine), label="wide, formula", **style.formula())
    left.set(xscale="log", yscale="log", xlabel="factors L", ylabel="participation ratio")
    right.set(xscale="log", yscale="log", xlabel="factors L", ylabel="largest singular value")
    left.set_title("n / (L + 1)")
    right.set(title="It grows, while there is room", ylim=(0.1, 20))
    style.legend_beside(right)


def scale_and_rank(ax: Axes, singular: Mapping[str, Array]) -> None:
    """Products on a map: their scale (root mean square) across, participation ratio upward.

    singular: (R, n) by name; a dot for each draw.
    """
    for k, (name, s) in enumerate(singular.items()):
        scale = np.sqrt(np.mean(s**2, axis=1))
        rank = measures.participation(s)
        ax.plot(scale, rank, label=name, **{**style.line(k), "linestyle": "", "alpha": 0.8})
    ax.set(xscale="log", xlabel="scale", ylabel="directions that count", ylim=(0, 34))
    style.legend_beside(ax)
