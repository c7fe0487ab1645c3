"""Checks of notebook 01, the scalar chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from course.lessons.scalar_chain import science
from course.selfcheck import check, check_function

TEN = "That is a logarithm to base 10. Both could be; here take math.log for both."


def check_logarithms(of_the_goal: Any, per_layer: Any) -> None:
    """The faded example: from which depth on does 1.1^n exceed a million?"""
    goal_slips = [(6.0, TEN), (1e6, "That is the goal itself. Take its logarithm.")]
    layer_slips = [
        (math.log10(1.1), TEN),
        (1.1, "That is the factor itself. Take its logarithm."),
        (0.1, "Near, since ln(1 + h) is about h. Take the logarithm itself."),
    ]
    goal = check("logarithm_of_the_goal", of_the_goal, math.log(1e6), mistakes=goal_slips)
    layer = check("logarithm_per_layer", per_layer, math.log(1.1), mistakes=layer_slips)
    if goal and layer:
        depth = math.ceil(of_the_goal / per_layer)
        size = science.measure(1.1, 0.0, 1.0, depth).d_input
        print(f"Run with {depth} layers, the gradient is {size:,.0f}.")


def solve_overflow_layer(weight: float, largest: float) -> int:
    return math.floor(math.log(largest) / math.log(abs(weight))) + 1


def check_overflow_layer(overflow_layer: Callable[[float, float], Any]) -> None:
    """The exercise, against chains that were run until they overflowed."""
    cases = [
        ((weight, science.LARGEST[precision]), science.overflow_depth(weight, precision))
        for weight in (1.1, -1.5, 1.9)
        for precision in science.PRECISIONS
    ]

    def ratio(weight: float, largest: float) -> float:
        return math.log(largest) / math.log(abs(weight))

    slips = [
        (lambda w, m: math.floor(ratio(w, m)), "At that layer it still fits: round up."),
        (ratio, "A layer has a whole number: round up."),
        (lambda w, m: math.ceil(1 / ratio(w, m)), "Divide the other way round."),
        (lambda w, m: 1 / ratio(w, m), "Divide the other way round."),
        (lambda w, m: math.ceil(m / abs(w)), "Layers multiply, so think of logarithms."),
        (lambda w, m: math.ceil(math.log10(m) / math.log(abs(w))), TEN),
        (lambda w, m: math.ceil(math.log2(m) / math.log(abs(w))), TEN.replace("10", "2")),
    ]
    check_function(
        "overflow_layer", overflow_layer, cases, mistakes=slips, solution=solve_overflow_layer
    )
