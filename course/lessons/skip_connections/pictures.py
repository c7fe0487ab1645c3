"""Pictures of what skip connections pass on: signal, gradients and neighbours, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Levels
from course.plots.style import guessing

Array = NDArray[Any]


class Passage:
    """Three axes for one network: what is kept of the signal, gradients, nearest neighbours."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], classes: int) -> None:
        left, middle, right = axes
        left.set(title="Forward: kept of the signal", xlabel="block", ylabel="share of $h_0$")
        middle.set(title="Backward: gradients", xlabel="block", ylabel="size of the gradient")
        right.set(title="Nearest neighbours", ylabel="same class (%)", ylim=(0, 103))
        right.set_xlabel("block (0: the stem)")
        right.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        self.kept_axis, self.gradient_axis = Decades(left, low=2), Decades(middle, low=2, high=2)
        self.kept = Levels(self.kept_axis, "measured", 0)
        self.gradients = Levels(self.gradient_axis, "gradient", 1)
        (self.formula,) = left.plot([], [], color="black", linewidth=1.2, label="closed form")
        self.right, look = right, style.line(2)
        self.near = curves.mean_band(right, [0], np.full((1, 1), np.nan), **look)
        guessing(right, 100 / classes)
        fig.legend(
            handles=[self.kept.line, self.formula],
            loc="outside lower center", ncols=2, frameon=False, fontsize=9,
        )  # fmt: skip

    def show(
        self, kept: Array, form: Array, gradients: Array, places: Array, neighbours: Array
    ) -> None:
        """kept, form and gradients (L,) of blocks 1 to L; places (P,) and neighbours (P, R)."""
        blocks = np.arange(1, len(kept) + 1)
        self.kept.show(kept, below=1e-30)
        shown = np.where(form > 0, form, np.nan)
        self.formula.set_data(blocks, shown)
        self.kept_axis.fit("closed form", shown, blocks)
        self.gradients.show(gradients)
        curves.move_band(self.near, places, 100 * neighbours)
        if self.right.get_xlim()[1] != max(places) + 0.5:
            self.right.set_xlim(-0.5, max(places) + 0.5)


def correlations(ax: Axes, lags: Sequence[int], found: Mapping[str, Array]) -> None:
    """Correlation of gradients against distance: (lags, R) by the name of an architecture."""
    others = iter((6, 5))
    for name, values in found.items():
        known = name in style.ARCHITECTURES
        look = style.architecture(name) if known else style.line(next(others))
        curves.mean_band(ax, list(lags), values, label=name, **look)
    ax.axhline(0, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.set(xlabel="places apart, of 256", ylabel="correlation of gradients", ylim=(-0.4, 1.05))
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))


def gates(
    axes: Sequence[Axes],
    found: Mapping[str, tuple[Array, Array]],
    blocks: Sequence[int],
    starts: Sequence[float],
) -> None:
    """Mean gate of some blocks (numbered from 1) against the epoch, a panel for each start.

    found: by the name of the start, epochs (N,) and gates (N, R, L). starts: where a gate begins on
    average, for each panel: a black line.
    """
    for k, (ax, (name, (epochs, values))) in enumerate(zip(axes, found.items(), strict=True)):
        ax.axhline(starts[k], color="black", linewidth=1.0, label="closed form, start")
        for j, block in enumerate(blocks):
            curves.mean_band(
                ax, epochs, values[:, :, block - 1], label=f"block {block}", **style.line(j)
            )
        ax.set(title=name, xlabel="epoch", ylim=(0, 0.5))
        if k == 0:
            ax.set_ylabel("gate T, mean")
            ax.legend(frameon=False, fontsize=9, loc="upper left")


def side_by_side(
    fig: Figure, axes: Sequence[Axes], profiles: Mapping[str, Any], classes: int
) -> None:
    """Networks before training: gradients by block, effective rank and neighbours by layer.

    profiles: by the name of an architecture, with gradients (L + 1, R), places (P,), rank and
    neighbours (P, R) as attributes.
    """
    left, middle, right = axes
    for name, profile in profiles.items():
        line = {**style.architecture(name), "label": name}
        sizes = profile.gradients[1:]
        curves.mean_band(left, np.arange(1, len(sizes) + 1), sizes, **{**line, "marker": ""})
        curves.mean_band(middle, profile.places, profile.rank, **line)
        curves.mean_band(right, profile.places, 100 * profile.neighbours, **line)
    left.set(title="Gradients", xlabel="block", ylabel="size of the gradient", yscale="log")
    middle.set(title="Effective rank", ylabel="directions in use", ylim=(0, None))
    right.set(title="Nearest neighbours", ylabel="same class (%)", ylim=(0, 103))
    for ax in (middle, right):
        ax.set_xlabel("block (0: the stem)")
    guessing(right, 100 / classes)
    handles, names = left.get_legend_handles_labels()
    fig.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
