"""Checks of notebook 11, loss landscapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course.selfcheck import check, check_function

BASEL = np.pi**2 / 6  # 1 + 1/4 + 1/9 + ...


def _paths() -> list[np.ndarray]:
    """Paths (T, D): straight, bent in a plane, a short walk, and one far from the origin."""
    draw = np.random.default_rng(11)
    t = np.linspace(0.0, 1.0, 12)[:, None]
    straight = t * draw.normal(size=6) + draw.normal(size=6)
    bent = np.hstack([t, t**2]) @ draw.normal(size=(2, 7)) + 5.0
    walk = draw.normal(size=(15, 9)).cumsum(axis=0)
    return [straight, bent, walk, walk + 100.0, draw.normal(size=(10, 4))]


def solve_share(path: np.ndarray) -> float:
    centred = path - path.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    return (singular[:2] ** 2).sum() / (singular**2).sum()


def check_walk(three: Any, needed: Any) -> None:
    """The faded example: the share of three directions, and how many hold nine tenths."""
    three_slips = [
        ((1 + 1 / 4) / BASEL, "That is the share of two directions."),
        ((1 + 1 / 2 + 1 / 3) / BASEL, "The shares fall with the square of k."),
        (1 + 1 / 4 + 1 / 9, "Divide by the sum over all k, pi^2 / 6."),
        (1 / 9 / BASEL, "That is the share of the third alone: add the first two."),
    ]
    needed_slips = [
        (5, "Five hold 0.89."),
        (61, "Not 0.99: nine tenths."),
    ]
    check("three", three, (1 + 1 / 4 + 1 / 9) / BASEL, tolerance=2e-3, mistakes=three_slips)
    check("needed", needed, 6, mistakes=needed_slips)


def check_share(function: Callable[[np.ndarray], Any]) -> None:
    """The exercise: the share of a path's movement in its first two principal directions."""

    def uncentred(path: np.ndarray) -> float:
        singular = np.linalg.svd(path, compute_uv=False)
        return float((singular[:2] ** 2).sum() / (singular**2).sum())

    def from_the_end(path: np.ndarray) -> float:
        return uncentred(path - path[-1])

    def not_squared(path: np.ndarray) -> float:
        singular = np.linalg.svd(path - path.mean(axis=0), compute_uv=False)
        return float(singular[:2].sum() / singular.sum())

    def first_alone(path: np.ndarray) -> float:
        singular = np.linalg.svd(path - path.mean(axis=0), compute_uv=False)
        return float(singular[0] ** 2 / (singular**2).sum())

    def coordinates(path: np.ndarray) -> float:
        variances = np.sort(path.var(axis=0))[::-1]
        return float(variances[:2].sum() / variances.sum())

    slips = [
        (uncentred, "Subtract the mean of the path first: where it lies is not movement."),
        (from_the_end, "Subtract the mean of all points, not the last point."),
        (not_squared, "A share of the variance: square the singular values."),
        (first_alone, "That is the first direction alone: the plane has two."),
        (coordinates, "These are two of the coordinates: principal directions lie askew."),
    ]
    cases = [((path,), solve_share(path)) for path in _paths()]
    check_function("share", function, cases, mistakes=slips, solution=solve_share)
