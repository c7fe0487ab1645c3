"""Pictures of training that breaks down: losses, weights and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

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
        self.weights, self.gradients = (
            [Levels(axis, name, k, under=k == 0) for k, name in enumerate(MOMENTS)]
            for axis in (weights, gradients)
        )
        for ax in axes:
            ax.set_title(ax.get_title(), pad=12)  # room for crosses at the edge
        lines = (levels.line for levels in self.gradients)
        style.legend_below(fig, [self.band[0], self.frozen[0], *lines])

    def show(
        self, loss: Array, frozen: Array, weights: Sequence[Array], gradients: Sequence[Array]
    ) -> None:
        """loss, frozen: (T, R); weights, gradients: (L,) for each of MOMENTS."""
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
