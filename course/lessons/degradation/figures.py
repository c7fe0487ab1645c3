"""Figures that are drawn once: budgets at full size, what parts and explodes, starts and ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course.plots import curves, experiments, style

Array = NDArray[Any]


def budgets(axes: Sequence[Axes], columns: Mapping[str, Array], epochs: Sequence[int]) -> None:
    """Training and test accuracy of plain networks against depth after several numbers of epochs.

    columns: of a recorded table, with a row for each network, depth, seed and epoch. The residual
    networks after the last of these epochs are drawn beside them.
    """
    lines = [("plain", count, _budget(j, len(epochs))) for j, count in enumerate(epochs)]
    lines.append(("resnet", epochs[-1], style.architecture("resnet")))
    for ax, (kind, title) in zip(axes, {"train": "training", "test": "test"}.items(), strict=True):
        for name, count, line in lines:
            rows = columns["epoch"] == count
            chosen = {key: values[rows] for key, values in columns.items()}
            depths, values = experiments.by_depth(chosen, name, f"{kind}_accuracy")
            curves.mean_band(ax, depths, 100 * values, label=f"{name}, {count} epochs", **line)
        ax.set(xlabel="depth (hidden blocks)", ylabel=f"{title} accuracy (%)")
    axes[-1].legend(frameon=False, fontsize=9)


def _budget(number: int, count: int) -> dict[str, Any]:
    """The line of plain networks with the `number`-th of `count` budgets: darker with each."""
    shade = 0.35 + 0.65 * (number + 1) / count
    return {**style.architecture("plain"), "alpha": shade, "linewidth": 0.8 + 0.5 * number}


def explosion(
    axes: Sequence[Axes],
    gradients: Mapping[str, Array],
    distances: Mapping[str, Array],
    growth: float,
) -> None:
    """Gradients and distances of near pictures by block, each with the closed form for plain.

    gradients, distances: by the name of an architecture, (L, R) of blocks 1 to L. growth: of plain,
    from a block to the one before it (left) or after it (right).
    """
    backward, forward = axes
    for ax, measured in zip(axes, (gradients, distances), strict=True):
        for name, values in measured.items():
            blocks = np.arange(1, len(values) + 1)
            line = {**style.architecture(name), "marker": ""}
            logs = np.log10(values)  # a mean of factors, not of sizes
            middle, error = curves.mean_and_error(logs)
            ax.plot(blocks, 10**middle, label=name, **line)
            ax.fill_between(
                blocks, 10 ** (middle - error), 10 ** (middle + error),
                color=line["color"], alpha=curves.BAND, linewidth=0,
            )  # fmt: skip
        style.whole_numbers(ax)
        ax.set(xlabel="block", yscale="log")
    steps = np.arange(len(blocks))
    form = {**style.formula(), "linestyle": (0, (1, 2)), "label": "formula"}
    last = _typical(gradients["plain"][-1])
    backward.plot(blocks, last * growth ** steps[::-1], **form)
    forward.plot(blocks, _typical(distances["plain"][0]) * growth**steps, **form)
    backward.set(title="Gradients", ylabel="size of the gradient")
    forward.set(title="Two nearly equal pictures", ylabel="distance")
    backward.legend(frameon=False, fontsize=9)


def _typical(values: Array) -> float:
    """The geometric mean."""
    return float(np.exp(np.log(values).mean()))


def starts_and_ends(
    ax: Axes, neighbours: Mapping[int, Array], fitted: Mapping[int, Mapping[int, Array]]
) -> None:
    """Neighbours before training, and training accuracy after some epochs, by depth.

    neighbours: shares (R,) by depth. fitted: shares (R,) by epochs, then by depth.
    """
    depths = list(neighbours)
    start = np.array([neighbours[depth] for depth in depths])
    grey: dict[str, Any] = {
        "color": style.GREY,
        "linestyle": (0, (1, 2)),
        "marker": "o",
        "markersize": 4,
    }
    curves.mean_band(ax, depths, 100 * start, label="neighbours, untrained", **grey)
    for j, (epochs, ends) in enumerate(fitted.items()):
        line = _budget(j, len(fitted))
        values = 100 * np.array([ends[depth] for depth in ends])
        curves.mean_band(ax, list(ends), values, label=f"fit after {epochs} epochs", **line)
    style.whole_numbers(ax)
    ax.set(xlabel="depth (hidden blocks)", ylabel="%", ylim=(0, 103))
    style.guessing(ax, 10)
    style.legend_beside(ax)
