"""Checks of notebook 04, ReLU and its family."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from course import measures
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


def solve_rank(h: Any) -> Any:
    s = np.linalg.svd(h - h.mean(axis=0), compute_uv=False)
    p = s / s.sum()
    p = p[p > 0]  # 0 log 0 is 0
    return np.exp(-np.sum(p * np.log(p)))


def check_rank(effective_rank: Callable[[Any], Any]) -> None:
    """The function that the student builds, on tables with equal and with unequal directions."""
    rng = np.random.default_rng(0)
    equal = np.concatenate([np.eye(5), -np.eye(5)])  # mean 0, five directions of one length
    tables = [equal, rng.standard_normal((30, 8)), rng.standard_normal((30, 8)) ** 2 * np.arange(8)]
    tables[2] = tables[2] + 3.0  # a mean that is not 0
    cases = [((h,), measures.effective_rank(h).item()) for h in tables]
    slips: list[tuple[Callable[[Any], Any], str]] = [
        (lambda h: measures.effective_rank(h, centred=False).item(), "Take off the mean row."),
        (lambda h: measures.participation_ratio(h).item(), "Entropy: p log p, with p = s / sum."),
        (lambda h: math.log(measures.effective_rank(h).item()), "That is the entropy: take exp."),
        (lambda h: 1 / measures.effective_rank(h).item(), "The entropy has a minus: -sum p log p."),
        (lambda h: float(np.linalg.matrix_rank(h)), "That counts every direction alike."),
    ]
    check_function(
        "effective_rank", effective_rank, cases, mistakes=slips, solution=solve_rank,
        tolerance=1e-4,
    )  # fmt: skip
