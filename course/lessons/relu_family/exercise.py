"""Checks of notebook 04, ReLU and its family."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from course.lessons.sigmoid_saturation import science as sigmoid_saturation
from course.selfcheck import check, check_function


def check_leaky_scale(mean_square_slope: Any, scale: Any) -> None:
    """The faded example: slope 1 for positive inputs, 1/2 for negative ones."""
    wanted = (1 + 0.5**2) / 2
    slope_slips = [
        (0.75, "That is the mean slope. Square first, then take the mean."),
        (1.25, "That is the sum. Each half of the inputs counts one half."),
        (0.5, "That is ReLU. The other half has the slope 1/2 here."),
        (0.5625, "Square each slope first, then take the mean."),
    ]
    scale_slips = [
        (1 / wanted, "That is the square of the scale: take the root."),
        (math.sqrt(wanted), "The scale has to make up for the loss: 1 / root."),
        (math.sqrt(2), "That is the scale for ReLU; here less is lost."),
    ]
    check("mean_square_slope", mean_square_slope, wanted, mistakes=slope_slips, tolerance=1e-3)
    check("scale", scale, 1 / math.sqrt(wanted), mistakes=scale_slips, tolerance=1e-3)


def solve_scale_range(depth: int, room: float) -> tuple[float, float]:
    root = room ** (1 / depth)  # what each layer may add
    return math.sqrt(2) / root, math.sqrt(2) * root


def check_scale_range(scale_range: Callable[[int, float], Any]) -> None:
    """The exercise: in which range of scales does the gradient stay within a factor `room`?"""
    root = math.sqrt(2)

    def right(depth: int, room: float) -> tuple[float, float]:
        return root * room ** (-1 / depth), root * room ** (1 / depth)

    cases = [((n, room), right(n, room)) for n, room in ((1, 2.0), (10, 10.0), (100, 10.0))]
    slips = [
        (lambda n, r: right(n, r)[::-1], "The smaller one first."),
        (lambda n, r: tuple(v / root for v in right(n, r)), "Each layer takes s / root 2, not s."),
        (lambda n, r: tuple(v / root * 2 for v in right(n, r)), "The factor is s / root 2."),
        (lambda n, r: right(n, math.sqrt(r)), "The gradient itself, not its square, has room r."),
        (lambda n, r: right(n, r**2), "The gradient itself, not its square, has room r."),
        (lambda n, r: (root / r / n, root * r / n), "Layers multiply: take the n-th root of r."),
        (lambda n, r: (root / r, root * r), "Depth is missing: take the n-th root of r."),
    ]
    if check_function(
        "scale_range", scale_range, cases, mistakes=slips, solution=solve_scale_range
    ):
        for scale in scale_range(29, 10.0):
            net = sigmoid_saturation.network("relu", 30, scale=scale)
            growth = sigmoid_saturation.hidden_layers(net, scale=scale).growth.mean()
            print(f"Scale {scale:.3f}: autograd finds {growth**29:.2g} over 29 layers.")
