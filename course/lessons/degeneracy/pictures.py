"""Pictures of deep linear networks that learn: loss, gradients by layer, singular values.

Everything here spans many decades. A `Decades` axis widens by whole decades when it must, and what
has no place on a log axis lies on its edge: zeros and rounding at the bottom, infinity at the top.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Levels

Array = NDArray[np.float64]


MARGINS = {"left": 0.075, "right": 0.985, "bottom": 0.225, "top": 0.92, "wspace": 0.33}


def _answering_nothing(ax: Axes) -> None:
    style.guide(ax, 1.0, "answering 0", at=(0.99, 1.06), linewidth=1.0, zorder=1.4)


class Training:
    """Three axes: the loss while training, gradients by layer, singular values of the product."""

    def __init__(self, fig: Figure, axes: Any) -> None:
        style.margins(fig, **MARGINS)
        left, middle, right = axes
        left.set(title="Training", xlabel="step", ylabel="loss")
        middle.set(title="Gradients", xlabel="layer", ylabel="size of the gradient")
        right.set(title="Product of all layers", xlabel="rank", ylabel="singular value")
        for ax in axes:
            ax.set_title(ax.get_title(), pad=9)  # room for crosses at the edge
        self.loss, self.ranks = Decades(left), Decades(right)
        self.layers = Decades(middle, layers=True)
        self.band = curves.empty_band(left, label="_loss", **{**style.line(0), "marker": ""})
        _answering_nothing(left)
        self.gradients, self.singular = (
            [Levels(axis, name, k, under=k == 0) for k, name in enumerate(NAMES)]
            for axis in (self.layers, self.ranks)
        )
        style.legend_below(fig, [levels.line for levels in self.gradients])

    def show(
        self, step: Array, loss: Array, gradients: list[Array], singular: list[Array], steps: int,
        *, settled: bool = True,
    ) -> None:  # fmt: skip
        """step (N,), loss (N, R); gradients: one (L,), singular: one (n,), for each of NAMES.

        settled: whether the training has ended; before that no axis narrows.
        """
        for axis in (self.loss, self.layers, self.ranks):
            axis.settled = settled
        curves.move_band(self.band, step, loss)
        self.loss.fit("loss", loss, [steps])
        for levels, values in zip(self.gradients, gradients, strict=True):
            levels.show(values)
        for levels, values in zip(self.singular, singular, strict=True):
            largest = np.max(values, initial=0.0, where=np.isfinite(values))
            levels.show(values, below=1e-15 * largest)


NAMES = ("at the start", "after training")


class Runs:
    """Three axes for several runs by name: the loss, gradients at the start, and now."""

    def __init__(self, fig: Figure, axes: Any, names: list[str]) -> None:
        style.margins(fig, **MARGINS)
        titles = ("Training", "Gradients at the start", "Gradients now")
        self.axes = dict(zip(("loss", "first", "last"), axes, strict=True))
        for ax, title in zip(axes, titles, strict=True):
            ax.set(xlabel="layer", ylabel="size of the gradient")
            ax.set_title(title, pad=9)  # room for crosses at the edge
        axes[0].set(xlabel="step", ylabel="loss")
        self.decades = {kind: Decades(ax) for kind, ax in self.axes.items()}
        _answering_nothing(axes[0])
        lines = {name: {**style.line(k), "marker": ""} for k, name in enumerate(names)}
        self.bands = {kind: curves.empty_bands(ax, lines) for kind, ax in self.axes.items()}
        style.legend_below(fig, [self.bands["loss"][name][0] for name in names], ncols=4)

    def show(self, name: str, step: Array, loss: Array, gradients: Array, steps: int) -> None:
        """step (N,), loss (N, R), gradients (N, L, R) of the run called `name`."""
        layers = np.arange(1, gradients.shape[1] + 1)
        for kind, x, values, right in (
            ("loss", step, loss, np.array([steps])),
            ("first", layers, gradients[0], layers),
            ("last", layers, gradients[-1], layers),
        ):
            curves.move_band(self.bands[kind][name], x, values)
            mean, _ = curves.mean_and_error(values)
            self.decades[kind].fit(name, mean, right)


def spectra(ax: Axes, singular: Mapping[str, Array]) -> list[Line2D]:
    """Singular values by rank on a log axis: by name (R, n); mean of the logarithms over runs."""
    axis = Decades(ax)
    lines = []
    for k, (name, values) in enumerate(singular.items()):
        levels = Levels(axis, name, k)
        with np.errstate(divide="ignore"):
            logs = np.log10(np.where(values > 1e-15 * values[:, :1], values, 0.0))
        levels.show(10.0 ** logs.mean(axis=0))
        lines.append(levels.line)
    ax.set(xlabel="rank", ylabel="singular value of the product")
    ax.legend(frameon=False, fontsize=9)
    return lines
