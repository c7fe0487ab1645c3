"""Pictures of normalization: sizes, cosines and gradients by block, and the effect of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Levels
from course.plots.style import guessing

Array = NDArray[Any]
NOTHING = np.full((1, 1), np.nan)
NORMS = {"batch norm": style.line(1), "layer norm": style.line(2)}
"""Their looks, wherever the two are compared."""


class Blocks:
    """Three axes for one untrained network: size of the signal, cosine of pictures, gradients."""

    def __init__(self, fig: Figure, axes: Sequence[Axes]) -> None:
        left, self.middle, right = axes
        left.set(title="Forward: the signal", xlabel="block", ylabel="size of the signal")
        self.middle.set(title="How alike pictures are", ylabel="mean cosine", ylim=(-0.05, 1.05))
        right.set(title="Backward: gradients", xlabel="block", ylabel="size of the gradient")
        self.middle.set_xlabel("block")
        self.middle.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        self.axes = Decades(left, low=2, high=1), Decades(right, low=2, high=2)
        names = ("measured", "gradient")
        self.levels = [Levels(axis, name, 0) for axis, name in zip(self.axes, names, strict=True)]
        self.forms = [
            axis.ax.plot([], [], color="black", linewidth=1.2, label="closed form")[0]
            for axis in self.axes
        ]
        self.cosine = curves.mean_band(self.middle, [0], NOTHING, **style.line(0))
        self.cosine[2].set_visible(False)  # one picture has no cosine: not a breakdown
        fig.legend(
            handles=[self.levels[0].line, self.forms[0]],
            loc="outside lower center", ncols=2, frameon=False, fontsize=9,
        )  # fmt: skip

    def show(
        self, sizes: Array, cosine: Array, gradients: Array, forms: tuple[Array, Array]
    ) -> None:
        """sizes and gradients (L,), cosine (L, R), closed forms of the two (L,); L = 0: nothing."""
        blocks = np.arange(1, len(sizes) + 1)
        pairs = zip(self.axes, self.levels, self.forms, (sizes, gradients), forms, strict=True)
        for axis, levels, line, measured, form in pairs:
            levels.show(measured)
            shown = np.where(np.isfinite(form), form, np.nan)
            line.set_data(blocks, shown)
            axis.fit("closed form", shown, blocks)
        curves.move_band(self.cosine, *((blocks, cosine) if len(sizes) else ([0], NOTHING)))
        end = 1.02 * max(len(sizes), 1)
        if self.middle.get_xlim() != (0, end):
            self.middle.set_xlim(0, end)


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
        look = {**NORMS[name], "linestyle": "", "capsize": 3}
        ax.errorbar(batches, mean, 2 * error, label=f"{name}, measured", **look)
        form = np.where(np.isfinite(forms[name]), forms[name], np.nan)
        black = {"color": "black", "linewidth": 1.2, "linestyle": NORMS[name]["linestyle"]}
        ax.plot(batches, form, label=f"{name}, closed form", **black)
    _sizes(ax, batches)
    ax.set(ylabel="growth per block, going back", ylim=(0, 2.1))
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))


class ByBatch:
    """Training accuracy against the size of the batch, a line for each of `NORMS`."""

    def __init__(self, ax: Axes, batches: Sequence[int], classes: int) -> None:
        self.bands = {
            name: curves.mean_band(ax, [min(batches)], NOTHING, label=name, **look)
            for name, look in NORMS.items()
        }
        for band in self.bands.values():
            band[2].set_visible(False)  # nothing there yet: not a breakdown
        guessing(ax, 100 / classes)
        _sizes(ax, batches)
        ax.set(ylabel="training accuracy (%)", ylim=(0, 103))
        ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))

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
    for name, values, look in (
        ("batches, as in training", by_batch, NORMS["batch norm"]),
        ("running averages, as in use", running, {**style.line(3), "markerfacecolor": "white"}),
    ):
        curves.mean_band(left, epochs, 100 * values, label=name, **look)
    left.set(title="One network, asked in two ways", xlabel="epoch", ylim=(0, 103))
    left.set_ylabel("training accuracy (%)")
    left.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    left.legend(frameon=False, fontsize=9, loc="upper left")
    curves.mean_band(right, list(batches), 100 * shares, **NORMS["batch norm"])
    _sizes(right, batches)
    right.set(title="Answers that change with the company", ylabel="share (%)", ylim=(0, 103))
