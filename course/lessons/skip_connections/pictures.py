"""Pictures of what skip connections pass on: signal, gradients and neighbours, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.lessons.degradation.pictures import BLOCK, neighbours_axes
from course.plots import curves, style
from course.plots.decades import Decades, Formula, Levels, length

Array = NDArray[Any]


class Passage:
    """Three axes for one network: what is kept of the signal, gradients, nearest neighbours."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], classes: int) -> None:
        left, middle, right = axes
        left.set(title="Forward: kept of the signal", xlabel="block", ylabel="share of $h_0$")
        middle.set(title="Backward: gradients", xlabel="block", ylabel="size of the gradient")
        decades = Decades(left, low=2, layers=True)
        self.signal, self.formula = Levels(decades, "measured", 0), Formula(decades)
        self.gradients = Levels(Decades(middle, low=2, high=2, layers=True), "gradient", 1)
        self.right = right
        self.neighbours = curves.empty_band(right, **style.line(2))
        neighbours_axes(right, classes)
        style.whole_numbers(right)
        style.legend_below(fig, [self.signal.line, self.formula.line])

    def show(
        self, signal: Array, form: Array, gradients: Array, places: Array, neighbours: Array
    ) -> None:
        """signal, form and gradients (L,) of blocks 1 to L; places (P,) and neighbours (P, R)."""
        self.signal.show(signal, below=1e-30)
        self.formula.show(form)
        self.gradients.show(gradients)
        curves.move_band(self.neighbours, places, 100 * neighbours)
        end = length(max(places))
        style.limits(self.right, xlim=(-0.02 * end, 1.02 * end))


def correlations(ax: Axes, lags: Sequence[int], measured: Mapping[str, Array]) -> None:
    """Correlation of gradients against distance: (lags, R) by the name of an architecture."""
    others = iter((6, 5))
    for name, values in measured.items():
        known = name in style.ARCHITECTURES
        line = style.architecture(name) if known else style.line(next(others))
        curves.mean_band(ax, list(lags), values, label=name, **line)
    ax.axhline(0, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.set(xlabel="places apart, of 256", ylabel="correlation of gradients", ylim=(-0.4, 1.05))
    style.legend_beside(ax)


def gates(
    axes: Sequence[Axes],
    measured: Mapping[str, tuple[Array, Array]],
    blocks: Sequence[int],
    starts: Sequence[float],
) -> None:
    """Mean gate of some blocks (numbered from 1) against the epoch, a panel for each start.

    measured: by the name of the start, epochs (N,) and gates (N, R, L). starts: where a gate
    begins on average, for each panel: a black line.
    """
    for k, (ax, (name, (epochs, values))) in enumerate(zip(axes, measured.items(), strict=True)):
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
    middle.set(title="Effective rank", xlabel=BLOCK, ylabel="directions in use", ylim=(0, None))
    neighbours_axes(right, classes)
    handles, names = left.get_legend_handles_labels()
    fig.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
