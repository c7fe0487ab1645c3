"""Figures that are drawn once: measures of several networks, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from course.plots import style

Array = NDArray[Any]


def cures(axes: Any, panels: Mapping[str, Mapping[str, Array]], logs: tuple[str, ...] = ()) -> None:
    """A panel for each measure and a row for each network: a diamond for the mean, dots for draws.

    panels: {title: {network: (R,)}}, the same networks in each, the first one on top. logs: titles
    of the panels with a logarithmic axis.
    """
    names = list(next(iter(panels.values())))
    for ax, (title, values) in zip(axes, panels.items(), strict=True):
        for row, name in enumerate(names):
            color = style.PALETTE[row % len(style.PALETTE)]
            draws = np.asarray(values[name], dtype=float)
            ax.plot(draws, np.full(len(draws), row), ".", color=color, alpha=0.5)
            ax.plot([draws.mean()], [row], "D", color=color, markersize=7)
        ax.set(title=title, ylim=(len(names) - 0.5, -0.5))
        ax.title.set_fontsize(10)
        if title in logs:
            ax.set_xscale("log")
            ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_yticks(range(len(names)), names if ax is axes[0] else [""] * len(names))
