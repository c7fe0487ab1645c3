"""Checks of notebook 02, when training blows up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course.lessons.blow_up import short_chain
from course.lessons.scalar_chain import science as scalar_chain
from course.selfcheck import check, check_function

LARGEST = scalar_chain.LARGEST["float32"]


def loss_overflows_at(depth: int) -> float:
    """The weight, equal in all layers, from which the loss of a chain is infinite: by bisection."""
    low, high = 1.0, 1e4
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        loss = short_chain.train(middle, depth=depth, rate=0.0, steps=1, seeds=[0]).loss[0, 0]
        low, high = (middle, high) if np.isfinite(loss) else (low, middle)
    return low


def check_largest_weight(exponent: Any, largest_weight: Any) -> None:
    """The faded example: how large may 20 equal weights be before the squared error overflows?"""
    exponent_slips = [
        (20, "That is the exponent of the output. The loss is its square."),
        (400, "Squaring doubles the exponent; it does not square it."),
        (39, "Near: that is the exponent of the gradient. The loss is the square of w^20."),
    ]
    weight_slips = [
        (LARGEST ** (1 / 20), "That is where the output overflows. The loss does so earlier."),
        (LARGEST / 40, "Undo a power with a root, not with a division."),
        (LARGEST**0.5, "That is the largest output. Its 20 factors are one weight each."),
    ]
    right = LARGEST ** (1 / 40)
    check("exponent", exponent, 40, mistakes=exponent_slips)
    if check("largest_weight", largest_weight, right, tolerance=0.01, mistakes=weight_slips):
        weight = loss_overflows_at(20)
        print(
            f"Run with 20 layers, the loss is infinite from {weight:.1f} on: "
            "the sum of 32 squares overflows a little earlier than one square."
        )


def solve_clip(gradient: Any, most: float) -> Any:
    norm = np.sqrt(np.sum(gradient**2))
    if norm <= most:  # also the gradient 0, which cannot be divided by its norm
        return gradient
    return gradient * most / norm


def check_clip(clip: Callable[[Any, float], Any]) -> None:
    """The exercise: scale a gradient down to the norm `most`, where it is longer."""
    gradients = ([3.0, 4.0], [-300.0, 400.0], [0.3, -0.4], [0.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    cases = [
        ((np.array(gradient), most), np.array(gradient) * min(1.0, most / (norm or 1.0)))
        for gradient in gradients
        for most in (1.0, 10.0)
        for norm in [float(np.linalg.norm(gradient))]
    ]
    slips: list[tuple[Callable[..., Any], str]] = [
        (
            lambda g, m: np.clip(g, -m, m),
            "That clips each number by itself, and so turns the gradient into another direction.",
        ),
        (
            lambda g, m: np.minimum(g, m),
            "That cuts each number, and leaves large negative ones. Scale the whole gradient.",
        ),
        (
            lambda g, m: g * m / (np.linalg.norm(g) or 1.0),
            "That makes short gradients longer, too. Leave them as they are.",
        ),
        (
            lambda g, m: g / max(1.0, float(np.linalg.norm(g))),
            "Its norm is at most 1 now. It should be at most `most`.",
        ),
        (
            lambda g, m: g * min(1.0, m / (float((g**2).sum()) or 1.0)),
            "Divide by the norm, the root of the sum of squares.",
        ),
        (lambda g, m: g * 0 if np.linalg.norm(g) > m else g, "The step has been thrown away."),
    ]
    check_function("clip", clip, cases, mistakes=slips, solution=solve_clip)
