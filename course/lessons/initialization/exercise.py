"""Checks of notebook 05, initialization, depth and width."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from course.lessons.initialization import gaussian_means, mean_field
from course.selfcheck import check, check_function


def check_dropout(left: Any, scale: Any) -> None:
    """The faded example: linear units of which a fifth, drawn anew, is set to 0."""
    left_slips = [
        (0.2, "That is the share that is lost."),
        (0.64, "Units are set to 0, not multiplied by 0.8: of E h squared, 0.8 is left."),
        (0.4, "There is no ReLU here: only dropout takes something away."),
    ]
    scale_slips = [
        (1 / 0.8, "That is the factor on the variance. The scale is its root."),
        (math.sqrt(0.8), "The weights have to make up for the loss: the other way round."),
        (math.sqrt(2 / 0.8), "There is no ReLU here."),
        (0.8, "The weights have to make up for the loss, and the scale is a root."),
    ]
    check("left", left, 0.8, mistakes=left_slips, tolerance=1e-3)
    check("scale", scale, 1 / math.sqrt(0.8), mistakes=scale_slips, tolerance=1e-3)


def solve_critical_scale(q: float, z: Any, weights: Any) -> float:
    slope = 1 - np.tanh(np.sqrt(q) * z) ** 2
    return 1 / np.sqrt(np.sum(weights * slope**2))


def check_critical_scale(critical_scale: Callable[..., Any]) -> None:
    """The exercise: sigma_w on the line between order and chaos, by a sum over points."""
    z, weights = gaussian_means.normal_points()
    cases = [
        ((q, z, weights), float(mean_field.critical_line(q)[0])) for q in (0.0, 0.25, 1.0, 4.0)
    ]
    slips = [
        (lambda q, z, w: _slope(q, z) ** 2 @ w, "That is the mean square of the slopes."),
        (lambda q, z, w: 1 / (_slope(q, z) ** 2 @ w), "That is sigma_w squared: take the root."),
        (lambda q, z, w: 1 / (_slope(q, z) @ w), "Square the slopes before the mean."),
        (lambda q, z, w: 1 / np.sqrt(_slope(q**2, z) ** 2 @ w), "z times the root of q, not q."),
        (
            lambda q, z, w: 1 / np.sqrt(np.mean(_slope(q, z) ** 2)),
            "Weigh the points: sum of weights times values, not their plain mean.",
        ),
        (
            lambda q, z, w: (
                1 / np.sqrt(np.sum(w * np.tanh(np.sqrt(q) * z) ** 2)) if q else math.inf
            ),
            "Those are values of tanh. The slope is 1 - value squared.",
        ),
    ]
    check_function(
        "critical_scale", critical_scale, cases, mistakes=slips, solution=solve_critical_scale
    )


def _slope(q: float, z: Any) -> Any:
    return 1 - np.tanh(np.sqrt(q) * z) ** 2
