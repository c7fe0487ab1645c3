"""Checks of notebook 10, phasing the skips out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from course.lessons.van import science
from course.selfcheck import check_function


def solve_van_step(
    alpha: np.ndarray, multiplier: np.ndarray, slope: np.ndarray, eta: float, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    new = np.clip(alpha - eta * (slope + multiplier), 0, 1)
    return new, multiplier + ratio * eta * (alpha - 1)


def check_van_step(van_step: Callable[..., Any]) -> None:
    """Eqs. 7 and 8: alpha and lambda after a step, from arrays of one entry for each unit."""
    rng = np.random.default_rng(0)
    cases = []
    for eta, ratio in ((0.01, 0.5), (0.3, 0.1), (1.5, 1.0)):
        alpha, slope = rng.uniform(0, 1, 6), rng.normal(0, 0.3, 6)
        arguments = (alpha, rng.uniform(-1, 0.2, 6), slope, eta, ratio)
        cases.append((arguments, solve_van_step(*arguments)))

    def rise(eta: float, ratio: float, alpha: np.ndarray) -> np.ndarray:
        return ratio * eta * (alpha - 1)

    def new(a: np.ndarray, m: np.ndarray, s: np.ndarray, eta: float) -> np.ndarray:
        return np.clip(a - eta * (s + m), 0, 1)

    slips = [
        (
            lambda a, m, s, e, r: (a - e * (s + m), m + rise(e, r, a)),
            "Clip the new alpha to [0, 1].",
        ),
        (
            lambda a, m, s, e, r: (new(a, m, s, e), m + rise(e, r, new(a, m, s, e))),
            "Both updates use the old alpha.",
        ),
        (
            lambda a, m, s, e, r: (new(a, m, s, e), m - rise(e, r, a)),
            "The multiplier goes uphill: while alpha < 1 it must fall, and push harder.",
        ),
        (
            lambda a, m, s, e, r: (new(a, m, s, e), m + e * (a - 1)),
            "The multiplier's step is eta' = ratio times eta.",
        ),
        (
            lambda a, m, s, e, r: (np.clip(a + e * (s + m), 0, 1), m + rise(e, r, a)),
            "Alpha goes downhill: mind the sign.",
        ),
    ]
    check_function("van_step", van_step, cases, mistakes=slips, solution=solve_van_step)


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
