"""Chains: one number, a network, a layer, the way forward and the way back, a recurrent chain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from course.arguments import reject, whole
from course.plots import style
from course.plots.diagrams.strokes import (
    BACKWARD,
    FORWARD,
    Drawing,
    Point,
    arrow,
    box,
    node,
    sheet,
    write,
)  # fmt: skip


def scalar(depth: int = 4) -> Drawing:
    """The scalar chain y_(l+1) = w y_l + b, forward above and its gradient backward below.

    depth: 2 to 6 layers. Raises ValueError for others.
    """
    depth = whole("depth", depth, least=2, most=6)
    step = 1.75
    fig, (ax,) = sheet(depth * step + 3.2, 2.9)
    places = [(1.6 + step * k, 1.6) for k in range(depth + 1)]
    for k, (x, y) in enumerate(places):
        node(ax, (x, y), rf"$y_{k}$", 0.34, FORWARD)
        if k:
            arrow(ax, (x - step + 0.3, y + 0.25), (x - 0.3, y + 0.25), FORWARD, bend=0.25)
            write(ax, (x - step / 2, y + 0.85), r"$\times\, w,\; +\, b$")
            back = ((x - 0.3, y - 0.25), (x - step + 0.3, y - 0.25))
            arrow(ax, *back, BACKWARD, bend=0.25, linestyle="--")
            write(ax, (x - step / 2, y - 0.85), r"$\times\, w$")
    write(ax, (0.7, 1.6), "input")
    write(ax, (places[-1][0] + 0.95, 1.6), "output")
    write(ax, (places[0][0], 0.25), rf"$dy_{depth}/dy_0 = w^{depth}$")
    write(ax, (places[-1][0], 0.25), rf"$dy_{depth}/dy_{depth} = 1$")
    return fig, (
        f"A chain of {depth + 1} numbers, y_0 to y_{depth}. Forward, each arrow multiplies by w and"
        f" adds b. Backward, each arrow multiplies by w only: the gradient is 1 at y_{depth} and"
        f" w^{depth} at y_0."
    )


def recurrent(steps: int = 4) -> Drawing:
    """A recurrent network: one unit that feeds itself, and the same chain in time.

    steps: 2 to 6. Raises ValueError for others.
    """
    steps = whole("steps", steps, least=2, most=6)
    fig, (ax,) = sheet(3.6 + 1.6 * steps, 2.6)
    node(ax, (1.2, 1.3), "$h$", 0.34, FORWARD)
    arrow(ax, (1.45, 1.5), (0.95, 1.5), bend=-2.2)
    write(ax, (1.2, 2.38), "$w$")
    arrow(ax, (0.1, 1.3), (0.84, 1.3))
    write(ax, (0.35, 1.55), "$x_t$")
    write(ax, (2.3, 1.3), "=", 16)
    for k in range(steps + 1):
        x = 3.1 + 1.6 * k
        node(ax, (x, 1.3), rf"$h_{k}$", 0.34, FORWARD)
        if k:
            arrow(ax, (x - 1.24, 1.3), (x - 0.36, 1.3), FORWARD)
            write(ax, (x - 0.8, 1.52), "$w$")
            arrow(ax, (x, 0.35), (x, 0.94))
            write(ax, (x, 0.15), rf"$x_{k}$")
    return fig, (
        f"Left: one unit h whose output comes back to it through a weight w. Right: the same unit"
        f" in time, h_0 to h_{steps}, a chain with the same w at each of {steps} steps."
    )


def network(widths: Sequence[int] = (6, 5, 5, 5, 3), names: Sequence[str] = ()) -> Drawing:
    """A network of layers, every unit joined to every unit of the next layer.

    widths: the units of each layer from input to output, 2 to 12 layers; more than 8 units are
    drawn as 7 and dots. names: what stands below each layer, "input", "1", ..., "output" if none.
    Raises ValueError for other widths or another number of names.
    """
    if not 2 <= len(widths) <= 12 or min(widths) < 1:
        raise reject("widths", list(widths), "2 to 12 numbers of units, each 1 or more")
    inner = [f"layer {k}" for k in range(1, len(widths) - 1)]
    names = list(names) or ["input", *inner, "output"]
    if len(names) != len(widths):
        raise reject("names", names, f"{len(widths)} names, one for each layer")
    fig, (ax,) = sheet(1.6 * len(widths), 4.6)
    columns = [_column(0.8 + 1.6 * k, width) for k, width in enumerate(widths)]
    for left, right in pairwise(columns):
        for a in left:
            for b in right:
                ax.plot(*zip(a, b, strict=True), color=style.GREY, linewidth=0.5, zorder=1)
    for column, width, name in zip(columns, widths, names, strict=True):
        for at in column:
            node(ax, at, "", 0.16, FORWARD)
        if width > 8:
            write(ax, (column[0][0], 2.5), r"$\vdots$", 16)
        write(ax, (column[0][0], 0.25), f"{name}\n{width} units", 9)
    sizes = ", ".join(map(str, widths))
    return fig, (
        f"A network of {len(widths)} columns of units, {sizes} from input to output. Every unit is"
        " joined by a line, a weight, to every unit of the next column."
    )


def _column(x: float, width: int) -> list[Point]:
    """Where the units of one layer stand; of more than 8, room for dots is left in the middle."""
    if width <= 8:
        return [(x, 2.55 + 0.45 * (k - (width - 1) / 2)) for k in range(width)]
    return [(x, 2.55 + 0.45 * k) for k in (-4, -3, -2, 2, 3, 4)]


def layer(fan_in: int = 3, width: int = 3) -> Drawing:
    """One layer, y = f(x W + b): inputs, weights, sums, the unit's curve, outputs.

    fan_in, width: 1 to 5 each. Raises ValueError for others.
    """
    fan_in = whole("fan_in", fan_in, least=1, most=5)
    width = whole("width", width, least=1, most=5)
    fig, (ax,) = sheet(9.4, 0.9 * max(fan_in, width) + 1.3)
    middle = 0.45 * max(fan_in, width) + 0.75
    inputs = [(1.0, middle + 0.9 * ((fan_in - 1) / 2 - k)) for k in range(fan_in)]
    heights = [middle + 0.9 * ((width - 1) / 2 - k) for k in range(width)]
    bend = np.linspace(-2.5, 2.5, 50)
    for j, y in enumerate(heights, start=1):
        for at in inputs:
            arrow(ax, (at[0] + 0.32, at[1]), (3.98, y), style.GREY, linewidth=0.9)
        box(ax, (4.6, y), rf"$z_{j} = \Sigma$", (1.2, 0.62))
        arrow(ax, (5.2, y), (5.95, y))
        box(ax, (6.4, y), "", (0.85, 0.62), style.PALETTE[3])
        ax.plot(6.4 + 0.12 * bend, y + 0.2 * np.tanh(bend), color=style.ink(), zorder=4)
        arrow(ax, (6.85, y), (7.75, y))
        node(ax, (8.1, y), rf"$y_{j}$", 0.32, FORWARD)
    for k, at in enumerate(inputs, start=1):
        node(ax, at, rf"$x_{k}$", 0.32, FORWARD)
    top = max(heights[0], inputs[0][1]) + 0.6
    captions = {1.0: "inputs $x$", 2.55: "weights $W$", 4.6: "sums $z$", 6.4: "curve $f$",
                8.1: "outputs $y$"}  # fmt: skip
    for x, caption in captions.items():
        write(ax, (x, top), caption)
    write(ax, (4.6, 0.2), r"$z = x\,W + b \qquad y = f(z)$", 12)
    return fig, (
        f"One layer. {fan_in} inputs x are joined by weights W to {width} sums z = x W + b. Each"
        " sum goes through the same curve f and gives one output, y = f(z)."
    )


def forward_backward(depth: int = 3) -> Drawing:
    """A network's pass forward, the gradient's way back, and where each weight's gradient is read.

    depth: 2 to 4 layers. Raises ValueError for others.
    """
    depth = whole("depth", depth, least=2, most=4)
    step = 2.9
    fig, (ax,) = sheet(step * depth + 2.9, 3.3)
    top, between, bottom = 2.8, 1.65, 0.5
    for k in range(depth + 1):
        x = 0.6 + step * k
        node(ax, (x, top), rf"$h_{k}$", 0.34, FORWARD)
        node(ax, (x, bottom), rf"$g_{k}$", 0.34, BACKWARD)
        if k < depth:
            middle = x + step / 2
            box(ax, (middle, top), rf"$f(\,h_{k} W_{k + 1})$", (1.5, 0.7), FORWARD)
            box(ax, (middle, bottom), rf"$\times f'\!,\; \times W_{k + 1}^T$", (1.5, 0.7), BACKWARD)
            arrow(ax, (x + 0.34, top), (middle - 0.75, top), FORWARD)
            arrow(ax, (middle + 0.75, top), (x + step - 0.34, top), FORWARD)
            arrow(ax, (x + step - 0.34, bottom), (middle + 0.75, bottom), BACKWARD, linestyle="--")
            arrow(ax, (middle - 0.75, bottom), (x + 0.34, bottom), BACKWARD, linestyle="--")
            arrow(ax, (x + 0.25, top - 0.28), (middle - 0.55, between), style.GREY, linewidth=1)
            arrow(ax, (middle, bottom + 0.35), (middle, between - 0.2), style.GREY, linewidth=1)
            write(ax, (middle, between), rf"$dC/dW_{k + 1}$")
    x = 0.6 + step * depth
    arrow(ax, (x + 0.34, top), (x + 1.15, top), FORWARD)
    box(ax, (x + 1.6, between), "cost\n$C$", (0.9, 3.0))
    arrow(ax, (x + 1.15, bottom), (x + 0.34, bottom), BACKWARD, linestyle="--")
    return fig, (
        f"Above, the pass forward: h_0, the input, goes through {depth} layers, each h_(l-1) to"
        " h_l = f(h_(l-1) W_l), and ends in the cost C. Below, the pass backward: the gradient"
        " g_l = dC/dh_l is multiplied in each layer by the slope f' and by W_l transposed. The"
        " gradient of W_l is made of what came in, h_(l-1), and of what comes back through f'."
    )
