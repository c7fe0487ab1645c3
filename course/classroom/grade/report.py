"""A table on the screen: how a class did, and what an instructor should look at."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from course.classroom.grade.results import Result


def summary(results: Sequence[Result]) -> str:
    """A table: for each set how many, their points, and how often each graded cell was passed."""
    lines = []
    for name in sorted({r.set for r in results}):
        mine = [r for r in results if r.set == name]
        status = Counter(r.status for r in mine)
        counted = ", ".join(f"{n} {what}" for what, n in sorted(status.items()))
        remarked = sum(bool(r.told) for r in mine)
        scores = sorted(r.score for r in mine)
        middle = scores[len(scores) // 2]
        lines += [
            f"{name}: {len(mine)} submission{'s' * (len(mine) > 1)}: {counted}; "
            f"{remarked} with remarks",
            f"  points so far: mean {math.fsum(scores) / len(scores):.1f}, median {middle:g}, "
            f"least {scores[0]:g}, most {scores[-1]:g}, out of {max(r.most for r in mine):g}",
        ]
        for cell in sorted({c for r in mine for c in r.cells}):
            known = [r.cells[cell] for r in mine if r.cells.get(cell) is not None]
            passed, open_ = sum(bool(points) for points in known), len(mine) - len(known)
            share = f"{100 * passed / len(known):3.0f} % got points" if known else ""
            waits = f"{open_} to be marked" if open_ else ""
            lines.append(f"    {cell:<28} {', '.join(filter(None, (share, waits)))}")
    for r in results:
        if r.status != "graded" or r.told:
            lines.append(f"  {r.set} {r.student}: {r.status}. {r.told}")
    return "\n".join(lines)
