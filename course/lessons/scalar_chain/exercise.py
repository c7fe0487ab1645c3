"""Checks of notebook 01, the scalar chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from course.lessons.scalar_chain import recurrent, science
from course.selfcheck import check, check_function

TEN = "That is a logarithm to base 10. Both could be; here take math.log for both."


def check_range(least_weight: Any, most_weight: Any) -> None:
    """The faded example: between which weights does a gradient over 1,000 steps stay in range?"""
    least_slips = [
        (0.01 / 1000, "Factors multiply. Undo a power of 1,000 with a root, not with a division."),
        (0.01, "That is for one step. Now 1,000 of them."),
        (math.log(0.01) / 1000, "That is the logarithm of w. Undo it with math.exp."),
        (0.01**1000, "The other way round: w to the power 1,000 should be 0.01."),
    ]
    most_slips = [
        (100 / 1000, "Factors multiply. Undo a power of 1,000 with a root, not with a division."),
        (100.0, "That is for one step. Now 1,000 of them."),
        (math.log(100) / 1000, "That is the logarithm of w. Undo it with math.exp."),
    ]
    least = check("least_weight", least_weight, 0.01**0.001, mistakes=least_slips)
    most = check("most_weight", most_weight, 100**0.001, mistakes=most_slips)
    if least and most:
        ends = (recurrent.influence(weight, 1001)[0] for weight in (least_weight, most_weight))
        print("Run over 1,000 steps, the first input counts {:.2f} and {:.0f}.".format(*ends))


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
