"""Pictures of dead units and of the directions that a layer still has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from course import measures
from course.plots import curves, style
from course.plots.decades import Levels, length, places

Array = NDArray[np.float64]
WHEN = ("at the start", "after training")


class Units:
    """Three axes: accuracy while training, dead units by layer, effective rank by layer.

    steps: how long a training is; inputs: the effective rank of what goes into the network.
    """

    def __init__(self, fig: Figure, axes: Any, steps: int, inputs: float) -> None:
        left, middle, right = axes
        style.margins(fig, left=0.065, right=0.985, bottom=0.24, top=0.91, wspace=0.28)
        left.set(title="Training", xlabel="step", ylabel="accuracy, batch of 128")
        left.set(xlim=(0, steps), ylim=(0, 1.03))
        middle.set(title="Dead units", xlabel="layer", ylabel="share of the layer")
        middle.set(ylim=(-0.03, 1.03))
        right.set(title="Directions", xlabel="layer", ylabel="effective rank", ylim=(0, 60))
        for ax in (left, middle):
            ax.yaxis.set_major_formatter(PercentFormatter(1.0))
        for ax in axes:
            style.whole_numbers(ax)
        _guide(left, 0.1, "guessing", 0.2)
        _guide(right, inputs, "input", inputs)
        self.layers = (middle, right)
        (self.accuracy,) = left.plot([], [], color=style.PALETTE[2], linewidth=1.2)
        self.dead = [_line(middle, k) for k in range(2)]
        self.rank = [_line(right, k) for k in range(2)]
        style.legend_below(fig, self.dead)

    def show(self, accuracy: Array, dead: list[Array], rank: list[Array]) -> None:
        """accuracy: (N,), from step 1. dead, rank: one or two arrays (L,), for each of WHEN."""
        self.accuracy.set_data(np.arange(1, len(accuracy) + 1), accuracy)
        for lines, values in ((self.dead, dead), (self.rank, rank)):
            for k, line in enumerate(lines):
                shown = values[k] if k < len(values) else np.empty(0)
                line.set_data(np.arange(1, len(shown) + 1), shown)
                line.set_markevery(places(len(shown)))
        for ax in self.layers:
            style.limits(ax, xlim=(0, 1.02 * length(len(dead[0]))))


def _line(ax: Axes, k: int) -> Any:
    (line,) = ax.plot([], [], label=WHEN[k], **{**style.line(k), **({} if k else Levels.WIDE)})
    return line


def _guide(ax: Axes, height: float, word: str, at: float) -> None:
    text = style.guide(ax, height, word, at=(0.99, at), linewidth=1, zorder=1)
    text.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})


def cosines(ax: Axes, measured: Array, expected: Array) -> None:
    """Mean cosine of two inputs by layer: measured (L, R), in infinite width (L,)."""
    layers = np.arange(1, len(expected) + 1)
    curves.mean_band(ax, layers, measured, label="measured, width 64", **style.line(0))
    ax.plot(layers, expected, label="closed form, infinite width", **style.formula())
    ax.set(xlabel="layer", ylabel="mean cosine of two digits", ylim=(0, 1.03))
    ax.legend(frameon=False, fontsize=9, loc="lower right")


def directions(outputs: Mapping[int, Any], most: int = 40) -> tuple[Figure, str]:
    """How far a layer's outputs spread along each direction, a picture for each layer.

    outputs: {layer: (B, n)}. The lengths are relative to the longest; the first `most` are shown.
    """
    fig, axes = style.figure(3.0 * len(outputs), 2.8, ncols=len(outputs), sharey=True)
    for ax, (layer, h) in zip(axes, outputs.items(), strict=True):
        lengths = measures.relative_singular_values(h, centred=True).numpy()
        rank = measures.effective_rank(h).item()
        ax.bar(range(1, most + 1), lengths[:most] / lengths[0], color=style.PALETTE[0], width=0.8)
        ax.axvline(rank + 0.5, color=style.PALETTE[1], linestyle="--")
        ax.set(title=f"layer {layer}: effective rank {rank:.0f}", xlabel="direction")
    axes[0].set_ylabel("spread, longest = 1")
    layers = ", ".join(map(str, outputs))
    return fig, (
        f"How far the outputs of layers {layers} spread along each of their directions, the longest"
        " first. The deeper the layer, the faster the bars fall, and the smaller the effective"
        " rank, the dashed line."
    )
