"""What the VAN paper says of its figures 2 and 3, beside what a table of `course run cifar` shows.

    for verdict in compare(recorded("cifar", "cifar10")):
        print(verdict)

As in `statements`, whose words "clearly" and "points" hold here too. Two accuracies are called the
same within `LEVEL` points: more than in `statements`, since a small record tests on 500 pictures,
where one accuracy is known to two points.

Source: Monti, Tootoonian, Cao, "Avoiding Degradation in Deep Feed-Forward Networks by Phasing Out
Skip-Connections" (ICANN 2018), section 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.experiments.statements import Curves, Mean, Verdict, cut
from course.experiments.table import Table

LEVEL = 2.0
"""Percentage points within which two accuracies are called the same."""

PLAIN_UNTIL, VAN_UNTIL = 30, 40
"""Up to these depths the paper finds plain networks, and VANs, to go with ResNets."""

NETWORKS = ("plain", "resnet", "van", "van0")
"""The networks that a table must hold."""


def compare(table: Table, van: Table | None = None) -> list[Verdict]:
    """The statements with their verdicts. The table must hold `NETWORKS` at several depths.

    van: a table of the same depths, whose VANs are to stand in place of the table's: those of
    another reading of the time at which their skips leave.
    """
    columns = table.last() if van is None else _replaced(table.last(), van.last())
    curves = Curves(columns)
    return [
        _goes_with_resnet(curves, "plain", PLAIN_UNTIL),
        _falls(curves),
        _goes_with_resnet(curves, "van", VAN_UNTIL),
        _less(curves),
        _milder(curves),
        cut(curves, LEVEL),
    ]


def settings(table: Table) -> str:
    """Where the run differs from the paper's: one line."""
    grid: dict[str, Any] = table.header["settings"]
    pictures = "all" if grid["subset"] is None else f"{grid['subset']:,}"
    leave = grid["leave_at"]
    pushed = "skips pushed as published" if leave is None else f"skips pushed to leave at {leave}"
    return (
        f"{grid['data']}: {pictures} training pictures (the paper: 50,000), {grid['epochs']} "
        f"epochs of batches of {grid['batch']} (165 of 128), {grid['width']} channels in the "
        f"first block, {len(grid['seeds'])} seeds, depths {', '.join(map(str, grid['depths']))}; "
        f"{pushed}"
    )


def _replaced(
    columns: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The columns, with the rows of `others` in place of those of the network van."""
    rest, own = columns["network"] != "van", others["network"] == "van"
    return {name: np.concatenate([columns[name][rest], others[name][own]]) for name in columns}


def _goes_with_resnet(curves: Curves, network: str, until: int) -> Verdict:
    """Reproduced: at no depth until then more than LEVEL below resnet. Partly: nowhere clearly."""
    depths = [depth for depth in curves.depths if depth <= until]
    gaps = {depth: curves.above("resnet", network, depth) for depth in depths}
    widest = max(gaps, key=lambda depth: gaps[depth].value)
    more = Mean(gaps[widest].value - LEVEL, gaps[widest].error)
    verdict = "reproduced" if more.value <= 0 else "not" if more.clear else "partly"
    return Verdict(
        f"Up to about {until} layers {network} goes with resnet.",
        verdict,
        f"most below resnet at {widest}, by {gaps[widest]} points",
    )


def _falls(curves: Curves) -> Verdict:
    """Reproduced: the deepest plain network has clearly lost LEVEL or more. Partly: clearly less.

    Lost from the best plain network with at most PLAIN_UNTIL layers.
    """
    few = [depth for depth in curves.depths if depth <= PLAIN_UNTIL]
    best = max(few, key=lambda depth: curves.mean("plain", depth).value)
    loss = Mean.of(curves.seeds("plain", best) - curves.seeds("plain", curves.deepest))
    verdict = ("reproduced" if loss.value >= LEVEL else "partly") if loss.clear else "not"
    return Verdict(
        f"Beyond {PLAIN_UNTIL} layers plain networks fall.",
        verdict,
        f"plain: {curves.mean('plain', best)} % at {best}, "
        f"{curves.mean('plain', curves.deepest)} % at {curves.deepest}",
    )


def _less(curves: Curves) -> Verdict:
    """Reproduced: at the deepest van is clearly below resnet. Partly: below, but not clearly."""
    below = curves.above("resnet", "van", curves.deepest)
    verdict = "reproduced" if below.clear else "partly" if below.value > 0 else "not"
    return Verdict(
        f"Beyond {VAN_UNTIL} layers van falls behind resnet.",
        verdict,
        f"at {curves.deepest} layers van is {below} points below",
    )


def _milder(curves: Curves) -> Verdict:
    """Reproduced: from the shallowest to the deepest plain clearly loses more than van.

    Partly: more, but not clearly. Not: van loses as much, or more.
    """
    first = curves.depths[0]
    plain, van = (
        curves.seeds(name, first) - curves.seeds(name, curves.deepest) for name in ("plain", "van")
    )
    more = Mean.of(plain - van)
    verdict = "reproduced" if more.clear else "partly" if more.value > 0 else "not"
    return Verdict(
        "Degradation is milder in van than in plain (the caption of figure 3 has it reversed).",
        verdict,
        f"from {first} to {curves.deepest} layers plain loses {Mean.of(plain)} points, "
        f"van {Mean.of(van)}; the difference is {more}",
    )
