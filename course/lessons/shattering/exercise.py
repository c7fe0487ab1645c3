"""Checks of notebook 07c, shattering."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.lessons.shattering import science
from course.selfcheck import check_function, check_range

Array = NDArray[Any]


def solve_layer_norm(h: Array) -> Array:
    mean = h.mean(axis=1, keepdims=True)
    return (h - mean) / h.std(axis=1, keepdims=True)


def check_layer_norm(layer_norm: Callable[[Array], Any]) -> None:
    """The faded example: each example to mean 0 and variance 1 over its units."""

    def over_examples(h: Array) -> Array:
        return (h - h.mean(axis=0)) / h.std(axis=0)

    def mean_alone(h: Array) -> Array:
        return h - h.mean(axis=1, keepdims=True)

    def divided_alone(h: Array) -> Array:
        return h / h.std(axis=1, keepdims=True)

    def by_variance(h: Array) -> Array:
        return mean_alone(h) / h.var(axis=1, keepdims=True)

    def whole_table(h: Array) -> Array:
        return (h - h.mean()) / h.std()

    generator = np.random.default_rng(0)
    tables = [generator.normal(2.0, 3.0, size=size) for size in ((5, 4), (3, 8), (6, 6))]
    slips = [
        (over_examples, "That is batch norm: over the examples. Take the other axis."),
        (mean_alone, "The mean is right. Now divide by the deviation of the same row."),
        (divided_alone, "The size is right. Take off the mean of the row first."),
        (by_variance, "Divide by the deviation, the root of the variance."),
        (whole_table, "Mean and deviation are those of each row, not of the whole table."),
    ]
    cases = [((table,), solve_layer_norm(table)) for table in tables]
    check_function("layer_norm", layer_norm, cases, mistakes=slips, solution=solve_layer_norm)


def check_repair(branch: Callable[[int], Any]) -> bool:
    """The exercise: a factor on the branches at which a ResNet with batch norm does not shatter.

    Judged by what the network does: the correlation of neighbouring gradients at two depths, and
    how much of the signal at the end comes from the branches.
    """
    factors = {}
    for depth in (12, 48):
        value = branch(depth)
        if not check_range(f"branch({depth})", value, 0.0, 10.0):
            return False
        factors[depth] = float(value)
    right = True
    for depth, factor in factors.items():
        together, share = science.repaired(factor, depth)
        right &= together > 0.7 and share > 0.1
        print(
            f"{depth} blocks, branches x {factor:.3g}: correlation of neighbours {together:.2f}, "
            f"share of the signal that the branches make {share:.2f}"
        )
    if right:
        print("Repaired at both depths: the neighbours agree, and the branches count.")
    elif all(math.isclose(factor, factors[12]) for factor in factors.values()):
        print("Not yet: one factor for all depths is too large for one or too small for another.")
    else:
        print("Not yet: wanted are a correlation above 0.7 and a share above 0.1 at both depths.")
    return right
