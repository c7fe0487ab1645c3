"""The doctor on public cases: detected, named, and the mended ones left in peace.

Run by `python -m course_tests.benchmarks.doctor --public [--seeds 20]`.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from course_tests.doctor.cases.public import PublicCase, cases

FIGURES = "published: DEFault names 63.5 % of 52 real faults; EMSE 2025, best tool: .55 / .37"


def score_public(seeds: range, only: str | None = None, group: str | None = None) -> None:
    """Prints a line for each case, and sums for each group.

    A fault counts as named when the root is one of its truths. Recall and precision, as the study
    in EMSE has them: of the faults in reach, those named by the root or a consequence; of all
    findings, the right ones.
    """
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for one in cases():
        if (only or "") not in one.name or group not in (None, one.group):
            continue
        try:
            count = examined(one, seeds)
        except KeyboardInterrupt:
            print("stopped early: the cases so far")
            break
        print(_line(one, count, len(seeds)), flush=True)
        sick = bool(one.truths)
        alone = one.group in ("mended", "described")
        keys = [one.group] if alone else [one.group, "all real faults"]
        for key in keys:
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
        print(_sum(name, sums))
    print(FIGURES)


def examined(one: PublicCase, seeds: range) -> Counter[str]:
    """How often, over the seeds, the verdict was each status, and right."""
    count: Counter[str] = Counter()
    for seed in seeds:
        verdict = one.draw(seed).examine()
        findings = [verdict.root, *verdict.consequences] if verdict.root else []
        names = [finding.illness for finding in findings if finding]
        count[verdict.status] += 1
        count["named"] += verdict.illness in one.truths
        right = sum(name in one.truths for name in names)
        count["hit"] += right > 0
        count["right findings"] += right
        count["findings"] += len(names)
        if verdict.illness not in one.truths:
            count["said " + (verdict.illness or verdict.status)] += 1
    return count


def _line(one: PublicCase, count: Counter[str], seeds: int) -> str:
    truth = one.truths[0] if one.truths else f"beyond ({one.beyond})" if one.beyond else "healthy"
    said = "; ".join(f"{name[5:]} {n}" for name, n in count.items() if name.startswith("said "))
    right = count["named"] if one.truths else seeds - count["ill"]
    return f"{one.name[:34]:35}{truth[:36]:38}{right:3} of {seeds}  {said}"


def _sum(name: str, sums: Counter[str]) -> str:
    parts = [f"{name}: {sums['cases']} cases"]
    runs = sums["in reach"]
    if runs:
        parts.append(
            f"{sums['cases'] - sums['beyond']} in reach, runs detected "
            f"{sums['detected'] / runs:.1%}, named {sums['named'] / runs:.1%}, "
            f"recall {sums['hit'] / runs:.2f}, precision "
            f"{sums['right findings'] / max(1, sums['findings']):.2f}"
        )
    if sums["quiet"]:
        parts.append(
            f"of {sums['quiet']} runs without a fault in reach {sums['flagged']} flagged, "
            f"{sums['healthy']} called healthy"
        )
    return "; ".join(parts)
