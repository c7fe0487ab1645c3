"""Checks of notebook 12a, norms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.selfcheck import check_function

Array = NDArray[Any]


def _passed(a: float) -> float:
    """E f'(z)^2 of leaky ReLU with slope a on the left; it is E f(z)^2 as well."""
    return (1 + a * a) / 2


def _growth(a: float) -> float:
    return math.sqrt(_passed(a) / (_passed(a) - (1 - a) ** 2 / (2 * math.pi)))


def solve_batch_norm(z: Array, scale: Array, shift: Array) -> Array:
    mean, variance = z.mean(axis=0), z.var(axis=0)
    return scale * (z - mean) / np.sqrt(variance + 1e-5) + shift


def check_batch_norm(batch_norm: Callable[[Array, Array, Array], Any]) -> None:
    """The faded example: batch norm going forward."""

    def over_units(z: Array, scale: Array, shift: Array) -> Array:
        mean, variance = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
        return scale * (z - mean) / np.sqrt(variance + 1e-5) + shift

    def over_all(z: Array, scale: Array, shift: Array) -> Array:
        return scale * (z - z.mean()) / np.sqrt(z.var() + 1e-5) + shift

    def by_variance(z: Array, scale: Array, shift: Array) -> Array:
        return scale * (z - z.mean(axis=0)) / (z.var(axis=0) + 1e-5) + shift

    def unbiased(z: Array, scale: Array, shift: Array) -> Array:
        return scale * (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0, ddof=1) + 1e-5) + shift

    def bare(z: Array, scale: Array, shift: Array) -> Array:
        return (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)

    def no_epsilon(z: Array, scale: Array, shift: Array) -> Array:
        return scale * (z - z.mean(axis=0)) / z.std(axis=0) + shift

    draw = np.random.default_rng(0)
    sizes = [(6, 4), (3, 5)]
    arguments = [
        (0.05 + 0.1 * draw.normal(size=size), draw.normal(size=size[1]), draw.normal(size=size[1]))
        for size in sizes
    ]
    slips = [
        (over_units, "That is layer norm: take the mean over the examples, axis 0."),
        (over_all, "Each unit has a mean of its own: over the examples, axis 0."),
        (by_variance, "Divide by the root of the variance."),
        (unbiased, "The mean of the squares: divide by B, not B - 1, for the variance."),
        (bare, "Then each unit gets its scale and its shift."),
        (no_epsilon, "Add epsilon to the variance before the root."),
    ]
    cases = [(row, solve_batch_norm(*row)) for row in arguments]
    check_function("batch_norm", batch_norm, cases, mistakes=slips, solution=solve_batch_norm)


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
