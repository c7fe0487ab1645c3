"""Checks of notebook 10c, convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.selfcheck import Verdict, check_function

Array = NDArray[Any]


def solve_convolve(picture: Array, kernel: Array) -> Array:
    rows, columns = picture.shape
    padded = np.pad(picture, 1)
    z = np.zeros_like(picture, dtype=float)
    for i in range(3):
        for j in range(3):
            z += kernel[i, j] * padded[i : i + rows, j : j + columns]
    return z


def check_convolve(convolve: Callable[[Array, Array], Any]) -> Verdict:
    """The exercise: a 3 x 3 convolution of one map, with zeros around it."""

    def turned(picture: Array, kernel: Array) -> Array:
        return solve_convolve(picture, kernel[::-1, ::-1])

    def around(picture: Array, kernel: Array) -> Array:
        shifts = [(i, j) for i in range(3) for j in range(3)]
        rolled = [kernel[i, j] * np.roll(picture, (1 - i, 1 - j), (0, 1)) for i, j in shifts]
        return np.sum(rolled, axis=0)

    def inside(picture: Array, kernel: Array) -> Array:
        return solve_convolve(picture, kernel)[1:-1, 1:-1]

    def across(picture: Array, kernel: Array) -> Array:
        return solve_convolve(picture, kernel.T)

    draw = np.random.default_rng(0)
    sizes = [(5, 5), (4, 6), (3, 3)]
    arguments = [
        (draw.normal(size=size).round(1), draw.normal(size=(3, 3)).round(1)) for size in sizes
    ]
    cases = [(pair, solve_convolve(*pair)) for pair in arguments]
    slips = [
        (turned, "Do not turn the kernel: kernel[0, 0] meets the upper left neighbour."),
        (around, "At the border you go on at the other side. There should be zeros."),
        (inside, "Without zeros around it the map has lost its border: np.pad(picture, 1)."),
        (across, "Rows and columns of the kernel have changed places."),
    ]
    return check_function("convolve", convolve, cases, mistakes=slips, solution=solve_convolve)
