"""How often the doctor is right: healthy networks flagged, sick ones detected, named, located.

    python -m course_tests.benchmarks.doctor [--side held-out] [--seeds 3] [--first 100]
        [--per-fault 4] [--only healthy | sick] [--rivals]
    python -m course_tests.benchmarks.doctor --others [--seeds 3]
    python -m course_tests.benchmarks.doctor --overhead
    python -m course_tests.benchmarks.doctor --public [--seeds 20] [--group "Stack Overflow"]

Cases are drawn by `course_tests/doctor/cases`, with their truth. Side "development": the families
on which rules were developed; "held-out": all others. Deep networks are in both, by their seeds.
A healthy case counts only if it is seen to learn in a bare loop of 250 steps; a fault that is not
certain by sight only if its network is seen not to get half as far; others are left out, and
counted. Printed: for each truth how often it was detected (any illness), named (the root) and
located; every mistake; healthy ones flagged or not sure; seconds over those of a bare loop of 60
steps. --rivals: the same for torchmortem and gradsnitch, where installed.
--others: networks of uncommon kinds, on which rules were mended, each healthy and with one fault.
--overhead: what a watch adds to a loop, at its default. --public: real faults from forums and
published benchmarks (`course_tests/doctor/public_cases.csv`) with their mends.
"""

from __future__ import annotations

import argparse
import copy
import math
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import nullcontext

import torch

from course.doctor import watch
from course.doctor.baselines import best_constant
from course.doctor.evidence import LEARNS
from course.doctor.tracing import Tracing
from course_tests.benchmarks import doctor_public, doctor_rivals
from course_tests.doctor.cases.case import Case
from course_tests.doctor.cases.deep import DEEP
from course_tests.doctor.cases.families import DEVELOPMENT, FAMILIES
from course_tests.doctor.cases.faults import BY_SIGHT, FAULTS
from course_tests.doctor.cases.others import OTHERS

BARE = 250  # steps in which a healthy network must be seen to learn


def healthy(side: str, seeds: range) -> Iterator[Case]:
    """Healthy cases of the families of a side."""
    for name in families(side):
        for seed in seeds:
            yield FAMILIES[name](seed)


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
        first = seeds.start + (0 if side == "development" else 50)  # no draw is in both
        for seed in range(first, first + per_fault):
            yield DEEP[name](seed)


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


def score_healthy(side: str, seeds: range, tools: list[str]) -> None:
    """Prints how many healthy networks of a side are flagged, each mistake, and seconds."""
    bare = doctor = 0.0
    count: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for case in healthy(side, seeds):
        if share_learned(case) < 1.5 * LEARNS:
            count["not seen to learn: left out"] += 1
            print(f"  left out: {case.family}")
            continue
        begun = time.perf_counter()
        copy.deepcopy(case).steps(60)
        bare += time.perf_counter() - begun
        begun = time.perf_counter()
        verdict = case.examine()
        doctor += time.perf_counter() - begun
        count[verdict.status] += 1
        print(f"  {case.family}: {verdict.status}", file=sys.stderr, flush=True)
        for tool in tools:
            titles, seconds = doctor_rivals.findings(tool, case)
            count[f"flagged by {tool}"] += bool(titles)
            spent[tool] += seconds
        if verdict.status != "healthy":
            print(f"  healthy {case.family}: {verdict!r} {verdict.root and verdict.root.evidence}")
            print("   ", "; ".join(verdict.evidence))
    print(f"healthy, {side}: {dict(count)}")
    print(f"seconds: {doctor:.1f}, bare loops of 60 steps {bare:.1f}: x {doctor / bare:.1f}")
    for tool in tools:
        loop = bare * doctor_rivals.STEPS / 60
        print(f"{tool}: {spent[tool]:.1f} s, its bare loops {loop:.1f}: x {spent[tool] / loop:.1f}")


