"""Checks of notebook 10b, schedules of phasing out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from course.lessons.van import science
from course.selfcheck import check_function


def solve_alpha_step(steps: float, ratio: float, multiplier: float) -> float:
    root = math.sqrt(ratio)
    return math.atan(root / -multiplier) / (steps * root)


def check_alpha_step(alpha_step: Callable[[float, float, float], Any]) -> None:
    """The exercise: the alpha step with which skips leave after a given number of steps."""

    def right(steps: float, ratio: float, multiplier: float) -> float:
        return science.removal_time(1.0, ratio, multiplier) / steps

    arguments = [(180.0, 0.5, -1.0), (500.0, 0.0125, -0.05), (10.0, 1.0, -2.0), (87.0, 0.1, -1.0)]
    cases = [(case, right(*case)) for case in arguments]
    slips = [
        (lambda t, r, m: science.removal_time(t, r, m), "Solve for eta: t and eta trade places."),
        (lambda t, r, m: 1 / (t * -m), "That is for r = 0. Here the multiplier falls as well."),
        (
            lambda t, r, m: math.degrees(math.atan(math.sqrt(r) / -m)) / (t * math.sqrt(r)),
            "Take the angle in radians.",
        ),
        (
            lambda t, r, m: math.atan(math.sqrt(r) / m) / (t * math.sqrt(r)),
            "Take the absolute value of lambda_0.",
        ),
        (
            lambda t, r, m: math.atan(r / -m) / (t * r),
            "The root of r belongs in both places.",
        ),
    ]
    check_function("alpha_step", alpha_step, cases, mistakes=slips, solution=solve_alpha_step)
