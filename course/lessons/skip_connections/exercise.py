"""Checks of notebook 09, skip connections."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.selfcheck import check_function

Array = NDArray[Any]


def standard(h: Array) -> Array:
    """Batch norm as it starts: mean 0 and deviation 1 for each unit, over the examples."""
    return (h - h.mean(axis=0)) / h.std(axis=0)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def solve_highway(
    h: Array, W: Array, b: Array, W_gate: Array, b_gate: Array, norm: Callable[[Array], Array]
) -> Array:
    new = np.maximum(norm(h @ W + b), 0)
    gate = 1 / (1 + np.exp(-(h @ W_gate + b_gate)))
    return gate * new + (1 - gate) * h


def check_highway(highway_block: Callable[..., Any]) -> None:
    """The faded example: T h' + (1 - T) h."""

    def swapped(h: Array, W: Array, b: Array, V: Array, c: Array, norm: Any) -> Array:
        gate = sigmoid(h @ V + c)
        return (1 - gate) * np.maximum(norm(h @ W + b), 0) + gate * h

    def residual(h: Array, W: Array, b: Array, V: Array, c: Array, norm: Any) -> Array:
        return sigmoid(h @ V + c) * np.maximum(norm(h @ W + b), 0) + h

    def no_norm(h: Array, W: Array, b: Array, V: Array, c: Array, norm: Any) -> Array:
        gate = sigmoid(h @ V + c)
        return gate * np.maximum(h @ W + b, 0) + (1 - gate) * h

    def no_relu(h: Array, W: Array, b: Array, V: Array, c: Array, norm: Any) -> Array:
        gate = sigmoid(h @ V + c)
        return gate * norm(h @ W + b) + (1 - gate) * h

    def open_gate(h: Array, W: Array, b: Array, V: Array, c: Array, norm: Any) -> Array:
        gate = h @ V + c
        return gate * np.maximum(norm(h @ W + b), 0) + (1 - gate) * h

    generator = np.random.default_rng(0)
    shapes = [((6, 4), (4, 4), (4,), (4, 4), (4,)), ((9, 2), (2, 2), (2,), (2, 2), (2,))]
    arguments = [(*(generator.normal(size=one) for one in row), standard) for row in shapes]
    slips = [
        (swapped, "T is how much is new, 1 - T how much stays."),
        (residual, "What stays is (1 - T) h, not all of h."),
        (no_norm, "The new value goes through the norm, as in plain."),
        (no_relu, "The new value goes through ReLU, as in plain."),
        (open_gate, "A gate lies between 0 and 1: a sigmoid makes it so."),
    ]
    cases = [(row, solve_highway(*row)) for row in arguments]  # type: ignore[arg-type]
    check_function("highway_block", highway_block, cases, mistakes=slips, solution=solve_highway)


def solve_gate_bias(depth: int, share: float) -> float:
    gate = 1 - share ** (1 / depth)
    return math.log(gate / (1 - gate))


def check_gate_bias(gate_bias: Callable[[int, float], Any]) -> bool:
    """The exercise: the bias of a Highway gate at which a share of the signal gets through."""

    def gate(depth: int, share: float) -> float:
        return 1 - share ** (1 / depth)

    def logit(value: float) -> float:
        return math.log(value / (1 - value))

    arguments = [(30, 0.5), (1, 0.5), (100, 0.9), (10, 0.01)]
    cases = [((depth, share), logit(gate(depth, share))) for depth, share in arguments]
    slips = [
        (gate, "That is the gate T. The bias is where the sigmoid takes this value."),
        (lambda n, p: logit(p ** (1 / n)), "That opens the gate as far as it should be closed."),
        (lambda n, p: logit(p), "That is for one block; there are several."),
        (lambda n, p: logit((1 - p) / n), "Factors multiply: take a root of the share."),
        (lambda n, p: math.log(gate(n, p)), "The inverse of the sigmoid is log(T / (1 - T))."),
    ]
    return bool(
        check_function("gate_bias", gate_bias, cases, mistakes=slips, solution=solve_gate_bias)
    )


def train_both(gate_bias: Callable[[int, float], Any], examples: Dataset) -> None:
    """Train 30 Highway blocks whose gates start half open, and with the student's bias for 0.5."""
    for words, bias in (("half open", 0.0), ("with your bias", float(gate_bias(30, 0.5)))):
        net = degradation.network("highway", examples, depth=30, gate_bias=bias)
        *_, last = degradation.train(net, examples, epochs=8)
        assert last.train_accuracy is not None
        percent = 100 * last.train_accuracy.mean()
        print(f"gates {words}, {bias:.2f}: {percent:.0f} % in training")
