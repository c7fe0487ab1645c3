"""Checks of notebook 03, sigmoid saturation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from course.lessons.sigmoid_saturation import science
from course.selfcheck import check, check_function


def check_lost_tanh(slope_at_2: Any, layers: Any) -> None:
    """The faded example: tanh units at z = 2, until the gradient is below 1e-7."""
    value = math.tanh(2.0)
    slope = 1 - value**2
    wanted = math.ceil(math.log(1e-7) / math.log(slope))
    slope_slips = [
        (value, "That is the value. Its slope is 1 - value squared."),
        (1 - value, "Square the value first."),
        (value * (1 - value), "That formula is the sigmoid's. For tanh it is 1 - value squared."),
        (1 - 4.0, "Not 1 - z squared: take the value tanh(2)."),
        (0.1049936, "That is the slope of a sigmoid at 2."),
    ]
    layer_slips = [
        (wanted - 1, "At that depth it is still above 1e-7: round up."),
        (math.log(1e-7) / math.log(slope), "A layer has a whole number: round up."),
        (12, "That is for a factor of 1/4."),
    ]
    check("slope_at_2", slope_at_2, slope, mistakes=slope_slips, tolerance=1e-3)
    check("layers", layers, wanted, mistakes=layer_slips)


def solve_gradient_factor(z: Any, scale: float) -> float:
    value = 1 / (1 + np.exp(-z))
    slope = value * (1 - value)
    return scale * np.sqrt(np.mean(slope**2))


def check_gradient_factor(gradient_factor: Callable[[Any, float], Any]) -> None:
    """The exercise, on units here and there; then against gradients that autograd measures."""
    spread = np.linspace(-6.0, 3.0, 40).reshape(8, 5)
    cases = [
        ((z, scale), scale * float(np.sqrt(np.mean(_slope(z) ** 2))))
        for z, scale in ((np.zeros((2, 3)), 4.0), (spread, 1.0), (spread, 7.0), (0 * spread + 5, 2))
    ]
    slips = [
        (lambda z, s: s * np.mean(_slope(z)), "Square the slopes before the mean, then the root."),
        (lambda z, s: s * np.mean(_slope(z) ** 2), "The root of the mean square is missing."),
        (lambda z, s: s**2 * np.mean(_slope(z) ** 2), "That is the factor of the mean square."),
        (lambda z, s: np.sqrt(np.mean(_slope(z) ** 2)), "The weight scale is missing."),
        (lambda z, s: s * _slope(np.mean(z)), "The slope of each unit first, then the mean."),
        (lambda z, s: s * np.sqrt(np.mean(_sigmoid(z) ** 2)), "Those are values, not slopes."),
        (
            lambda z, s: s * np.sqrt(np.mean((_sigmoid(z) * (1 - z)) ** 2)),
            "The slope is value times (1 - value), not (1 - z).",
        ),
    ]
    if check_function(
        "gradient_factor", gradient_factor, cases, mistakes=slips, solution=solve_gradient_factor
    ):
        layers = science.hidden_layers(science.network("sigmoid", 20, seeds=[0]), scale=1.0)
        yours = np.prod([gradient_factor(z, 1.0) for z in layers.z[1:, 0]]) ** (1 / 19)
        print(f"20 sigmoid layers: {yours:.3f} by your function, autograd {layers.growth[0]:.3f}.")


def _sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z)), elementwise, for every finite z."""
    small = np.exp(-np.abs(z))  # never overflows
    return np.where(np.asarray(z) < 0, small, 1.0) / (1 + small)


def _slope(z: Any) -> Any:
    return _sigmoid(z) * _sigmoid(-z)
