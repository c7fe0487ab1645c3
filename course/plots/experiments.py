"""The pictures of `course run`: accuracy against depth, a line per network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course.plots import curves, style

PANELS = (("train_accuracy", "training set"), ("test_accuracy", "test set"))


def accuracy_against_depth(
    columns: Mapping[str, np.ndarray],
    *,
    title: str = "",
    outputs: int = 10,
    counts: str = "hidden blocks",
) -> Figure:
    """Training and test accuracy in percent against depth: mean and standard error over seeds.

    columns: of a table of results, one row per network, depth and seed (`Table.last()`): network,
    depth, seed, train_accuracy and test_accuracy as shares. outputs: number of classes, for the
    line of guessing. counts: what the depth counts.
    """
    fig, axes = style.figure(8.0, 3.8, ncols=2, sharey=True)
    names = list(dict.fromkeys(columns["network"].tolist()))
    shown = np.concatenate([100 * columns[measure] for measure, _ in PANELS])
    lowest = shown[np.isfinite(shown)].min(initial=100.0)
    for ax, (measure, panel) in zip(axes, PANELS, strict=True):
        for name in names:
            depths, values = by_depth(columns, name, measure)
            curves.mean_band(ax, depths, 100 * values, label=name, **style.architecture(name))
        ax.set(title=panel, xlabel=f"depth ({counts})")
        if lowest < 50:
            ax.set_ylim(0, 103)
            style.guide(ax, 100 / outputs, "guessing ")
    axes[0].set_ylabel("accuracy (%)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    if title:
        fig.suptitle(title, fontsize=11)
    return fig


def by_depth(
    columns: Mapping[str, np.ndarray], network: str, measure: str
) -> tuple[np.ndarray, np.ndarray]:
    """Depths (N,) in rising order, and `measure` of that network at each, a column per seed."""
    depths = np.unique(columns["depth"][columns["network"] == network])
    rows: list[Any] = []
    for depth in depths:
        chosen = (columns["network"] == network) & (columns["depth"] == depth)
        rows.append(columns[measure][chosen][np.argsort(columns["seed"][chosen])])
    return depths, np.array(rows)
