"""Checks of notebook 09, skip connections."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from course.selfcheck import check, check_function


def check_half(skip: Any, gate: Any) -> None:
    """The faded example: which factor, and which gate, let half of a signal pass 100 blocks?"""
    right = 0.5 ** (1 / 100)
    skip_slips = [
        (0.5, "That would be left after one block."),
        (0.5 / 100, "Factors multiply: take a root, not a quotient."),
        (1 - 0.5 / 100, "Near, but factors multiply: take the 100th root of a half."),
        (0.5**100, "The other way round: which number to the power 100 is a half?"),
    ]
    gate_slips = [(right, "That is what the skip lets pass. The gate T takes the rest.")]
    check("skip", skip, right, mistakes=skip_slips)
    check("gate", gate, 1 - right, mistakes=gate_slips)


def solve_gate_bias(depth: int, share: float) -> float:
    gate = 1 - share ** (1 / depth)
    return math.log(gate / (1 - gate))


def check_gate_bias(gate_bias: Callable[[int, float], Any]) -> None:
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
    check_function("gate_bias", gate_bias, cases, mistakes=slips, solution=solve_gate_bias)
