"""Figures that are drawn once: spectra by depth, losses by rate, what networks say of a plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import curves, style

Array = NDArray[Any]
LEAST = 1e-6  # of an axis of singular values


def spectra(axes: Any, panels: Mapping[str, Mapping[str, Array]]) -> None:
    """Singular values by rank, a panel for each title and a line for each depth.

    panels: {title: {name of a line: log10 of the singular values (R, n)}}; the median of the draws
    is drawn, and what is too small lies on the lower edge.
    """
    for ax, (title, lines) in zip(axes, panels.items(), strict=True):
        for k, (name, log10) in enumerate(lines.items()):
            middle = np.median(np.sort(log10, axis=-1)[..., ::-1], axis=0)
            values = 10.0 ** np.maximum(middle, np.log10(LEAST))
            ax.plot(np.arange(1, len(values) + 1), values, label=name, **{
                **style.line(k), "marker": ""
            })  # fmt: skip
        ax.set(title=title, xlabel="rank", yscale="log", ylim=(LEAST, 100))
    axes[0].set_ylabel("singular value")
    axes[0].legend(frameon=False, fontsize=9)


def by_rate(ax: Axes, rates: Sequence[float], losses: Mapping[str, Array]) -> None:
    """Training loss against the rate, a line for each network with a band of standard errors.

    losses: (rates, R); a rate at which a run broke down has a cross at the upper edge.
    """
    for k, (name, values) in enumerate(losses.items()):
        curves.mean_band(ax, rates, values, label=name, **style.line(k))
    ax.set(xlabel="learning rate", ylabel="training loss", xscale="log", yscale="log")
    style.legend_beside(ax, 1.01)


def regions(
    fig: Figure, axes: Any, says: Mapping[str, Array], x: Array, y: Array, reach: float
) -> None:
    """What each network says of the plane: how likely it holds each place for class 1, in shades.

    says: {title: (side, side)}, from 0 to 1, rows upward, over the square of half side `reach`. x:
    (N, 2), examples with their classes y, drawn on it.
    """
    image: Any = None
    for ax, (title, values) in zip(axes, says.items(), strict=True):
        image = ax.imshow(
            values, origin="lower", extent=(-reach, reach, -reach, reach), cmap="PuOr_r", vmin=0,
            vmax=1, alpha=0.75,
        )  # fmt: skip
        for label, marker in ((0, "o"), (1, "^")):
            points = x[y == label]
            color = style.PALETTE[label]
            ax.plot(*points.T, linestyle="", marker=marker, markersize=3, color=color, alpha=0.8)
        ax.grid(False)
        ax.set(title=title, xticks=[], yticks=[])
        ax.title.set_fontsize(10)
    fig.colorbar(image, ax=list(axes), label='probability of "outer"', shrink=0.85)
