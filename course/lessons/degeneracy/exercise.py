"""Checks of notebook 06, degeneracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course.selfcheck import check_function


def solve_scale_and_rank(s: Any) -> tuple[float, float]:
    s = np.array(s, dtype=float)
    scale = np.sqrt(np.mean(s**2))
    rank = np.sum(s**2) ** 2 / np.sum(s**4)
    return scale, rank


def check_scale_and_rank(scale_and_rank: Callable[[Any], Any]) -> None:
    """The exercise: root mean square and participation ratio of singular values."""

    def rank(s: Any) -> float:
        return float(np.sum(np.square(s)) ** 2 / np.sum(np.power(s, 4)))

    def rms(s: Any) -> float:
        return float(np.sqrt(np.mean(np.square(s))))

    cases = [
        (([1, 1, 1, 1],), (1.0, 4.0)),
        (([3, 0, 0, 0],), (1.5, 1.0)),
        (([2, 2, 0, 0],), (2**0.5, 2.0)),
    ]
    slips = [
        (lambda s: (np.mean(s), rank(s)), "Square before the mean."),
        (lambda s: (np.mean(np.square(s)), rank(s)), "Take the root."),
        (lambda s: (rms(s), np.sum(s) ** 2 / np.sum(np.square(s))), "Squares in the rank."),
    ]
    check_function(
        "scale_and_rank", scale_and_rank, cases, mistakes=slips, solution=solve_scale_and_rank
    )
