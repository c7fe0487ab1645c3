"""Checks of notebook 07a, products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from course.lessons.products import science
from course.selfcheck import check, check_function

GOAL = 2.0**-24


def check_logarithms(of_the_threshold: Any, of_the_share: Any) -> None:
    """The faded example: from how many factors on is half of the directions below 2^-24?"""
    threshold_slips = [
        (math.log10(GOAL), "That is a logarithm to base 10. Both could be; take math.log."),
        (-24.0, "That is a logarithm to base 2. Both could be; take math.log for both."),
        (GOAL, "That is the threshold itself. Take its logarithm."),
    ]
    share_slips = [
        (math.log10(0.5), "That is a logarithm to base 10. Both could be; take math.log."),
        (0.5, "That is the share itself. Take its logarithm."),
        (2 * math.log(0.5), "The 2 stands in front of the other logarithm."),
    ]
    one = check("log_threshold", of_the_threshold, math.log(GOAL), mistakes=threshold_slips)
    other = check("log_share", of_the_share, math.log(0.5), mistakes=share_slips)
    if one and other:
        depth = round(2 * of_the_threshold / of_the_share)
        log10 = science.spectrum("Gaussian", depth, width=50, seeds=range(3)).log10
        share = np.mean(log10 < math.log10(GOAL))
        print(f"Measured with {depth} factors of 50 x 50: {share:.0%} are below 2^-24.")


def solve_directions_left(width: int, depth: int, threshold: float) -> float:
    below = threshold ** (2 / depth)  # share of the singular values that are below the threshold
    return width * (1 - below)


def check_directions_left(directions_left: Callable[[int, int, float], Any]) -> None:
    """The exercise: n (1 - t^(2/L)); then the same counted in products that are multiplied out."""
    cases = [
        ((n, depth, threshold), n * (1 - threshold ** (2 / depth)))
        for n in (50, 512)
        for depth, threshold in ((10, 1e-3), (40, 1e-6), (100, 0.1))
    ]
    slips = [
        (lambda n, d, t: n * t ** (2 / d), "Those are the directions that are lost."),
        (lambda n, d, t: 1 - t ** (2 / d), "That is a share. How many of n?"),
        (lambda n, d, t: n * (1 - t ** (1 / d)), "Is the exponent 1/L, or 2/L?"),
        (lambda n, d, t: n * (1 - t ** (d / 2)), "Look at the exponent: it is 2/L."),
    ]
    if check_function(
        "directions_left", directions_left, cases, mistakes=slips, solution=solve_directions_left
    ):
        said = directions_left(50, 40, 1e-6)
        spectrum = science.spectrum("Gaussian", 40, width=50, seeds=range(3)).log10
        counted = np.mean(np.sum(spectrum >= -6, axis=1))
        print(f"50 units, 40 layers, 1e-6: you say {said:.1f}; counted in 3 draws, {counted:.1f}.")
