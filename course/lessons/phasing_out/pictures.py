"""Pictures of schedules, and of skips that leave at once or step by step, over depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.style import guessing

Array = NDArray[Any]


RUNS: dict[str, dict[str, Any]] = {
    "plain": style.architecture("plain"), "resnet": style.architecture("resnet"),
    "van": style.architecture("van"), "van0": style.architecture("van0"),
    "published": style.architecture("van"), "slow": style.line(3),
    "push": style.line(5), "ramp": style.line(4), "cut": style.line(6),
    "weak": {"color": style.GREY, "linestyle": "-", "marker": "x", "markersize": 5},
}  # fmt: skip
"""Lines of the networks and schedules by name."""


def at_once(
    axes: Sequence[Axes], forced: Mapping[int, Array], left: Sequence[float], classes: int
) -> None:
    """Training accuracy when skips go at once, against what is left of each and of their product.

    forced: by the depth L, accuracies (N, R) as shares, with `left` (N,) of each skip. The right
    panel has left^L, the share of a signal that goes straight through.
    """
    share = np.asarray(left, dtype=float)
    for k, (depth, values) in enumerate(forced.items()):
        line = {**style.line(k), "label": f"{depth} blocks"}
        curves.mean_band(axes[0], share, 100 * values, **line)
        some = share > 0
        curves.mean_band(axes[1], share[some] ** depth, 100 * values[some], **line)
    axes[0].set(title="Against one skip", xlabel=r"left of each skip, $1 - \alpha$")
    axes[0].set(xlim=(1.02, -0.02), ylabel="training accuracy (%)")
    axes[1].set(title="Against all of them", xlabel=r"left of their product, $(1 - \alpha)^L$")
    axes[1].set(xscale="log", xlim=(2, 1e-8))
    for ax in axes:
        ax.set_ylim(0, 103)
        guessing(ax, 100 / classes)
    axes[1].legend(frameon=False, fontsize=9, loc="upper right")


def step_by_step(
    axes: Sequence[Axes],
    trained: Mapping[str, tuple[Array, Array, Array]],
    ratios: Mapping[str, float],
    classes: int,
) -> None:
    """The last block while skips leave: nearest neighbours on the left, gradients on the right.

    trained: by name, epochs (N,), nearest-neighbour accuracy (N, R) as shares, and the size of the
    gradient at the first block over that at the last (N, R). ratios: the same of plain networks
    before training, by the name of a grey line.
    """
    for k, (name, (epochs, neighbours, ratio)) in enumerate(trained.items()):
        line = {**style.line(k), "label": name}
        curves.mean_band(axes[0], epochs, 100 * neighbours, **line)
        curves.mean_band(axes[1], epochs, ratio, **line)
    for name, size in ratios.items():
        style.guide(axes[1], size, f"{name} ", at=(1.0, size * 1.15))
    axes[0].set(title="Nearest neighbours, last block", ylabel="same class (%)", ylim=(0, 103))
    axes[1].set(title="Gradients", ylabel="first block over last", yscale="log", ylim=(0.1, 1e5))
    for ax in axes:
        ax.set(xlabel="epoch")
    guessing(axes[0], 100 / classes)
    axes[0].legend(frameon=False, fontsize=9, loc="lower left")


class Schedules:
    """Three axes against the epoch: skips left, accuracy with running and with batch statistics."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], names: Sequence[str], most: int) -> None:
        left, middle, right = axes
        left.set(title="What is left of the skips", ylabel=r"mean of $1 - \alpha$")
        left.set(ylim=(-0.03, 1.05))
        middle.set(title="Running statistics", ylabel="training accuracy (%)", ylim=(0, 103))
        right.set(title="Statistics of each batch", ylabel="training accuracy (%)", ylim=(0, 103))
        self.bands = []
        for ax in axes:
            ax.set(xlabel="epoch", xlim=(0, most + 0.3))
            self.bands.append(curves.empty_bands(ax, {name: RUNS[name] for name in names}))
        handles = [self.bands[1][name][0] for name in names]
        fig.legend(handles=handles, loc="outside right center", frameon=False)

    def show(
        self, name: str, epochs: Array, left: Array | None, running: Array, batches: Array | None
    ) -> None:
        """left (N, R), or None without skips to remove; the two accuracies (N, R) as shares."""
        if left is not None:
            whole = np.ones((1, left.shape[1]))
            curves.move_band(self.bands[0][name], [0.0, *epochs], np.concatenate([whole, left]))
        for bands, accuracy in zip(self.bands[1:], (running, batches), strict=True):
            if accuracy is not None:
                curves.move_band(bands[name], epochs, 100 * accuracy)
