"""Checks of notebook 12, normalization and initialization."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from course.selfcheck import check, check_function


def _passed(a: float) -> float:
    """E f'(z)^2 of leaky ReLU with slope a on the left; it is E f(z)^2 as well."""
    return (1 + a * a) / 2


def _growth(a: float) -> float:
    return math.sqrt(_passed(a) / (_passed(a) - (1 - a) ** 2 / (2 * math.pi)))


def check_half(layer: Any, batch: Any) -> None:
    """The faded example: growth per block with leaky ReLU of slope 1/2 and either norm."""
    layer_slips = [
        (math.sqrt(_passed(0.5)), "And what does the norm divide by?"),
        (_growth(0.5), "Layer norm does not take the mean over the examples off."),
    ]
    batch_slips = [
        (_growth(0.5) ** 2, "That is for the square of the gradient: take the root."),
        (1.0, "Batch norm divides by the deviation: take the square of the mean off E f²."),
        (_growth(0.0), "That is ReLU, slope 0."),
        (
            math.sqrt(_passed(0.5) / (_passed(0.5) - 0.5 / math.sqrt(2 * math.pi))),
            "Take the *square* of the mean off.",
        ),
    ]
    check("layer", layer, 1.0, tolerance=1e-3, mistakes=layer_slips)
    check("batch", batch, _growth(0.5), tolerance=1e-3, mistakes=batch_slips)


CASES = [((a,), _growth(a)) for a in (0.0, 0.01, 0.2, 0.5, 1.0, -1.0)]


def solve_growth(a: float) -> float:
    square = (1 + a**2) / 2  # E f'(z)^2, and E f(z)^2 as well
    mean = (1 - a) / math.sqrt(2 * math.pi)
    return math.sqrt(square / (square - mean**2))


def check_leaky(growth: Callable[[float], Any]) -> None:
    """The exercise: growth per block with batch norm and leaky ReLU of any slope."""

    def not_squared(a: float) -> float:
        return _growth(a) ** 2

    def no_mean(a: float) -> float:
        return 1.0

    def only_relu(a: float) -> float:
        return _growth(0.0)

    def mean_of_relu(a: float) -> float:
        return math.sqrt(_passed(a) / (_passed(a) - 1 / (2 * math.pi)))

    def half_passes(a: float) -> float:
        return math.sqrt(0.5 / (_passed(a) - (1 - a) ** 2 / (2 * math.pi)))

    def plus(a: float) -> float:
        return math.sqrt(_passed(a) / (_passed(a) - (1 + a) ** 2 / (2 * math.pi)))

    slips = [
        (not_squared, "That is for the square of the gradient: take the root."),
        (no_mean, "That is layer norm. Batch norm takes the mean over the examples off first."),
        (only_relu, "It does not depend on the slope yet."),
        (mean_of_relu, "The left side contributes to the mean as well, with the other sign."),
        (half_passes, "The left side lets a part of the gradient pass: a² of its square."),
        (plus, "On the left z is negative: the two halves of the mean have opposite signs."),
    ]
    check_function("growth", growth, CASES, mistakes=slips, solution=solve_growth)
