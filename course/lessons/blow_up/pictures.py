"""Pictures of training that breaks down: signals by layer and step; losses; rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Levels

Array = NDArray[Any]
MOMENTS = ("at the start", "at the last sound step")


class Training:
    """Three axes: the loss while training, weights by layer, gradients by layer."""

    def __init__(self, fig: Figure, axes: Any) -> None:
        left, middle, right = axes
        left.set(title="Training", xlabel="step", ylabel="mean squared error")
        middle.set(title="Weights", xlabel="layer", ylabel="size of the weight")
        right.set(title="Gradients", xlabel="layer", ylabel="size of the layer's gradient")
        self.loss, weights = Decades(left), Decades(middle, layers=True)
        gradients = Decades(right, layers=True)
        self.frozen, self.band = (
            curves.empty_band(left, label=label, **{**style.line(k), "marker": ""})
            for label, k in (("learning rate 0", 3), ("loss, mean of the runs", 2))
        )
        self.weights = [Levels(weights, name, k) for k, name in enumerate(MOMENTS)]
        self.gradients = [Levels(gradients, name, k) for k, name in enumerate(MOMENTS)]
        for ax in axes:
            ax.set_title(ax.get_title(), pad=12)  # room for crosses at the edge
        lines = (levels.line for levels in self.gradients)
        style.legend_below(fig, [self.band[0], self.frozen[0], *lines])

    def show(
        self, loss: Array, frozen: Array, weights: Sequence[Array], gradients: Sequence[Array]
    ) -> None:
        """loss, frozen: (T, R); weights, gradients: (n,) for each of MOMENTS."""
        steps = np.arange(1, len(loss) + 1)
        sound: Array = np.any(np.isfinite(loss), axis=1)
        ends = len(loss) if sound[-1] else int(sound.sum()) + 1  # a cross where the last run broke
        for band, values, name in (
            (self.band, loss[:ends], "loss"), (self.frozen, frozen, "frozen"),
        ):  # fmt: skip
            curves.move_band(band, steps[: len(values)], values)
            self.loss.fit(name, values, steps)
        for levels, values in zip(self.weights, weights, strict=True):
            levels.show(np.abs(values))
        for levels, values in zip(self.gradients, gradients, strict=True):
            levels.show(values)


def by_step(ax: Axes, values: Mapping[str, ArrayLike]) -> list[Line2D]:
    """A line by layer, (n,), for each name; on the upper edge what is infinite or NaN."""
    axis = Decades(ax)
    lines = []
    for k, (name, sizes) in enumerate(values.items()):
        levels = Levels(axis, name, k)
        levels.show(sizes)
        lines.append(levels.line)
    ax.set(xlabel="layer")
    return lines


def rates(
    ax: Axes, rates: ArrayLike, losses: Mapping[str, Array], marks: Mapping[str, float]
) -> list[Line2D]:
    """Loss at the end against the learning rate: by name (K, R), mean with a band of errors.

    A rate at which some run broke down has a cross at the upper edge, and its mean is that of the
    others. marks: losses to draw a grey line at, by what to write there.
    """
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="loss at the end")
    lines = []
    for k, (name, values) in enumerate(losses.items()):
        lines.append(curves.mean_band(ax, rates, values, label=name, **style.line(k))[0])
    for words, height in marks.items():
        style.guide(ax, height, words, beside=True, linewidth=1.0, zorder=1.5)
    style.legend_beside(ax, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return lines
