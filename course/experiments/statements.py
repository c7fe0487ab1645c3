"""What the VAN paper says of its figure 1, beside what a recorded run of it shows.

    for verdict in compare(recorded("figure1", "mnist")):
        print(verdict)

Every statement has a criterion, which its function below states. All is in percentage points of
accuracy, means over seeds after the last epoch. Networks of one seed start from the same draws and
see the same batches, so two networks are compared by the mean of the differences between those of
one seed, with its standard error. "Clearly" means by three standard errors or more.

Source: Monti, Tootoonian, Cao, "Avoiding Degradation in Deep Feed-Forward Networks by Phasing Out
Skip-Connections" (ICANN 2018), section 4.1 and figure 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from course.experiments.table import Table

LEVEL = 0.5
"""Percentage points within which two accuracies are called the same."""

ONSET = 15
"""The depth up to which a fall "beyond about ten layers" must have begun."""

VERDICTS = ("reproduced", "partly", "not")


@dataclass(frozen=True)
class Verdict:
    """A statement of the paper, one of `VERDICTS`, and the numbers on which it rests."""

    statement: str
    verdict: str
    numbers: str

    def __str__(self) -> str:
        return f"{self.verdict:10} {self.statement}\n{'':11}{self.numbers}"


@dataclass(frozen=True)
class Mean:
    """A mean over seeds with its standard error, in percent."""

    value: float
    error: float

    @classmethod
    def of(cls, values: np.ndarray) -> Mean:
        """The mean of these, with the error 0 of a single one."""
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        return cls(float(values.mean()), float(error))

    def __str__(self) -> str:
        return f"{self.value:.2f}±{self.error:.2f}"

    @property
    def clear(self) -> bool:
        """At least three standard errors above 0."""
        return self.value > 0 and self.value >= 3 * self.error


class Curves:
    """Accuracies of a table by network and depth, after the last epoch."""

    def __init__(self, columns: Mapping[str, np.ndarray]) -> None:
        self.columns = columns
        self.depths = [int(depth) for depth in np.unique(columns["depth"])]
        self.deepest = self.depths[-1]

    def seeds(self, network: str, depth: int, measure: str = "test_accuracy") -> np.ndarray:
        """One number per seed, in percent."""
        rows = (self.columns["network"] == network) & (self.columns["depth"] == depth)
        return 100 * self.columns[measure][rows]

    def mean(self, network: str, depth: int, measure: str = "test_accuracy") -> Mean:
        return Mean.of(self.seeds(network, depth, measure))

    def above(self, network: str, other: str, depth: int) -> Mean:
        """By how much `network` is above `other` at this depth, seed by seed."""
        return Mean.of(self.seeds(network, depth) - self.seeds(other, depth))

    def best(self, network: str, measure: str = "test_accuracy") -> int:
        """The depth with the highest mean accuracy."""
        return max(self.depths, key=lambda depth: self.mean(network, depth, measure).value)

    def worst(self, network: str, measure: str = "test_accuracy") -> int:
        """The depth with the lowest mean accuracy."""
        return min(self.depths, key=lambda depth: self.mean(network, depth, measure).value)

    def loss(self, network: str, depth: int, measure: str = "test_accuracy") -> Mean:
        """From the best depth to this one, seed by seed."""
        best = self.seeds(network, self.best(network, measure), measure)
        return Mean.of(best - self.seeds(network, depth, measure))

    def onset(self, network: str, measure: str = "test_accuracy") -> int | None:
        """The first depth beyond the best that has clearly lost LEVEL or more; None: none has."""
        beyond = [depth for depth in self.depths if depth > self.best(network, measure)]
        losses = {depth: self.loss(network, depth, measure) for depth in beyond}
        return next((d for d, loss in losses.items() if loss.clear and loss.value >= LEVEL), None)

    def ends(self, network: str, measure: str = "test_accuracy") -> str:
        """The numbers at the best depth and the deepest, in words."""
        best = self.best(network, measure)
        return (
            f"{network}: {self.mean(network, best, measure)} % at its best depth {best}, "
            f"{self.mean(network, self.deepest, measure)} % at {self.deepest}"
        )


def compare(table: Table) -> list[Verdict]:
    """The statements with their verdicts for a table of `course run figure1`.

    The table must hold plain, resnet, highway, diracnet, van and van0 at several depths.
    """
    curves = Curves(table.last())
    return [
        _deteriorates(curves),
        _in_training_too(curves),
        *(_stable(curves, network) for network in ("resnet", "highway", "diracnet", "van0")),
        _van_competes(curves),
        _van_below(curves),
        _van_beats_plain(curves),
        cut(curves),
    ]


def settings(table: Table) -> str:
    """Where the run differs from the paper's: one line."""
    grid = table.header["settings"]
    return (
        f"{grid['data']}: {grid['epochs']} epochs (the paper: 50), {len(grid['seeds'])} seeds "
        f"(the paper: 10), depths {', '.join(map(str, grid['depths']))}"
    )


