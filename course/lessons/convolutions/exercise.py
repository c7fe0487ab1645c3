"""Checks of notebook 10c, convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.selfcheck import Verdict, check, check_function

Array = NDArray[Any]


def check_weights(first: Any, second: Any, projection: Any) -> None:
    """The faded example: the kernels of a unit that takes 32 channels and returns 64."""
    bias = "The norm that follows has the biases; kernels only."
    slips = [
        (9 * 32, "That is one kernel for each channel that comes in. Each of the 64 has its own."),
        (9 * 64**2, "It takes 32 channels, and returns 64."),
        (9 * 32 * 64 + 64, bias),
    ]
    check("first", first, 9 * 32 * 64, mistakes=slips)
    slips = [
        (9 * 32 * 64, "The second one takes the 64 channels of the first."),
        (9 * 64**2 + 64, bias),
    ]
    check("second", second, 9 * 64**2, mistakes=slips)
    slips = [(9 * 32 * 64, "Its kernels are 1 x 1."), (32 * 64 + 64, bias)]
    check("projection", projection, 32 * 64, mistakes=slips)


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
