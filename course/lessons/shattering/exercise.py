"""Checks of notebook 07c, shattering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.lessons.shattering import science
from course.selfcheck import check_function

Array = NDArray[Any]
NO_FACTOR = "has no factor on its branches"


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


def _repaired(branch: Callable[[int], Any], depth: int) -> Any:
    """What becomes of a ResNet with batch norm and this factor on its branches, in words."""
    factor = branch(depth)
    if factor is None or factor is ...:
        return factor
    number = isinstance(factor, int | float | np.number) and not isinstance(factor, bool)
    if not number or not 0 <= factor <= 10:
        return NO_FACTOR
    together, share = science.repaired(float(factor), depth)
    return "shatters" if together <= 0.7 else "ignores its branches" if share <= 0.1 else "is well"


def check_repair(branch: Callable[[int], Any]) -> None:
    """The exercise: a factor on the branches at which a ResNet with batch norm does not shatter.

    Judged by what the network does: the correlation of neighbouring gradients at two depths, and
    how much of the signal at the end comes from the branches.
    """
    slips: list[tuple[Callable[..., Any], str]] = [
        (lambda depth: "", "Return one number, from 0 to 10."),
        (lambda depth: 1.0, "One factor for all depths? 48 branches add more than 12."),
    ]
    right = check_function(
        "branch", branch, [((12,), "is well"), ((48,), "is well")], mistakes=slips,
        trial=_repaired, gives="makes a network that",
    )  # fmt: skip
    for depth in (12, 48) if right else ():
        together, share = science.repaired(float(branch(depth)), depth)
        print(
            f"{depth} blocks: correlation of neighbours {together:.2f}, share of the signal that "
            f"the branches make {share:.2f}"
        )
