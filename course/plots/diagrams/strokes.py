"""What drawings are made of: boxes, nodes and arrows on axes without ticks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from course.plots import style

Point = tuple[float, float]
Drawing = tuple[Figure, str]
"""A figure and its alternative text: `show(*drawing)`."""

FORWARD, BACKWARD, SKIP = style.PALETTE[0], style.PALETTE[1], style.PALETTE[2]
"""A signal on its way up, a gradient on its way down, a signal that goes around a block."""


def sheet(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with `columns` drawing areas, each `width` x `height` units (0.75 inch a unit)."""
    unit = 0.75
    fig, axes = style.figure(columns * width * unit, height * unit, ncols=columns, squeeze=False)
    for ax in axes[0]:
        ax.set_axis_off()
        ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    return fig, list(axes[0])


def box(ax: Axes, at: Point, text: str, size: Point = (1.0, 0.7), color: str | None = None) -> None:
    """A box with rounded corners around the point `at`, filled with a light tint of `color`."""
    width, height = size
    patch = FancyBboxPatch(
        (at[0] - width / 2 + 0.08, at[1] - height / 2 + 0.08), width - 0.16, height - 0.16,
        boxstyle="round,pad=0.08", facecolor=style.tint(color or style.GREY),
        edgecolor=color or style.ink(), linewidth=1.2, zorder=3,
    )  # fmt: skip
    ax.add_patch(patch)
    write(ax, at, text)


def node(
    ax: Axes, at: Point, text: str = "", radius: float = 0.26, color: str | None = None
) -> None:
    """A circle around the point `at`: a unit, or a sum or product of what comes in."""
    patch = Circle(
        at, radius, facecolor=style.tint(color or style.GREY), edgecolor=color or style.ink(),
        linewidth=1.2, zorder=3,
    )  # fmt: skip
    ax.add_patch(patch)
    write(ax, at, text)


def write(ax: Axes, at: Point, text: str, size: float = 10, **options: Any) -> None:
    """Text centred at the point `at`, above all strokes."""
    plain = {"ha": "center", "va": "center", "color": style.ink(), "zorder": 5}
    ax.text(*at, text, fontsize=size, **{**plain, **options})


def arrow(
    ax: Axes, start: Point, end: Point, color: str | None = None, bend: float = 0.0, **line: Any
) -> None:
    """An arrow from point to point; bend: how far it bulges to the left, in its own length."""
    options = {"linewidth": 1.5, "linestyle": "-", **line}
    patch = FancyArrowPatch(
        start, end, arrowstyle="-|>", mutation_scale=11, color=color or style.ink(),
        connectionstyle=f"arc3,rad={-bend}", shrinkA=0, shrinkB=0, zorder=2, **options,
    )  # fmt: skip
    ax.add_patch(patch)


def lane(ax: Axes, points: Sequence[Point], color: str | None = None, **line: Any) -> None:
    """A line with corners from the first point to the last one, where it has its arrow head."""
    color = color or style.ink()
    corners = np.array(points[:-1])
    plain = {"linewidth": 1.5, "linestyle": "-", **line}
    ax.plot(*corners.T, color=color, solid_joinstyle="round", zorder=2, **plain)
    arrow(ax, points[-2], points[-1], color, **line)
