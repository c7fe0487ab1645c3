"""Checks of notebook 08, degradation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from course.lessons.degradation.science import GROWTH
from course.selfcheck import check, check_function

CASES = [
    ((0.99, 0.97, 0.70, 0.68), "degradation"),
    ((0.99, 0.97, 1.00, 0.90), "overfitting"),
    ((0.99, 0.97, 1.00, 0.975), "fine"),
    ((0.99, 0.97, 0.988, 0.968), "fine"),
    ((1.00, 0.90, 0.95, 0.93), "degradation"),
    ((0.85, 0.84, 0.95, 0.80), "overfitting"),
]


def check_million(factor: Any, blocks: Any) -> None:
    """The faded example: how many steps from block to block until gradients grew a million-fold?"""
    factor_slips = [
        (GROWTH**2, "That is the growth of the square of the gradient. Take the root."),
        (math.sqrt(2.0), "ReLU alone would give that. Which variance does relu(z) have?"),
        (math.sqrt(math.pi), "And the norm divides by the deviation of relu(z)."),
    ]
    block_slips = [
        (math.log10(1e6) / math.log(GROWTH), "Use one kind of logarithm for both."),
        (1e6 / GROWTH, "Factors multiply: think of logarithms."),
    ]
    check("factor", factor, GROWTH, tolerance=1e-3, mistakes=factor_slips)
    check("blocks", blocks, math.log(1e6) / math.log(GROWTH), tolerance=0.01, mistakes=block_slips)


def solve_diagnose(
    shallow_train: float, shallow_test: float, deep_train: float, deep_test: float
) -> str:
    if deep_train < shallow_train - 0.01:  # it fits worse even what it was trained on
        return "degradation"
    if deep_test < shallow_test - 0.01:
        return "overfitting"
    return "fine"


def check_diagnose(diagnose: Callable[[float, float, float, float], Any]) -> None:
    """The exercise: overfitting, degradation or fine?"""

    def by_test(a: float, b: float, c: float, d: float) -> str:
        return "degradation" if d < b - 0.01 else "fine"

    def all_overfitting(a: float, b: float, c: float, d: float) -> str:
        return "overfitting" if d < b - 0.01 else "fine"

    def gap(a: float, b: float, c: float, d: float) -> str:
        return "overfitting" if c - d > a - b + 0.01 else "degradation" if d < b - 0.01 else "fine"

    def no_margin(a: float, b: float, c: float, d: float) -> str:
        return "degradation" if c < a else "overfitting" if d < b else "fine"

    def test_first(a: float, b: float, c: float, d: float) -> str:
        if d < b - 0.01:
            return "degradation" if c < a - 0.01 else "overfitting"
        return "fine"

    slips = [
        (by_test, "The test accuracy alone cannot tell the two apart."),
        (all_overfitting, "Look at the training accuracy: has it fallen too?"),
        (gap, "Compare the deep network with the shallow one on the training set first."),
        (no_margin, "A tenth of a percent is noise: what differs by less than 0.01 is equal."),
        (test_first, "Degradation is about the training set: look there first."),
    ]
    check_function("diagnose", diagnose, CASES, mistakes=slips, solution=solve_diagnose)
