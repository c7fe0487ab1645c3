"""Checks of notebook 12b, starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course import networks
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.selfcheck import check_function

Array = NDArray[Any]


def solve_mirrored(V: Array) -> Array:
    return np.block([[V, -V], [-V, V]])


def check_mirrored(mirrored: Callable[[Array], Any]) -> None:
    """The faded example: W for which pairs [relu(u), relu(-u)] become [u V, -u V]."""

    def positive(V: Array) -> Array:
        return np.block([[V, V], [V, V]])

    def diagonal(V: Array) -> Array:
        return np.block([[V, 0 * V], [0 * V, V]])

    def crossed(V: Array) -> Array:
        return np.block([[V, -V], [V, -V]])

    def stacked(V: Array) -> Array:
        return np.block([[V, V], [-V, -V]])

    def opposite(V: Array) -> Array:
        return np.block([[-V, V], [V, -V]])

    draw = np.random.default_rng(0)
    cases = [((V,), solve_mirrored(V)) for V in (draw.normal(size=(2, 2)), np.eye(3))]
    slips = [
        (positive, "relu(u) V + relu(-u) V is |u| V: one of the two needs a minus."),
        (diagonal, "Both halves of the input go to both halves of the output."),
        (crossed, "The first half of the output is relu(u) V - relu(-u) V = u V."),
        (stacked, "The second half of the output should be -u V, the mirror image."),
        (opposite, "That gives [-u V, u V]: the first half is u V."),
    ]
    check_function("mirrored", mirrored, cases, mistakes=slips, solution=solve_mirrored)


def solve_branch(depth: int, most: float) -> float:
    square = most ** (1 / depth) - 1  # a block multiplies mean squares by 1 + b^2
    return square**0.5


def check_branch(branch: Callable[[int, float], Any]) -> bool:
    """The exercise: the factor on branches with which mean squares grow `most`-fold in all."""

    def one_block(depth: int, most: float) -> float:
        return (most - 1) ** 0.5

    def square(depth: int, most: float) -> float:
        return most ** (1 / depth) - 1

    def root(depth: int, most: float) -> float:
        return most ** (0.5 / depth)

    def size(depth: int, most: float) -> float:
        return most ** (1 / depth) - 1 if depth == 1 else (most ** (2 / depth) - 1) ** 0.5

    def divided(depth: int, most: float) -> float:
        return depth**-0.5

    cases = [(row, solve_branch(*row)) for row in ((50, np.e), (10, 2.0), (1, 2.0), (100, 10.0))]
    slips = [
        (one_block, "That is for one block: the factors 1 + b² of all blocks multiply."),
        (square, "That is b²: take the root."),
        (root, "A block multiplies mean squares by 1 + b²: solve for b."),
        (size, "`most` is for mean squares, not for sizes."),
        (divided, "1/√L gives e for many blocks. It does not depend on `most` yet."),
    ]
    verdict = check_function("branch", branch, cases, mistakes=slips, solution=solve_branch)
    return bool(verdict)


def train_both(branch: Callable[[int, float], Any], examples: Dataset) -> None:
    """Print what 50 residual blocks without a norm fit, with branches as they are and divided."""
    for words, factor in (("branches as they are", 1.0), ("your factor", branch(50, 2.0))):
        net = networks.build(
            "resnet", like=examples, width=50, depth=50, seeds=range(3), norm=None,
            init="he_normal", branch=float(factor),
        )  # fmt: skip
        *_, last = degradation.train(net, examples, epochs=5, rate=0.03)
        assert last.train_accuracy is not None
        print(f"50 blocks, {words}: training accuracy {100 * last.train_accuracy.mean():.0f} %")
