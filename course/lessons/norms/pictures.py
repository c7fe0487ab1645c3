"""Pictures of normalization: sizes, cosines and gradients by block, and the effect of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Formula, Levels, length
from course.plots.style import guessing

Array = NDArray[Any]
NORMS = {"batch norm": style.line(1), "layer norm": style.line(2)}
"""Their lines, wherever the two are compared."""


class Blocks:
    """Three axes for one untrained network: size of the signal, cosine of pictures, gradients."""

    def __init__(self, fig: Figure, axes: Sequence[Axes]) -> None:
        left, self.middle, right = axes
        left.set(title="Forward: the signal", xlabel="block", ylabel="size of the signal")
        self.middle.set(title="How alike pictures are", ylabel="mean cosine", ylim=(-0.05, 1.05))
        right.set(title="Backward: gradients", xlabel="block", ylabel="size of the gradient")
        self.middle.set_xlabel("block")
        style.whole_numbers(self.middle)
        forward = Decades(left, low=2, high=2, layers=True)
        decades = forward, Decades(right, low=2, high=2, layers=True, beside=forward)
        self.levels = [Levels(axis, "measured", 0) for axis in decades]
        self.formulas = [Formula(axis) for axis in decades]
        self.cosine = curves.empty_band(self.middle, **style.line(0))
        self.cosine[2].set_visible(False)  # one picture has no cosine: not a breakdown
        style.legend_below(fig, [self.levels[0].line, self.formulas[0].line])

    def show(
        self, sizes: Array, cosine: Array, gradients: Array, forms: tuple[Array, Array]
    ) -> None:
        """sizes and gradients (L,), cosine (L, R), closed forms of the two (L,); L = 0: nothing."""
        blocks = np.arange(1, len(sizes) + 1)
        for levels, measured in zip(self.levels, (sizes, gradients), strict=True):
            levels.show(measured)
        for formula, form in zip(self.formulas, forms, strict=True):
            formula.show(form)
        curves.move_band(self.cosine, blocks, cosine)
        style.limits(self.middle, xlim=(0, 1.02 * length(len(sizes))))


def _sizes(ax: Axes, batches: Sequence[int]) -> None:
    """A logarithmic axis with a tick at each size of a batch."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(list(batches)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(list(batches), [str(size) for size in batches])
    ax.set(xlabel="examples in a batch", xlim=(0.9 * min(batches), 1.1 * max(batches)))


def growth(
    ax: Axes, batches: Sequence[int], measured: Mapping[str, Array], forms: Mapping[str, Array]
) -> None:
    """Growth of gradients per block against the size of the batch: (N, R) and (N,) by the norm.

    Bars: two standard errors to each side.
    """
    for name, values in measured.items():
        mean, error = curves.mean_and_error(values)
        bars = {**NORMS[name], "linestyle": "", "capsize": 3}
        ax.errorbar(batches, mean, 2 * error, label=f"{name}, measured", **bars)
        form = np.where(np.isfinite(forms[name]), forms[name], np.nan)
        line = {**style.formula(), "linestyle": NORMS[name]["linestyle"]}
        ax.plot(batches, form, label=f"{name}, closed form", **line)
    _sizes(ax, batches)
    ax.set(ylabel="growth per block, going back", ylim=(0, 2.1))
    style.legend_beside(ax)


class ByBatch:
    """Training accuracy against the size of the batch, a line for each of `NORMS`."""

    def __init__(self, ax: Axes, batches: Sequence[int], classes: int) -> None:
        self.bands = curves.empty_bands(ax, NORMS)
        guessing(ax, 100 / classes)
        _sizes(ax, batches)
        ax.set(ylabel="training accuracy (%)", ylim=(0, 103))
        style.legend_beside(ax)

    def show(self, name: str, batches: Array, accuracy: Array) -> None:
        """accuracy (N, R) as shares."""
        if len(batches):
            curves.move_band(self.bands[name], batches, 100 * accuracy)


def company(
    axes: Sequence[Axes], running: Array, by_batch: Array, batches: Sequence[int], shares: Array
) -> None:
    """Left: accuracy by epoch with running averages and with statistics of batches, both (N, R).

    Right: share of answers that change with the company, (M, R), against the size of the batch.
    """
    left, right = axes
    epochs = np.arange(1, len(running) + 1)
    for name, values, line in (
        ("batches, as in training", by_batch, NORMS["batch norm"]),
        ("running averages, as in use", running, {**style.line(3), "markerfacecolor": "white"}),
    ):
        curves.mean_band(left, epochs, 100 * values, label=name, **line)
    left.set(title="One network, asked in two ways", xlabel="epoch", ylim=(0, 103))
    left.set_ylabel("training accuracy (%)")
    style.whole_numbers(left)
    left.legend(frameon=False, fontsize=9, loc="upper left")
    curves.mean_band(right, list(batches), 100 * shares, **NORMS["batch norm"])
    _sizes(right, batches)
    right.set(title="Answers that change with the company", ylabel="share (%)", ylim=(0, 103))
