"""Checks of notebook 11, loss landscapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course.selfcheck import check_function


def solve_filter_direction(d: np.ndarray, W: np.ndarray) -> np.ndarray:
    return d / np.linalg.norm(d, axis=0) * np.linalg.norm(W, axis=0)


def check_filter_direction(filter_direction: Callable[..., Any]) -> None:
    """A direction d (fan_in, fan_out) for weights W alike: columns of the length of W's."""

    def rows(d: np.ndarray, W: np.ndarray) -> np.ndarray:
        return (solve_filter_direction(d.T, W.T)).T

    slips = [
        (rows, "What feeds unit i is column i of W: take lengths along axis 0."),
        (
            lambda d, W: d / np.linalg.norm(d) * np.linalg.norm(W),
            "That gives the whole layer one length. Each column needs its own.",
        ),
        (lambda d, W: d / np.linalg.norm(d, axis=0), "Now give each column the length of W's."),
        (lambda d, W: d * np.linalg.norm(W, axis=0), "First divide by the length that d has."),
        (lambda d, W: d * np.abs(W), "A length for each column, not for each entry."),
    ]
    draw = np.random.default_rng(3)
    cases = []
    for shape in ((5, 3), (2, 6)):
        d, W = draw.normal(size=shape), draw.normal(size=shape) * draw.uniform(0.2, 3, shape[1])
        cases.append(((d, W), solve_filter_direction(d, W)))
    check_function(
        "filter_direction", filter_direction, cases, mistakes=slips, solution=solve_filter_direction
    )


def solve_own_units(
    W: np.ndarray, b: np.ndarray, W_next: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return W * c, b * c, W_next / c[:, None]


def check_own_units(own_units: Callable[..., Any]) -> None:
    """The same function with hidden unit i times c_i: W (k, n), b (n,), W_next (n, m), c (n,)."""
    slips = [
        (lambda W, b, V, c: (W * c, b, V / c[:, None]), "The bias feeds the unit, too."),
        (lambda W, b, V, c: (W * c, b * c, V), "Divide what the unit feeds, or outputs change."),
        (
            lambda W, b, V, c: (W / c, b / c, V * c[:, None]),
            "The other way round: multiply what feeds the unit.",
        ),
        (lambda W, b, V, c: (W * c, b * c, V * c[:, None]), "Divide the row of W_next by c."),
    ]
    draw = np.random.default_rng(5)
    cases = []
    for k, n, m in ((4, 3, 2), (2, 5, 5)):
        arguments = (
            draw.normal(size=(k, n)), draw.normal(size=n), draw.normal(size=(n, m)),
            draw.uniform(0.1, 10, n),
        )  # fmt: skip
        cases.append((arguments, solve_own_units(*arguments)))
    check_function("own_units", own_units, cases, mistakes=slips, solution=solve_own_units)
