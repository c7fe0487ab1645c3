"""Pictures of skips that go at once, or step by step, in networks of several depths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.depths import guessing

Array = NDArray[Any]


def at_once(
    axes: Sequence[Axes], forced: Mapping[int, Array], left: Sequence[float], classes: int
) -> None:
    """Training accuracy when skips go at once, against what is left of each and of their product.

    forced: by the depth L, accuracies (N, R) as shares, with `left` (N,) of each skip. The right
    panel has left^L, the share of a signal that goes straight through.
    """
    there = np.asarray(left, dtype=float)
    for k, (depth, values) in enumerate(forced.items()):
        line = {**style.line(k), "label": f"{depth} blocks"}
        curves.mean_band(axes[0], there, 100 * values, **line)
        some = there > 0
        curves.mean_band(axes[1], there[some] ** depth, 100 * values[some], **line)
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
        axes[1].axhline(size, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        axes[1].text(
            1.0, size * 1.15, f"{name} ", transform=axes[1].get_yaxis_transform(),
            ha="right", va="bottom", color=style.GREY, fontsize=8,
        )  # fmt: skip
    axes[0].set(title="Nearest neighbours, last block", ylabel="same class (%)", ylim=(0, 103))
    axes[1].set(title="Gradients", ylabel="first block over last", yscale="log", ylim=(0.1, 1e5))
    for ax in axes:
        ax.set(xlabel="epoch")
    guessing(axes[0], 100 / classes)
    axes[0].legend(frameon=False, fontsize=9, loc="lower left")