def score_sick(side: str, seeds: range, per_fault: int, tools: list[str]) -> None:
    """Prints the confusion matrix of a side: detected, named, located; and each mistake."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    try:
        for case in sick(side, seeds, per_fault):
            assert case.truth is not None
            row = table[case.truth]
            direct = case.fault in BY_SIGHT or case.truth in ("symmetric start", "not finite")
            if not direct and share_learned(case) >= LEARNS / 2:
                row["left out"] += 1
                print(f"  left out: {case.fault}, {case.family}")
                continue
            verdict = case.examine()
            named = verdict.illness == case.truth
            row["cases"] += 1
            row["detected"] += verdict.status == "ill"
            row["not sure"] += verdict.status == "not sure"
            row["named"] += named
            row["located"] += named and case.has_place_right(verdict.place)
            print(f"  {case.truth}: {row['named']} of {row['cases']}", file=sys.stderr, flush=True)
            for tool in tools:
                titles, _ = doctor_rivals.findings(tool, case)
                row[tool] += doctor_rivals.named_right(case.truth, titles)
            if not named or not case.has_place_right(verdict.place):
                print(
                    f"  {case.truth} ({case.fault}, {case.family}): {verdict!r} {verdict.place[:3]}"
                )
                print(
                    "   ", verdict.root and verdict.root.evidence, "|", "; ".join(verdict.evidence)
                )
    except KeyboardInterrupt:
        print("stopped early: the cases so far")
    total: Counter[str] = Counter()
    columns = ("cases", "detected", "named", "located", "not sure", "left out", *tools)
    print(f"{side:34}" + "".join(f"{name:>12}" for name in columns))
    for truth, row in table.items():
        total += row
        print(f"{truth:34}" + "".join(f"{row[name]:12}" for name in columns))
    print(f"{'all':34}" + "".join(f"{total[name]:12}" for name in columns))


def score_others(seeds: range) -> None:
    """Prints each mistake on networks of uncommon kinds, and how many there are."""
    count: Counter[str] = Counter()
    for name, draw in OTHERS.items():
        for seed in seeds:
            for sick in (False, True):
                case = draw(seed, sick)
                verdict = case.examine()
                right = verdict.status == "healthy"
                if sick:
                    right = verdict.illness == case.truth and case.has_place_right(verdict.place)
                    count["sick"] += 1
                    count["named and located"] += right
                else:
                    count["healthy"] += 1
                    count["flagged"] += verdict.status == "ill"
                    count["called healthy"] += right
                if not right:
                    print(f"  {name} {seed} ({case.truth}): {verdict!r} {verdict.place[:3]}")
    print(f"others: {dict(count)}")


def overhead(steps: int = 200, rounds: int = 7) -> None:
    """Prints what a watch costs: the same loop with and without it, in turn; the least of the
    processor's seconds, since whatever else runs can only add to them."""
    for name in ("mlp", "conv", "pre-norm transformer"):
        seconds: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(rounds):
            for watched in (False, True):
                case = FAMILIES[name](1)
                around = watch(case.model, case.optimizer) if watched else nullcontext()
                begun = time.process_time()
                with around:
                    case.steps(steps)
                seconds[watched].append(time.process_time() - begun)
        bare, with_watch = (min(seconds[key]) for key in (False, True))
        print(f"{name}: {steps} steps {bare:.3f} s, watched {with_watch:.3f}: "
              f"{100 * (with_watch / bare - 1):+.1f} %")  # fmt: skip


def main() -> None:
    """Prints the matrix of one side or both."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seeds", type=int, default=3)
    words.add_argument("--first", type=int, default=100)
    words.add_argument("--per-fault", type=int, default=4)
    words.add_argument("--side", choices=["development", "held-out", "both"], default="both")
    words.add_argument("--only", choices=["healthy", "sick"])
    words.add_argument("--rivals", action="store_true")
    words.add_argument("--others", action="store_true")
    words.add_argument("--overhead", action="store_true")
    words.add_argument("--public", action="store_true")
    words.add_argument("--group")
    given = words.parse_args()
    if given.overhead:
        overhead()
        return
    tools = doctor_rivals.TOOLS if given.rivals else []
    torch.set_num_threads(1)
    if given.others:
        score_others(range(given.seeds))
        return
    if given.public:
        seeds = range(given.first, given.first + given.seeds)
        doctor_public.score_public(seeds, group=given.group)
        return
    sides = ["development", "held-out"] if given.side == "both" else [given.side]
    for side in sides:
        seeds = range(given.first, given.first + given.seeds)
        if given.only != "sick":
            score_healthy(side, seeds, tools)
        if given.only != "healthy":
            score_sick(side, seeds, given.per_fault, tools)


if __name__ == "__main__":
    main()
