"""The doctor on public cases: detected, named, and the mended ones left in peace.

Run by `python -m course_tests.benchmarks.doctor --public [--seeds 20]`.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import stdev

from course_tests.doctor.cases.public import PublicCase, cases

FIGURES = "published: DEFault names 63.5 % of 52 real faults; EMSE 2025, best tool: .55 / .37"


FIELDS = ("case", "seed", "status", "illness", "findings")


def score_public(
    seeds: range, only: str | None = None, group: str | None = None, path: Path | None = None
) -> None:
    """Prints a line for each case, and sums for each group.

    A fault counts as named when the root is one of its truths. Recall and precision, as the study
    in EMSE has them: of the faults in reach, those named by the root or a consequence; of all
    findings, the right ones. path: a table of the draws, read first and written to.
    """
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    spread: dict[str, Counter[int]] = defaultdict(Counter)
    known = _read(path)
    for one in cases():
        if (only or "") not in one.name or group not in (None, one.group):
            continue
        try:
            draws = [known.get((one.name, seed)) or _draw(one, seed, path) for seed in seeds]
        except KeyboardInterrupt:
            print("stopped early: the cases so far")
            break
        count = counted(one, draws)
        print(_line(one, count, len(seeds)), flush=True)
        sick = bool(one.truths)
        alone = one.group in ("mended", "described")
        keys = [one.group] if alone else [one.group, "all real faults"]
        for key in keys:
            for seed, draw in zip(seeds, draws, strict=True):
                spread[key][seed] += draw["illness"] in one.truths
            groups[key].update({"beyond": not sick and bool(one.beyond), "cases": 1})
            if sick:
                groups[key].update({
                    "in reach": len(seeds), "detected": count["ill"], "named": count["named"],
                    "hit": count["hit"], "right findings": count["right findings"],
                    "findings": count["findings"],
                })  # fmt: skip
            else:
                groups[key].update({"quiet": len(seeds), "flagged": count["ill"],
                                    "healthy": count["healthy"]})  # fmt: skip
                groups[key].update({"findings": count["findings"]})
    for name, sums in groups.items():
        print(_sum(name, sums, [spread[name][seed] for seed in seeds]))
    print(FIGURES)


def _read(path: Path | None) -> dict[tuple[str, int], dict[str, str]]:
    if path is None or not path.exists():
        return {}
    with path.open(newline="") as file:
        return {(row["case"], int(row["seed"])): row for row in csv.DictReader(file)}


def _draw(one: PublicCase, seed: int, path: Path | None) -> dict[str, str]:
    """The verdict on one draw of a case; written down at once, if there is a path."""
    verdict = one.draw(seed).examine()
    findings = [verdict.root, *verdict.consequences] if verdict.root else []
    names = "; ".join(finding.illness for finding in findings if finding)
    row = dict(zip(
        FIELDS, (one.name, str(seed), verdict.status, verdict.illness or "", names), strict=True
    ))  # fmt: skip
    if path is not None:
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            if new:
                writer.writeheader()
            writer.writerow(row)
    return row


def counted(one: PublicCase, draws: Sequence[Mapping[str, str]]) -> Counter[str]:
    """How often, over the draws, the verdict was each status, and right."""
    count: Counter[str] = Counter()
    for draw in draws:
        names = draw["findings"].split("; ") if draw["findings"] else []
        count[draw["status"]] += 1
        count["named"] += draw["illness"] in one.truths
        right = sum(name in one.truths for name in names)
        count["hit"] += right > 0
        count["right findings"] += right
        count["findings"] += len(names)
        if draw["illness"] not in one.truths:
            count["said " + (draw["illness"] or draw["status"])] += 1
    return count


def _line(one: PublicCase, count: Counter[str], seeds: int) -> str:
    truth = one.truths[0] if one.truths else f"beyond ({one.beyond})" if one.beyond else "healthy"
    said = "; ".join(f"{name[5:]} {n}" for name, n in count.items() if name.startswith("said "))
    right = count["named"] if one.truths else seeds - count["ill"]
    return f"{one.name[:34]:35}{truth[:36]:38}{right:3} of {seeds}  {said}"


def _sum(name: str, sums: Counter[str], by_draw: Sequence[int]) -> str:
    parts = [f"{name}: {sums['cases']} cases"]
    runs = sums["in reach"]
    if runs:
        parts.append(
            f"{sums['cases'] - sums['beyond']} in reach, runs detected "
            f"{sums['detected'] / runs:.1%}, named {sums['named'] / runs:.1%}, "
            f"recall {sums['hit'] / runs:.2f}, precision "
            f"{sums['right findings'] / max(1, sums['findings']):.2f}"
        )
        shares = [len(by_draw) * number / runs for number in by_draw]
        if len(shares) > 1:
            parts.append(
                f"named by draw {min(shares):.0%} to {max(shares):.0%}, SD {stdev(shares):.1%}"
            )
    if sums["quiet"]:
        parts.append(
            f"of {sums['quiet']} runs without a fault in reach {sums['flagged']} flagged, "
            f"{sums['healthy']} called healthy"
        )
    return "; ".join(parts)
