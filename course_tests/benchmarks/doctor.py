"""How often the doctor is right: healthy networks flagged, sick ones detected, named, located.

    python -m course_tests.benchmarks.doctor [--side held-out] [--seeds 3] [--first 100]
        [--per-fault 4] [--only healthy | sick] [--rivals]
    python -m course_tests.benchmarks.doctor --others | --rare [--seeds 3]
    python -m course_tests.benchmarks.doctor --overhead
    python -m course_tests.benchmarks.doctor --public [--seeds 20] [--group "Stack Overflow"]
        [--save draws.csv]

Cases are drawn by `course_tests/doctor/cases`, with their truth. Side "development": the families
on which rules were developed; "held-out": all others. Deep networks are in both, by their seeds.
A healthy case counts only if it is seen to learn in a bare loop of 250 steps; a fault that is not
certain by sight only if its network is seen not to get half as far; others are left out, and
counted. A missing warm-up counts only where the twin that warms up is seen to learn, too.
Printed: for each truth how often it was detected (any illness), named (the root) and
located; every mistake; healthy ones flagged or not sure; seconds over those of a bare loop of 60
steps. --rivals: the same for torchmortem and gradsnitch, where installed.
--others: networks of uncommon kinds, on which rules were mended, each healthy and with one fault;
--rare: more of them, tried after that.
--overhead: what a watch adds to a loop, at its default. --public: real faults from forums and
published benchmarks (`course_tests/doctor/public_cases.csv`) with their mends; with --save each
draw is written down at once, and one that is there already is not examined again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import torch

from course.doctor import watch
from course.doctor.evidence import LEARNS
from course_tests.benchmarks import doctor_public, doctor_rivals
from course_tests.benchmarks.doctor_cases import Clock, counts, healthy, share_learned, sick
from course_tests.doctor.cases.families import FAMILIES
from course_tests.doctor.cases.others import OTHERS, Draw
from course_tests.doctor.cases.rare import RARE


def score_healthy(side: str, seeds: range, tools: list[str]) -> None:
    """Prints how many healthy networks of a side are flagged, each mistake, and seconds."""
    clock = Clock()
    count: Counter[str] = Counter()
    for case in healthy(side, seeds):
        if share_learned(case) < 1.5 * LEARNS:
            count["not seen to learn: left out"] += 1
            print(f"  left out: {case.family}")
            continue
        begun = time.perf_counter()
        verdict = case.examine()
        spent = {"doctor": time.perf_counter() - begun}
        count[verdict.status] += 1
        print(f"  {case.family}: {verdict.status}", file=sys.stderr, flush=True)
        for tool in tools:
            said = doctor_rivals.report(tool, case)
            count[f"flagged by {tool}"] += bool(said.findings)
            count[f"{tool} failed"] += bool(said.error)
            spent[tool] = said.seconds
        clock.add(case, spent)
        if verdict.status != "healthy":
            print(f"  healthy {case.family}: {verdict!r} {verdict.root and verdict.root.evidence}")
            print("   ", "; ".join(verdict.evidence))
    print(f"healthy, {side}: {dict(count)}")
    print(*clock.lines(), sep="\n")


def score_sick(side: str, seeds: range, per_fault: int, tools: list[str]) -> None:
    """Prints the confusion matrix of a side: detected, named, located; and each mistake."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    clock = Clock()
    try:
        for case in sick(side, seeds, per_fault):
            assert case.truth is not None
            row = table[case.truth]
            if not counts(case):
                row["left out"] += 1
                print(f"  left out: {case.fault}, {case.family}")
                continue
            begun = time.perf_counter()
            verdict = case.examine()
            spent = {"doctor": time.perf_counter() - begun}
            named = verdict.illness == case.truth
            row["cases"] += 1
            row["detected"] += verdict.status == "ill"
            row["not sure"] += verdict.status == "not sure"
            row["named"] += named
            row["located"] += named and case.has_place_right(verdict.place)
            print(f"  {case.truth}: {row['named']} of {row['cases']}", file=sys.stderr, flush=True)
            for tool in tools:
                said = doctor_rivals.report(tool, case)
                row[f"{tool} detected"] += bool(said.findings)
                row[f"{tool} named"] += said.named(case)
                row[f"{tool} located"] += said.located(case)
                row[f"{tool} failed"] += bool(said.error)
                spent[tool] = said.seconds
            clock.add(case, spent)
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
    for row in table.values():
        total += row
    columns = ("cases", "detected", "named", "located", "not sure", "left out")
    named_by = tuple(f"{tool} named" for tool in tools)
    wide = "".join(f"{name:>18}" for name in named_by)
    print(f"{side:34}" + "".join(f"{name:>10}" for name in columns) + wide)
    for truth, row in [*table.items(), ("all", total)]:
        cells = "".join(f"{row[name]:10}" for name in columns)
        print(f"{truth:34}{cells}" + "".join(f"{row[name]:18}" for name in named_by))
    for tool in tools:
        words = (f"{part} {total[f'{tool} {part}']}" for part in
                 ("detected", "named", "located", "failed"))  # fmt: skip
        print(f"{tool}, of {total['cases']}:", ", ".join(words))
    print(*clock.lines(), sep="\n")


def score_others(kinds: Mapping[str, Draw], seeds: range) -> None:
    """Prints each mistake on networks of uncommon kinds, and how many there are."""
    count: Counter[str] = Counter()
    for name, draw in kinds.items():
        for seed in seeds:
            for ill in (False, True):
                case = draw(seed, ill)
                verdict = case.examine()
                print(f"  {name}: {verdict!r}", file=sys.stderr, flush=True)
                right = verdict.status == "healthy"
                if ill:
                    right = verdict.illness == case.truth and case.has_place_right(verdict.place)
                    count["sick"] += 1
                    count["named and located"] += right
                else:
                    count["healthy"] += 1
                    count["seen to learn in a bare loop"] += share_learned(case) >= 1.5 * LEARNS
                    count["flagged"] += verdict.status == "ill"
                    count["called healthy"] += right
                if not right:
                    print(f"  {name} {seed} ({case.truth}): {verdict!r} {verdict.place[:3]}")
                    print("   ", verdict.root and verdict.root.evidence, verdict.evidence)
    print(dict(count))


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
    words.add_argument("--rare", action="store_true")
    words.add_argument("--overhead", action="store_true")
    words.add_argument("--public", action="store_true")
    words.add_argument("--group")
    words.add_argument("--save", type=Path, help="a table of the draws of --public")
    given = words.parse_args()
    if given.overhead:
        overhead()
        return
    tools = doctor_rivals.TOOLS if given.rivals else []
    torch.set_num_threads(1)
    if given.others or given.rare:
        score_others(RARE if given.rare else OTHERS, range(given.seeds))
        return
    if given.public:
        seeds = range(given.first, given.first + given.seeds)
        doctor_public.score_public(seeds, group=given.group, path=given.save)
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
