"""Checks of notebook 07b, isometry."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course import measures
from course.lessons.isometry import science
from course.selfcheck import check_function

Array = NDArray[Any]


def solve_quiet_signal(depth: int, budget: float) -> float:
    p = (budget / depth) / (1 + budget / depth)  # from p / (1 - p) = budget / depth
    edge = NormalDist().inv_cdf(1 - p / 2)
    return 1 / edge**2


def check_quiet_signal(quiet_signal: Callable[[int, float], Any]) -> None:
    """The faded example: the q* at which hard-tanh layers share a budget of spread."""

    def from_share(p: float) -> float:
        return NormalDist().inv_cdf(1 - p / 2) ** -2

    def one_layer(depth: int, budget: float) -> float:
        return from_share(budget / (1 + budget))

    def edge(depth: int, budget: float) -> float:
        return solve_quiet_signal(depth, budget) ** -0.5

    def deviation(depth: int, budget: float) -> float:
        return solve_quiet_signal(depth, budget) ** 0.5

    def one_side(depth: int, budget: float) -> float:
        p = (budget / depth) / (1 + budget / depth)
        return NormalDist().inv_cdf(1 - p) ** -2

    arguments = [(50, 0.1), (5, 0.1), (50, 1.0), (5000, 0.1)]
    cases = [(row, solve_quiet_signal(*row)) for row in arguments]
    slips = [
        (one_layer, "That spends the whole budget in one layer; there are `depth` of them."),
        (edge, "That is the edge, 1/sqrt(q*). Solve it for q*."),
        (deviation, "That is the standard deviation, sqrt(q*). Square it."),
        (one_side, "Units leave at both ends: half of the share p lies beyond each."),
    ]
    check_function(
        "quiet_signal", quiet_signal, cases, tolerance=2e-3, mistakes=slips,
        solution=solve_quiet_signal,
    )  # fmt: skip


def solve_jacobian(weights: Sequence[Array], x: Array) -> Array:
    h, J = x, np.eye(len(x))
    for W in weights:
        z = h @ W
        J = J @ W * (np.abs(z) < 1)  # each column j times the slope of unit j
        h = np.clip(z, -1, 1)
    return J


def check_jacobian(jacobian: Callable[[Sequence[Array], Array], Any]) -> None:
    """The exercise: W D W D ... of a hard-tanh network; then the spread, by the student's code."""

    def no_slopes(weights: Sequence[Array], x: Array) -> Array:
        J = np.eye(len(x))
        for W in weights:
            J = J @ W
        return J

    def of_tanh(weights: Sequence[Array], x: Array) -> Array:
        h, J = x, np.eye(len(x))
        for W in weights:
            h = np.clip(h @ W, -1, 1)
            J = J @ W * (1 - h**2)
        return J

    def before(weights: Sequence[Array], x: Array) -> Array:
        h, J = x, np.eye(len(x))
        for W in weights:
            J = (J * (np.abs(h) < 1)) @ W
            h = np.clip(h @ W, -1, 1)
        return J

    def no_cut(weights: Sequence[Array], x: Array) -> Array:
        h, J = x, np.eye(len(x))
        for W in weights:
            h = h @ W
            J = J @ W * (np.abs(h) < 1)
        return J

    def transposed(weights: Sequence[Array], x: Array) -> Array:
        return solve_jacobian(weights, x).T

    generator = np.random.default_rng(0)
    chains = [[(3, 4)], [(4, 4), (4, 4), (4, 4)], [(3, 6), (6, 5), (5, 2)]]
    arguments = [
        ([generator.normal(size=shape) for shape in chain], generator.normal(size=chain[0][0]))
        for chain in chains
    ]
    slips = [
        (no_slopes, "That is the product of the weights alone. Where are the slopes?"),
        (of_tanh, "Those are the slopes of tanh. Hard-tanh has 1 inside and 0 outside."),
        (before, "The slope of a layer belongs behind its weights, at its own z."),
        (no_cut, "Cut h off at -1 and 1 before it goes on to the next layer."),
        (transposed, "Transposed: rows belong to inputs here, columns to outputs."),
    ]
    cases = [(row, solve_jacobian(*row)) for row in arguments]
    if check_function("jacobian", jacobian, cases, mistakes=slips, solution=solve_jacobian):
        for length in (0.1, 1.0):
            print(f"By your Jacobian: 50 layers, q* = {length}: spread {_spread(jacobian, length)}")


def _spread(jacobian: Callable[[Sequence[Array], Array], Any], length: float) -> str:
    """Mean over three orthogonal hard-tanh networks without biases, as the student's code says."""
    spreads = []
    for seed in range(3):
        network = science.chain("hard-tanh", "orthogonal", length=length, seeds=[seed])
        weights = [
            parameter[0].detach().numpy()
            for name, parameter in network.named_parameters()
            if name.endswith("linear.weight")
        ]
        x = science.start("hard-tanh", length, width=64, seeds=[seed])[0, 0].numpy()
        singular = np.linalg.svd(jacobian(weights, x), compute_uv=False)
        spreads.append(measures.squared_spread(singular).item())
    mean = sum(spreads) / len(spreads)
    return f"{mean:.2g}" if math.isfinite(mean) else "unknown: all singular values are 0"