def _deteriorates(curves: Curves) -> Verdict:
    """Reproduced: the deepest has clearly lost LEVEL, and the loss begins by ONSET.

    Partly: it begins deeper than that. Not: nothing is lost.
    """
    onset = curves.onset("plain")
    verdict = "not" if onset is None else "reproduced" if onset <= ONSET else "partly"
    begins = "no loss" if onset is None else f"{LEVEL} points are lost first at {onset}"
    return Verdict(
        "Plain networks deteriorate beyond about ten layers.",
        verdict,
        f"{curves.ends('plain')}; {begins}",
    )


def _in_training_too(curves: Curves) -> Verdict:
    """Reproduced: at the deepest, training accuracy has clearly lost LEVEL or more.

    Partly: it has clearly lost less.
    """
    loss = curves.loss("plain", curves.deepest, "train_accuracy")
    verdict = ("reproduced" if loss.value >= LEVEL else "partly") if loss.clear else "not"
    return Verdict(
        "It is no overfitting: the training accuracy of plain networks falls as well.",
        verdict,
        f"training, {curves.ends('plain', 'train_accuracy')}",
    )


def _stable(curves: Curves, network: str) -> Verdict:
    """Reproduced: the best and the worst depth lie LEVEL apart at most.

    Partly: further, but the best is the deeper one, or at most half of what plain loses is lost.
    """
    best, worst = curves.best(network), curves.worst(network)
    loss = curves.loss(network, curves.deepest).value
    verdict = "not"
    if curves.loss(network, worst).value <= LEVEL:
        verdict = "reproduced"
    elif worst < best or loss <= 0.5 * curves.loss("plain", curves.deepest).value:
        verdict = "partly"
    return Verdict(
        f"{network} is stable from 1 to 30 layers.",
        verdict,
        f"{curves.ends(network)}; lowest {curves.mean(network, worst)} % at {worst}",
    )


def _van_competes(curves: Curves) -> Verdict:
    """Reproduced: at no depth more than LEVEL below resnet. Partly: nowhere clearly so."""
    gaps = {depth: curves.above("resnet", "van", depth) for depth in curves.depths}
    widest = max(gaps, key=lambda depth: gaps[depth].value)
    more = Mean(gaps[widest].value - LEVEL, gaps[widest].error)
    verdict = "reproduced" if more.value <= 0 else "not" if more.clear else "partly"
    return Verdict(
        "VAN obtains competitive results across all depths.",
        verdict,
        f"{curves.ends('van')}; most below resnet at {widest}, by {gaps[widest]} points",
    )


def _van_below(curves: Curves) -> Verdict:
    """Reproduced: clearly below resnet at the deepest. Partly: below, but not clearly."""
    below = curves.above("resnet", "van", curves.deepest)
    verdict = "reproduced" if below.clear else "partly" if below.value > 0 else "not"
    return Verdict(
        "(Seen in the figure, not said in the text:) VAN ends a little below resnet.",
        verdict,
        f"at {curves.deepest} layers van is {below} points below resnet",
    )


def _van_beats_plain(curves: Curves) -> Verdict:
    """Reproduced: VAN is clearly above plain at the deepest. Partly: above, but not clearly."""
    above = {depth: curves.above("van", "plain", depth) for depth in curves.depths}
    most = above[curves.deepest]
    verdict = "reproduced" if most.clear else "partly" if most.value > 0 else "not"
    others = ", ".join(f"{above[depth]} at {depth}" for depth in curves.depths[:-1][-2:])
    return Verdict(
        "VAN ends as a plain network, and a better one than plain training finds.",
        verdict,
        f"points above plain: {most} at {curves.deepest}, {others}",
    )


def cut(curves: Curves, level: float = LEVEL) -> Verdict:
    """Reproduced: dropping VAN's skips changes no test accuracy. Partly: below `level` on average.

    level: percentage points within which two accuracies are called the same.
    """
    rows = curves.columns["network"] == "van"
    before, after = (curves.columns[name][rows] for name in ("test_accuracy", "test_accuracy_cut"))
    change = 100 * np.abs(before - after)
    worst, alpha = change.max(), curves.columns["smallest_alpha"][rows].min()
    verdict = "reproduced" if worst < 1e-6 else "partly" if change.mean() < level else "not"
    return Verdict(
        "When VAN's training ends, its skips are gone.",
        verdict,
        f"smallest alpha of all runs {alpha:.3g}; dropping the skips changes the test accuracy by "
        f"{worst:.2f} points at most",
    )
