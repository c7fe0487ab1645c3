"""Each illness is named and located on a network that has it; healthy twins are left in peace."""

from __future__ import annotations

import random

import pytest

from course.doctor import ILLNESSES
from course_tests.doctor.cases import deep, faults
from course_tests.doctor.cases.deep import DEEP
from course_tests.doctor.cases.families import FAMILIES
from course_tests.doctor.cases.faults import FAULTS

STEPS = 20  # a third of the default: enough for all of these, and three times as fast

# fault: (family, seed) of the twin; a few of those that the benchmark draws
TWINS = {
    "rate large": ("mlp", 2), "rate small": ("mlp", 2), "rate zero": ("conv", 1),
    "decay": ("mlp", 2), "clip": ("softmax regression", 1),
    "raw input": ("softmax regression", 1),
    "constant input": ("regression", 1), "nan in data": ("mlp", 1), "same batch": ("mlp", 1),
    "sorted labels": ("mlp", 1), "shuffled labels": ("mlp", 1), "shifted labels": ("mlp", 1),
    "softmax first": ("mlp", 1), "softmax inside": ("gru", 1), "sigmoid first": ("siamese", 1),
    "no log-softmax": ("mlp", 1), "crossed shapes": ("regression", 1),
    "in a list": ("mlp", 2), "detached": ("layer-norm mlp", 1), "frozen": ("mlp", 2),
    "left out": ("mlp", 2), "stale optimizer": ("mlp", 1),
    "eval mode": ("batch-norm mlp", 1), "batch of one": ("batch-norm mlp", 1),
    "piled up": ("mlp", 1), "symmetric": ("regression", 1), "dead": ("binary", 1),
    "constant label": ("mlp", 1), "wrong axis": ("mlp", 1), "out of reach": ("regression", 1),
    "does not run": ("mlp", 1),
}  # fmt: skip


def test_there_is_a_case_of_every_illness() -> None:
    assert {*faults.TRUTHS.values(), *deep.TRUTHS.values()} == set(ILLNESSES)


@pytest.mark.parametrize("name", TWINS)
def test_a_fault_is_named_and_located(name: str) -> None:
    family, seed = TWINS[name]
    case = FAULTS[name](FAMILIES[family](seed), random.Random(seed))
    assert case is not None
    verdict = case.examine(steps=STEPS)
    assert (verdict.status, verdict.illness) == ("ill", case.truth), str(verdict)
    assert case.has_place_right(verdict.place), verdict.place


# Of the others ("deep he relu", "deep post norm") some draws learn after all: the benchmark counts.
CLEAR = [
    "deep sigmoid", "deep small tanh", "deep relu by default", "deep small conv",
    "deep large relu", "deep residual without norm", "deep batch norm",
    "attention without skips", "zero lstm", "long recurrence", "half precision", "root of zero",
]  # fmt: skip


@pytest.mark.parametrize("name", CLEAR)
def test_a_deep_network_is_named_and_located(name: str) -> None:
    case = DEEP[name](0)
    verdict = case.examine(steps=STEPS // 2)  # they are slow, and it is enough for all of them
    assert (verdict.status, verdict.illness) == ("ill", case.truth), str(verdict)
    assert case.has_place_right(verdict.place), verdict.place


@pytest.mark.parametrize("family", sorted({family for family, _ in TWINS.values()}))
def test_the_healthy_twins_are_left_in_peace(family: str) -> None:
    for seed in sorted({seed for name, seed in TWINS.values() if name == family}):
        verdict = FAMILIES[family](seed).examine(steps=STEPS)
        assert verdict.status == "healthy", str(verdict)
        assert verdict.root is None
