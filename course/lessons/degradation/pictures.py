"""Pictures of networks of growing depth: accuracy against depth, and what the layers pass on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Formula, Levels, length
from course.plots.style import guessing

Array = NDArray[Any]
PANELS = ("training set", "test set")
BLOCK = "block (0: the stem)"


KINDS = {
    "plain": style.architecture("plain"), "resnet": style.architecture("resnet"),
    "resnet, zero": style.line(2), "plain, W = 1": style.line(3),
}  # fmt: skip
"""Lines of the stacks that learn the identity; the last two have colours of no network here."""


class Accuracies:
    """Two axes, training and test accuracy against depth, a line for each network, to be moved."""

    def __init__(
        self,
        fig: Figure,
        axes: Sequence[Axes],
        names: Sequence[str],
        most: int,
        classes: int,
        lines: Mapping[str, dict[str, Any]],
    ) -> None:
        """lines: keywords for the names that are no architecture."""
        lines = {name: lines.get(name) or style.architecture(name) for name in names}
        self.bands = []
        for ax, panel in zip(axes, PANELS, strict=True):
            ax.set(title=panel, xlabel="depth (hidden blocks)", xlim=(0, most + 1), ylim=(0, 103))
            style.whole_numbers(ax, 7)
            guessing(ax, 100 / classes)
            self.bands.append(curves.empty_bands(ax, lines))
        axes[0].set_ylabel("accuracy (%)")
        handles = [self.bands[0][name][0] for name in names]
        fig.legend(handles=handles, loc="outside right center", frameon=False)

    def show(self, name: str, panel: int, depths: Array, accuracy: Array) -> None:
        """Move a line of panel 0 (training) or 1 (test): depths (N,), accuracy (N, R) as shares."""
        if len(depths):
            curves.move_band(self.bands[panel][name], depths, 100 * accuracy)


class Layers:
    """Three axes for one network: gradients by block, effective rank and neighbours by layer."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], width: int, classes: int) -> None:
        left, middle, right = axes
        left.set(title="Gradients at the start", xlabel="block", ylabel="size of the gradient")
        middle.set(title="Effective rank", ylabel="directions in use", ylim=(0, width + 2))
        decades = Decades(left, low=8, high=3, layers=True)
        self.gradients = Levels(decades, "measured", 0)
        self.formula = Formula(decades)
        style.legend_below(fig, [self.gradients.line, self.formula.line])
        self.right = (middle, right)
        for ax in self.right:
            ax.set_xlabel(BLOCK)
            style.whole_numbers(ax)
        self.bands = [curves.empty_band(ax, **style.line(k)) for k, ax in enumerate(self.right, 1)]
        neighbours_axes(right, classes)

    def show(
        self, gradients: Array, growth: float | None, places: Array, rank: Array, neighbours: Array
    ) -> None:
        """gradients (L,), growth per block or None, places (P,), rank and neighbours (P, R)."""
        self.gradients.show(gradients)
        going_back = np.arange(len(gradients))[::-1]
        nothing = np.full(len(gradients), np.nan)
        self.formula.show(nothing if growth is None else gradients[-1] * growth**going_back)
        for band, values in zip(self.bands, (rank, 100 * neighbours), strict=True):
            curves.move_band(band, places, values)
        end = length(max(places))
        for ax in self.right:
            style.limits(ax, xlim=(-0.02 * end, 1.02 * end))


def neighbours_axes(ax: Axes, classes: int, title: str = "Nearest neighbours") -> None:
    """Axes for the percentage of nearest neighbours of the same class, by block."""
    ax.set(title=title, xlabel=BLOCK, ylabel="same class (%)", ylim=(0, 103))
    guessing(ax, 100 / classes)


def identity(
    ax: Axes, losses: Mapping[str, Array], depths: Sequence[int], floor: float = 1e-6
) -> None:
    """Final error of each kind of stack against depth: losses (N, R) by name; 0 is on the floor."""
    for name, values in losses.items():
        shown = np.maximum(np.asarray(values, dtype=float), floor)
        curves.mean_band(ax, list(depths), shown, label=name, **KINDS[name])
    ax.set_yscale("log")
    style.guide(ax, 1.0, "answering 0", at=(0.99, 1.1))
    ax.set(xlabel="depth (hidden blocks)", ylabel="error after training", ylim=(floor / 8, 8))
    ax.set(xlim=(0, max(depths) + 0.5))
    style.whole_numbers(ax, 7)
    ax.text(0.01, floor * 0.75, "exactly 0", va="top", transform=ax.get_yaxis_transform(),
            color=style.GREY, fontsize=8)  # fmt: skip
    style.legend_beside(ax)
