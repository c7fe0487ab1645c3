"""Drawings for notebook 11: what curvatures, a saddle and principal directions are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course.plots import style

Array = NDArray[Any]
TURN = np.deg2rad(30)
AXES = np.array([[np.cos(TURN), np.sin(TURN)], [-np.sin(TURN), np.cos(TURN)]])
"""Two directions at right angles, in the rows."""


def bowl_and_saddle(axes: Sequence[Axes]) -> str:
    """Contours of two quadratic losses and their principal directions of curvature; in words.

    Eigenvalues of their Hessians: 2 and 0.5; 2 and -0.5.
    """
    grid = np.linspace(-1.7, 1.7, 61)
    places = np.stack(np.meshgrid(grid, grid), -1)
    along = np.einsum("...i,ki->k...", places, AXES)
    for ax, title, weak in zip(axes, ("a bowl", "a saddle"), (0.5, -0.5), strict=True):
        loss = weak * along[0] ** 2 / 2 + 2 * along[1] ** 2 / 2
        ax.contourf(grid, grid, loss, levels=12, cmap="viridis", alpha=0.55)
        words = ("bends up, little" if weak > 0 else "bends down", "bends up, much")
        for k, (direction, word) in enumerate(zip(AXES, words, strict=True)):
            _arrow(ax, np.zeros(2), 1.15 * direction, k)
            ax.annotate(word, 1.25 * direction, ha="center", va="bottom", fontsize=9, color="black")
        ax.plot(0, 0, "ko", markersize=5)
        ax.set(title=title, xlabel="first weight", ylabel="second weight", aspect="equal")
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
    return (
        "Two losses of two weights, as maps, each with a point where the slope is 0 and two arrows"
        " at right angles. A bowl: the loss bends up along both, much along one and little along"
        " the other. A saddle: up along one arrow, down along the other. "
    )


def principal(ax: Axes) -> str:
    """A path in a plane, its mean, and its two principal directions from there; in words."""
    time = np.linspace(0, 1, 25)
    steps = np.stack([2.4 * time, 0.5 * np.sin(5 * time)], 1)
    path = (steps - steps.mean(0)) @ AXES + np.array([2.0, 1.5])
    middle = path.mean(0)
    _, sizes, directions = np.linalg.svd(path - middle, full_matrices=False)
    ax.plot(*path.T, **{**style.line(0), "marker": ".", "label": "path"})
    ax.plot(*middle, "k+", markersize=11, markeredgewidth=2, label="mean of its points")
    for k, (size, direction) in enumerate(zip(sizes, directions, strict=True)):
        sign = 1 if direction[0] + direction[1] > 0 else -1
        _arrow(ax, middle, middle + sign * direction * 1.6 * size / np.sqrt(len(path)), k)
    share = sizes[0] ** 2 / (sizes**2).sum()
    ax.set(xlabel="first weight", ylabel="second weight", aspect="equal", xlim=(-0.1, 3.6))
    ax.set(ylim=(-0.1, 3.1), title="a path and its principal directions")
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    return (
        "A path of 25 points in the plane of two weights. From the mean of its points an arrow"
        f" points along the path, the first principal direction, with {share:.0%} of the squared"
        " distances from the mean; a short one at right angles is the second."
    )


def _arrow(ax: Axes, start: Array, end: Array, number: int) -> None:
    ax.annotate(
        "", tuple(end), tuple(start), zorder=4,
        arrowprops={"arrowstyle": "-|>", "linewidth": 2.2, "color": style.PALETTE[number + 1]},
    )  # fmt: skip
