"""Pictures of networks of growing depth: accuracy against depth, and what the layers pass on."""

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
NOTHING = np.full((1, 1), np.nan)
PANELS = ("training set", "test set")


KINDS = {
    "plain": style.architecture("plain"), "resnet": style.architecture("resnet"),
    "resnet, zero": style.architecture("van"),
}  # fmt: skip
"""Looks of the stacks that learn the identity; the third has the colour of no other here."""


class Accuracies:
    """Two axes, training and test accuracy against depth, a line for each network, to be moved."""

    def __init__(
        self,
        fig: Figure,
        axes: Sequence[Axes],
        names: Sequence[str],
        most: int,
        classes: int,
        looks: Mapping[str, dict[str, Any]],
    ) -> None:
        lines = {name: looks.get(name) or style.architecture(name) for name in names}
        self.bands = []
        for ax, panel in zip(axes, PANELS, strict=True):
            ax.set(title=panel, xlabel="depth (hidden blocks)", xlim=(0, most + 1), ylim=(0, 103))
            ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
            guessing(ax, 100 / classes)
            self.bands.append(
                {
                    name: curves.mean_band(ax, [0], NOTHING, label=name, **line)
                    for name, line in lines.items()
                }
            )
        axes[0].set_ylabel("accuracy (%)")
        handles = [self.bands[0][name][0] for name in names]
        fig.legend(handles=handles, loc="outside right center", frameon=False)

    def show(self, name: str, panel: int, depths: Array, accuracy: Array) -> None:
        """Move a line of panel 0 (training) or 1 (test): depths (N,), accuracy (N, R) as shares."""
        if len(depths):
            curves.move_band(self.bands[panel][name], depths, 100 * accuracy)


class Layers:
    """Three axes for one network: gradients by block, effective rank and neighbours by layer."""

    def __init__(self, axes: Sequence[Axes], width: int, classes: int) -> None:
        left, middle, right = axes
        left.set(title="Gradients at the start", xlabel="block", ylabel="size of the gradient")
        middle.set(title="Effective rank", ylabel="directions in use", ylim=(0, width + 2))
        right.set(title="Nearest neighbours", ylabel="same class (%)", ylim=(0, 103))
        self.decades = Decades(left, low=3, high=1)
        self.gradients = Levels(self.decades, "measured", 0)
        (self.formula,) = left.plot([], [], color="black", linewidth=1.2, label="closed form")
        left.figure.legend(  # type: ignore[union-attr]
            handles=[self.gradients.line, self.formula],
            loc="outside lower center", ncols=2, frameon=False, fontsize=9,
        )  # fmt: skip
        self.right = (middle, right)
        for ax in self.right:
            ax.set_xlabel("block (0: the stem)")
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        self.bands = [
            curves.mean_band(ax, [0], NOTHING, **style.line(k))
            for k, ax in enumerate(self.right, start=1)
        ]
        guessing(right, 100 / classes)

    def show(
        self, gradients: Array, growth: float | None, places: Array, rank: Array, neighbours: Array
    ) -> None:
        """gradients (L,), growth per block or None, places (P,), rank and neighbours (P, R)."""
        self.gradients.show(gradients)
        blocks = np.arange(1, len(gradients) + 1)
        form = np.full(len(blocks), np.nan)
        if growth is not None:
            form = gradients[-1] * growth ** (len(blocks) - blocks)
        self.formula.set_data(blocks, form)
        self.decades.fit("closed form", form, blocks)
        for ax, band, values in zip(self.right, self.bands, (rank, 100 * neighbours), strict=True):
            curves.move_band(band, places, values)
            if ax.get_xlim()[1] != max(places) + 0.5:
                ax.set_xlim(-0.5, max(places) + 0.5)


def identity(
    ax: Axes, losses: Mapping[str, Array], depths: Sequence[int], floor: float = 1e-6
) -> None:
    """Final error of each kind of stack against depth: losses (N, R) by name; 0 is on the floor."""
    for name, values in losses.items():
        shown = np.maximum(np.asarray(values, dtype=float), floor)
        curves.mean_band(ax, list(depths), shown, label=name, **KINDS[name])
    ax.set_yscale("log")
    ax.axhline(1.0, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.text(
        0.99, 1.1, "answering 0", transform=ax.get_yaxis_transform(),
        ha="right", va="bottom", color=style.GREY, fontsize=8,
    )  # fmt: skip
    ax.set(xlabel="depth (hidden blocks)", ylabel="error after training", ylim=(floor / 2, 8))
    ax.set(xlim=(0, max(depths) + 0.5))
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.text(0.01, floor * 1.3, "exactly 0", transform=ax.get_yaxis_transform(),
            color=style.GREY, fontsize=8)  # fmt: skip
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))


def before_and_after(
    axes: Sequence[Axes], profiles: Mapping[str, Mapping[str, Any]], classes: int
) -> None:
    """Effective rank (left) and neighbours (right) by layer, for each network at each time.

    profiles: by network, then by time ("at the start", ...), with places (P,), and rank and
    neighbours (P, R) as attributes.
    Networks differ in colour; times in the marker, filled at first and hollow later.
    """
    for name, times in profiles.items():
        for when, (time, profile) in enumerate(times.items()):
            look = style.architecture(name)
            if when:
                look |= {"markerfacecolor": "white", "linestyle": (0, (1, 2)), "linewidth": 1.2}
            for ax, values in zip(axes, (profile.rank, 100 * profile.neighbours), strict=True):
                curves.mean_band(ax, profile.places, values, label=f"{name}, {time}", **look)
    axes[0].set(title="Effective rank", ylabel="directions in use", ylim=(0, None))
    axes[1].set(title="Nearest neighbours", ylabel="same class (%)", ylim=(0, 103))
    guessing(axes[1], 100 / classes)
    for ax in axes:
        ax.set_xlabel("block (0: the stem)")
    axes[1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 0.9))
