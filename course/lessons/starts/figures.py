"""Figures of the lesson that are drawn once: losses by rate, and what was recorded by data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course.plots import curves, style

Array = NDArray[Any]
MOST = 3.0
"""Losses above this, and those that are not finite, are drawn here: at the upper edge."""


def losses_by_rate(
    axes: Sequence[Axes], rates: Sequence[float], losses: Mapping[str, Mapping[int, Array]]
) -> None:
    """Training loss against the rate, a line for each depth; an axis for each kind of branch.

    losses: (N, R) by kind and depth. What is too large to show is at the upper edge, with a cross.
    """
    for ax, (kind, by_depth) in zip(axes, losses.items(), strict=True):
        for k, (depth, values) in enumerate(by_depth.items()):
            shown = np.minimum(np.nan_to_num(values, nan=np.inf, posinf=np.inf), MOST).mean(1)
            line = {**style.line(k), "label": f"{depth} blocks"}
            ax.plot(rates, shown, **line)
            off = shown >= MOST
            if off.any():
                ax.plot(np.array(rates)[off], shown[off], linestyle="", marker="x", markersize=9,
                        color=line["color"], clip_on=False)  # fmt: skip
        ax.set(xscale="log", xlabel="learning rate", title=kind, ylim=(0, MOST))
    axes[0].set_ylabel("training loss (x: above 3, or none)")
    style.legend_beside(axes[-1])


def recorded(
    axes: Sequence[Axes], results: Mapping[str, Mapping[str, Mapping[str, Array]]]
) -> None:
    """Training and test accuracy of networks (rows), an axis for each data set.

    results: by data set and network, "train" and "test" accuracies (R,) as shares.
    """
    for number, (ax, (name, networks)) in enumerate(zip(axes, results.items(), strict=True)):
        rows = np.arange(len(networks))
        for k, kind in enumerate(("train", "test")):
            runs = 100 * np.array([network[kind] for network in networks.values()])
            mean, error = curves.mean_and_error(runs)
            bars = {**style.line(k), "linestyle": "", "capsize": 3}
            label = {"train": "training", "test": "test"}[kind]
            ax.errorbar(mean, rows + 0.24 * (k - 0.5), xerr=2 * error, label=label, **bars)
        for row in rows:
            ax.axhspan(row - 0.42, row + 0.42, color=style.LIGHT, alpha=0.35, linewidth=0, zorder=0)
        ax.set(title=name, xlabel="accuracy (%)", ylim=(len(rows) - 0.5, -0.5))
        ax.set_yticks(rows, list(networks) if number == 0 else [""] * len(rows))
        ax.grid(False, axis="y")
    style.legend_beside(axes[-1])
