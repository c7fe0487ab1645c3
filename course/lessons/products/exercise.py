"""Checks of notebook 07a, products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course.lessons.products import science
from course.selfcheck import check_function

Ways = Callable[[list[Tensor]], Any]


def solve_by_hand(factors: list[Tensor]) -> Tensor:
    P = factors[0]
    for W in factors[1:]:
        P = P @ W
    return torch.linalg.svdvals(P).log10()


def solve_by_qr(factors: list[Tensor]) -> Tensor:
    Q = torch.eye(len(factors[0]), dtype=factors[0].dtype)
    logs = torch.zeros(len(Q), dtype=Q.dtype)
    for W in reversed(factors):
        Q, R = torch.linalg.qr(W @ Q)
        logs = logs + R.diagonal().abs().log10()
    return logs.sort(descending=True).values


def check_products(
    by_hand: Callable[[list[Tensor]], Any], by_qr: Callable[[list[Tensor]], Any]
) -> None:
    """The two functions that the student builds; then the smallest value, as both see it."""
    stream = torch.Generator().manual_seed(7)
    shapes = [(2, 3), (3, 4), (5, 2)]
    cases = [
        [torch.randn(n, n, generator=stream, dtype=torch.float64) for _ in range(count)]
        for count, n in shapes
    ]
    slips: list[tuple[Ways, str]] = [
        (lambda f: torch.linalg.svdvals(science.multiply(f)), "Those are the values: take log10."),
        (lambda f: torch.linalg.svdvals(science.multiply(f)).log(), "Take logarithms to base 10."),
        (lambda f: sum(torch.linalg.svdvals(W).log10() for W in f), "Singular values of a product "
         "are not products of singular values: multiply the matrices first."),
        (lambda f: solve_by_hand(f[::-1]), "The order: W_1 W_2 ... W_L, from left to right."),
    ]  # fmt: skip
    one = check_function(
        "by_hand", by_hand, [((case,), solve_by_hand(case)) for case in cases],
        mistakes=slips, solution=solve_by_hand,
    )  # fmt: skip
    wrong: list[tuple[Ways, str]] = [
        (lambda f: solve_by_qr(f[::-1]), "From the last factor to the first: reversed(factors)."),
        (solve_by_hand, "That multiplies the matrices. Add up logarithms of the diagonals of R."),
        (lambda f: solve_by_qr(f).flip(0), "Largest first: sort(descending=True)."),
    ]
    other = check_function(
        "by_qr", by_qr, [((case,), solve_by_qr(case)) for case in cases],
        mistakes=wrong, solution=solve_by_qr,
    )  # fmt: skip
    if one and other:
        _compare(by_hand, by_qr)


def _compare(by_hand: Ways, by_qr: Ways) -> None:
    """Both for ten factors, where they still agree: a hundred come after the prediction."""
    ten = [factor[0] for factor in science.factors("Gaussian", 10, width=8, seeds=[0])]
    least = [float(torch.as_tensor(way(ten))[-1]) for way in (by_hand, by_qr)]
    print(
        f"Ten factors of 8 x 8: the smallest is 10^{least[0]:.1f} by hand, 10^{least[1]:.1f} by QR."
    )


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
