"""Checks of notebook 08, degradation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.selfcheck import check_function

Array = NDArray[Any]

CASES = [
    ((0.99, 0.97, 0.70, 0.68), "degradation"),
    ((0.99, 0.97, 1.00, 0.90), "overfitting"),
    ((0.99, 0.97, 1.00, 0.975), "fine"),
    ((0.99, 0.97, 0.988, 0.968), "fine"),
    ((1.00, 0.90, 0.95, 0.93), "degradation"),
    ((0.85, 0.84, 0.95, 0.80), "overfitting"),
]


def solve_identity_block(h: Array) -> tuple[Array, Array, Array]:
    weights = np.eye(h.shape[1])  # z = h, unit by unit
    scale = h.std(axis=0)  # the norm divides by the deviation: multiply by it
    shift = h.mean(axis=0)  # the norm takes the mean off: add it
    return weights, scale, shift


def check_identity_block(identity_block: Callable[[Array], Any]) -> None:
    """The faded example: a block with batch norm that hands on what comes in."""

    def variance(h: Array) -> tuple[Array, Array, Array]:
        return np.eye(h.shape[1]), h.var(axis=0), h.mean(axis=0)

    def inverse(h: Array) -> tuple[Array, Array, Array]:
        return np.eye(h.shape[1]), 1 / h.std(axis=0), h.mean(axis=0)

    def minus(h: Array) -> tuple[Array, Array, Array]:
        return np.eye(h.shape[1]), h.std(axis=0), -h.mean(axis=0)

    def swapped(h: Array) -> tuple[Array, Array, Array]:
        return np.eye(h.shape[1]), h.mean(axis=0), h.std(axis=0)

    def start(h: Array) -> tuple[Array, Array, Array]:
        return np.eye(h.shape[1]), np.ones(h.shape[1]), np.zeros(h.shape[1])

    def of_all(h: Array) -> tuple[Array, Array, Array]:
        ones = np.ones(h.shape[1])
        return np.eye(h.shape[1]), h.std() * ones, h.mean() * ones

    def sample(h: Array) -> tuple[Array, Array, Array]:
        return np.eye(h.shape[1]), h.std(axis=0, ddof=1), h.mean(axis=0)

    generator = np.random.default_rng(0)
    layers = [np.maximum(generator.normal(1, 1, shape), 0) for shape in ((40, 3), (7, 5))]
    slips = [
        (variance, "The norm divides by the deviation, the root of the variance."),
        (inverse, "The norm has divided by the deviation already: undo it."),
        (minus, "The norm has taken the mean off already: put it back."),
        (swapped, "Which one multiplies, which one is added?"),
        (start, "That leaves what the norm has made: mean 0, deviation 1, and ReLU cuts it."),
        (of_all, "One mean and one deviation for each unit: over the examples, axis 0."),
        (sample, "Batch norm divides by the deviation with n, not n - 1."),
    ]
    cases = [((layer,), solve_identity_block(layer)) for layer in layers]
    check_function(
        "identity_block", identity_block, cases, mistakes=slips, solution=solve_identity_block
    )


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
