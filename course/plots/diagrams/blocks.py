"""Blocks: plain, residual, Highway, DiracNet, and the skip of a VAN that is phased out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course.arguments import one_of, real
from course.plots import style
from course.plots.diagrams.strokes import (
    FORWARD,
    SKIP,
    Drawing,
    Point,
    arrow,
    box,
    lane,
    node,
    sheet,
    write,
)  # fmt: skip

WEIGHTS = style.PALETTE[4]
MIDDLE = 1.5


def block(*kinds: str) -> Drawing:
    """Blocks side by side, each with its equation: "plain", "residual", "highway", "diracnet".

    Raises ValueError for other kinds.
    """
    chosen = [one_of("kinds", kind, BLOCKS) for kind in kinds or BLOCKS]
    wide = max(WIDTHS[kind] for kind in chosen)
    fig, axes = sheet(wide, 3.7, columns=len(chosen))
    words = [BLOCKS[kind](ax) for kind, ax in zip(chosen, axes, strict=True)]
    return fig, " ".join(words)


def phasing_out(*alphas: float) -> Drawing:
    """A VAN block at each value of alpha (0, 0.5 and 1 if none is given): its skip fades.

    alphas: from 0 to 1. Raises ValueError for others.
    """
    values = [real("alphas", alpha, least=0, most=1) for alpha in alphas or (0, 0.5, 1)]
    fig, axes = sheet(WIDTHS["residual"], 3.7, columns=len(values))
    for ax, alpha in zip(axes, values, strict=True):
        _around(ax, 1 - alpha)
        name = {0.0: ": a residual block", 1.0: ": a plain block"}.get(alpha, "")
        _heading(ax, rf"$\alpha$ = {alpha:g}{name}", r"$F(h) + (1 - \alpha)\,h$")
    shares = ", ".join(f"{1 - alpha:g} at alpha = {alpha:g}" for alpha in values)
    return fig, (
        "A block F with a skip around it, F(h) + (1 - alpha) h, while alpha grows. The skip lets"
        f" pass {shares}. At alpha = 1 nothing goes around the block any more."
    )


def _heading(ax: Axes, name: str, equation: str) -> None:
    middle = sum(ax.get_xlim()) / 2
    write(ax, (middle, 3.45), name, 12, weight="bold")
    write(ax, (middle, 0.25), equation, 11)


def _branch(ax: Axes, start: float, steps: tuple[str, ...], height: float = MIDDLE) -> float:
    """Boxes in a row from x = `start`, each with an arrow into it; returns where they end."""
    x = start
    for text in steps:
        arrow(ax, (x, height), (x + 0.35, height))
        color = WEIGHTS if "W" in text else FORWARD if text == "f" else style.GREY
        box(ax, (x + 0.8, height), f"${text}$" if text != "norm" else text, (0.9, 0.62), color)
        x += 1.25
    return x


def _ends(ax: Axes, start: Point, end: Point) -> None:
    write(ax, start, "$h$", 12)
    write(ax, end, r"$h^{+}$", 12)


def _plain(ax: Axes) -> str:
    _ends(ax, (0.35, MIDDLE), (5.25, MIDDLE))
    x = _branch(ax, 0.6, ("W", "norm", "f"))
    arrow(ax, (x, MIDDLE), (4.95, MIDDLE))
    _heading(ax, "plain", r"$h^{+} = f(\mathrm{norm}(h\,W + b))$")
    return "A plain block: weights W, a norm, the curve f in a row; nothing goes around."


def _residual(ax: Axes) -> str:
    _around(ax, 1.0)
    _heading(ax, "residual", r"$h^{+} = h + F(h)$")
    return (
        "A residual block: the branch F, a norm, the curve f, weights W; a skip leads the input h"
        " around it, and both are added, h + F(h)."
    )


def _around(ax: Axes, share: float) -> None:
    """A branch with a skip that lets pass a `share`; where that is 0, it is only dotted."""
    _ends(ax, (0.3, MIDDLE), (5.65, MIDDLE))
    ax.plot((0.5, 0.75), (MIDDLE, MIDDLE), color=style.ink(), linewidth=1.5, zorder=2)
    x = _branch(ax, 0.7, ("norm", "f", "W"))
    arrow(ax, (x, MIDDLE), (x + 0.18, MIDDLE))
    node(ax, (x + 0.4, MIDDLE), "$+$", 0.22)
    arrow(ax, (x + 0.62, MIDDLE), (5.4, MIDDLE))
    line: dict[str, Any] = {"linewidth": 0.8 + 2.2 * share, "linestyle": "-" if share else ":"}
    corners = [(0.62, MIDDLE), (0.62, 2.5), (x + 0.4, 2.5), (x + 0.4, 1.74)]
    if share:
        lane(ax, corners, SKIP, **line)
    else:
        ax.plot(*zip(*corners, strict=True), color=style.GREY, zorder=2, **line)
    text = {1.0: "skip: $h$ itself", 0.0: "no skip is left"}.get(share, rf"skip: ${share:g}\,h$")
    write(ax, (2.6, 2.78), text)
    write(ax, (2.6, 0.88), "branch $F$")


def _highway(ax: Axes) -> str:
    _ends(ax, (0.3, MIDDLE), (6.75, MIDDLE))
    ax.plot((0.5, 0.75), (MIDDLE, MIDDLE), color=style.ink(), linewidth=1.5, zorder=2)
    x = _branch(ax, 0.7, ("W", "norm", "f"))
    write(ax, (x + 0.12, MIDDLE + 0.2), "$h'$")
    arrow(ax, (x, MIDDLE), (x + 0.53, MIDDLE))
    node(ax, (x + 0.75, MIDDLE), r"$\times$", 0.22)
    arrow(ax, (x + 0.97, MIDDLE), (x + 1.38, MIDDLE))
    node(ax, (x + 1.6, MIDDLE), "$+$", 0.22)
    arrow(ax, (x + 1.82, MIDDLE), (6.5, MIDDLE))
    lane(ax, [(0.62, MIDDLE), (0.62, 2.6), (x + 0.53, 2.6)], SKIP)
    node(ax, (x + 0.75, 2.6), r"$\times$", 0.22)
    lane(ax, [(x + 0.97, 2.6), (x + 1.6, 2.6), (x + 1.6, 1.74)], SKIP)
    purple = style.PALETTE[3]
    box(ax, (2.6, 0.86), "gate $T$", (1.4, 0.5), purple)
    lane(ax, [(0.62, MIDDLE), (0.62, 0.86), (1.9, 0.86)])
    lane(ax, [(3.3, 0.86), (x + 0.75, 0.86), (x + 0.75, 1.28)], purple, linestyle="--")
    lane(ax, [(x + 0.4, 0.86), (x + 0.4, 2.1), (x + 0.75, 2.1), (x + 0.75, 2.36)], purple,
         linestyle="--")  # fmt: skip
    write(ax, (x + 0.97, 1.12), "$T$")
    write(ax, (x + 1.15, 2.2), "$1 - T$")
    _heading(ax, "Highway", r"$h^{+} = T\,h' + (1 - T)\,h, \quad T = \sigma(h\,W_T + b_T)$")
    return (
        "A Highway block: the input h goes three ways. A plain layer makes h'; a gate makes T,"
        " between 0 and 1 for each unit; h itself goes around. T h' and (1 - T) h are added."
    )


def _diracnet(ax: Axes) -> str:
    left, side, height = 1.15, 1.35, MIDDLE - 0.65
    _ends(ax, (0.3, MIDDLE), (9.25, MIDDLE))
    arrow(ax, (0.55, MIDDLE), (1.0, MIDDLE))
    rng = np.random.default_rng(0)
    dense = 0.15 + 0.2 * rng.random((6, 6))
    _matrix(ax, (left, height), side, np.eye(6), r"$\mathrm{diag}(a)$")
    write(ax, (left + side + 0.22, MIDDLE), "+", 14)
    _matrix(ax, (left + side + 0.45, height), side, dense, r"$W_{unit}\,\mathrm{diag}(b)$")
    write(ax, (left + 2 * side + 0.67, MIDDLE), "=", 14)
    _matrix(ax, (left + 2 * side + 0.9, height), side, np.maximum(np.eye(6), dense), "$W$")
    x = left + 3 * side + 0.95
    x = _branch(ax, x, ("norm", "f"))
    arrow(ax, (x, MIDDLE), (9.0, MIDDLE))
    _heading(
        ax, "DiracNet",
        r"$h^{+} = f(\mathrm{norm}(h\,(\mathrm{diag}(a) + W_{unit}\,\mathrm{diag}(b)) + c))$",
    )  # fmt: skip
    return (
        "A DiracNet block: a plain block whose matrix is a sum, diag(a), which starts as the"
        " identity, and W_unit diag(b), weights of columns of length 1, made small by b. The skip"
        " is a part of the weights; nothing goes around."
    )


def _matrix(ax: Axes, corner: Point, side: float, shades: np.ndarray, name: str) -> None:
    cell = side / len(shades)
    for (row, column), shade in np.ndenumerate(shades):
        at = (corner[0] + cell * column, corner[1] + side - cell * (row + 1))
        color = style.tint(WEIGHTS, 0.9 * float(shade))
        ax.add_patch(Rectangle(at, cell, cell, facecolor=color, linewidth=0, zorder=3))
    ax.add_patch(
        Rectangle(
            corner, side, side, facecolor="none", edgecolor=style.ink(), linewidth=1, zorder=4
        )
    )
    write(ax, (corner[0] + side / 2, corner[1] + side + 0.25), name)


BLOCKS: dict[str, Callable[[Axes], str]] = {
    "plain": _plain, "residual": _residual, "highway": _highway, "diracnet": _diracnet,
}  # fmt: skip
WIDTHS = {"plain": 5.9, "residual": 5.9, "highway": 7.0, "diracnet": 9.5}
