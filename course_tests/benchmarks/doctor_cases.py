"""Which cases the doctor is scored on, which of them count, and the time of a bare loop."""

from __future__ import annotations

import copy
import math
import random
import time
from collections import Counter
from collections.abc import Iterator

import torch

from course.doctor.baselines import best_constant
from course.doctor.evidence import LEARNS
from course.doctor.tracing import Tracing
from course_tests.benchmarks.doctor_rivals import STEPS
from course_tests.doctor.cases.case import Case
from course_tests.doctor.cases.deep import DEEP
from course_tests.doctor.cases.families import DEVELOPMENT, FAMILIES
from course_tests.doctor.cases.faults import BY_SIGHT, FAULTS

BARE = 250  # steps in which a healthy network must be seen to learn


def healthy(side: str, seeds: range) -> Iterator[Case]:
    """Healthy cases of the families of a side, and healthy twins of deep networks."""
    for name in families(side):
        for seed in seeds:
            yield FAMILIES[name](seed)
    for name in DEEP:
        for seed in deep_seeds(side, seeds, len(seeds)):
            twin = DEEP[name](seed).twin
            if twin is not None:
                yield twin


def sick(side: str, seeds: range, per_fault: int) -> Iterator[Case]:
    """Every fault in some families of a side, and deep networks."""
    for number, fault in enumerate(FAULTS.values()):
        rng = random.Random(1000 * seeds.start + number)
        order = families(side)
        rng.shuffle(order)
        count = 0
        for family in order * 2:
            if count == per_fault:
                break
            seed = rng.choice(seeds)
            case = fault(FAMILIES[family](seed), random.Random(seed))
            if case is not None:
                case.family, count = family, count + 1
                yield case
    for name in DEEP:
        for seed in deep_seeds(side, seeds, per_fault):
            yield DEEP[name](seed)


def deep_seeds(side: str, seeds: range, count: int) -> range:
    """Seeds of deep networks: no draw is on both sides."""
    first = seeds.start + (0 if side == "development" else 50)
    return range(first, first + count)


def families(side: str) -> list[str]:
    """Names of the families of a side."""
    development = side == "development"
    return [name for name in FAMILIES if (name in DEVELOPMENT) == development]


def share_learned(case: Case, steps: int = BARE) -> float:
    """How far a bare loop of training comes from the best constant answer (0) to the least (1)."""
    twin = copy.deepcopy(case)
    model, optimizer = twin.model, twin.optimizer
    try:
        with torch.no_grad(), Tracing() as tracing:
            start = float(twin.value(twin.batches[0]))
        tracing.trace.total = start
        baseline = best_constant([tracing.trace])
        losses = twin.steps(steps)
    except Exception:
        return -math.inf
    del model, optimizer
    last = sum(losses[-20:]) / 20
    if not math.isfinite(last):
        return -math.inf
    if baseline is None:
        return (start - last) / abs(start)
    return (baseline[0] - last) / (baseline[0] - baseline[1])


def counts(case: Case) -> bool:
    """Whether a sick case is seen to be what it is called, where that is not certain by sight."""
    if case.fault in BY_SIGHT or case.truth in ("symmetric start", "not finite"):
        return True
    if share_learned(case) >= LEARNS / 2:
        return False
    return case.twin is None or share_learned(case.twin) >= 1.5 * LEARNS


def seconds(case: Case, steps: int) -> float:
    """Of a bare loop of training on a copy; NaN if it does not run."""
    twin = copy.deepcopy(case)
    begun = time.perf_counter()
    try:
        twin.steps(steps)
    except Exception:
        return math.nan
    return time.perf_counter() - begun


class Clock:
    """Seconds of each tool over those of bare loops of as many steps, over cases that run."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self.bare = 0.0

    def add(self, case: Case, spent: dict[str, float]) -> None:
        """Notes what a case took: {tool: seconds}."""
        loop = seconds(case, 60)
        if math.isfinite(loop):
            self.bare += loop
            self.spent.update(spent)

    def lines(self) -> Iterator[str]:
        """A line for each tool."""
        for tool, spent in self.spent.items():
            steps = 60 if tool == "doctor" else STEPS
            loop = self.bare * steps / 60
            yield f"{tool}: {spent:.1f} s; {steps} bare steps {loop:.1f}: x {spent / loop:.1f}"
