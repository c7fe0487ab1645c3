"""Figures of the lesson that are drawn once: growth of gradients by the curve of the units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course.plots import curves, style

Array = NDArray[Any]


def growth_by_curve(
    ax: Axes, names: Sequence[str], forms: Sequence[float], measured: Mapping[str, Array]
) -> None:
    """Growth of gradients per block, a row for each curve: closed form (N,), measured (N, R).

    measured: by the law of the weights. Bars: two standard errors to each side.
    """
    rows = np.arange(len(names))
    for row in rows:
        ax.axhspan(row - 0.42, row + 0.42, color=style.LIGHT, alpha=0.35, linewidth=0, zorder=0)
    ax.vlines(forms, rows - 0.36, rows + 0.36, label="closed form", color=style.ink())
    for k, (law, values) in enumerate(measured.items()):
        mean, error = curves.mean_and_error(values)
        bars = {**style.line(k), "linestyle": "", "capsize": 3}
        ax.errorbar(mean, rows + 0.3 * (k - 0.5), xerr=2 * error, label=law, **bars)
    ax.set_yticks(rows, list(names))
    ax.set(xlabel="growth of gradients per block, going back", ylim=(len(names) - 0.5, -0.5))
    ax.grid(False, axis="y")
    style.legend_beside(ax)
