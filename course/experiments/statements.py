"""What the VAN paper says of its figure 1, beside what a recorded run of it shows.

    for verdict in compare(recorded("figure1", "mnist")):
        print(verdict)

Every statement has a criterion, which its function below states. All is in percentage points of
accuracy, means over seeds after the last epoch. "Loss" is the accuracy at the best depth less that
at the deepest. "Clearly" means by three standard errors or more.

Source: Monti, Tootoonian, Cao, "Avoiding Degradation in Deep Feed-Forward Networks by Phasing Out
Skip-Connections" (ICANN 2018), section 4.1 and figure 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from course.experiments.table import Table

LEVEL = 0.5
"""Percentage points that one may lose and still be called stable."""

KNEE = 10
"""The depth up to which the paper finds plain networks to be fine."""

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

    def __str__(self) -> str:
        return f"{self.value:.2f}±{self.error:.2f}"

    def less(self, other: Mean) -> Mean:
        """How much lower it is than `other`, with the error of the difference."""
        return Mean(other.value - self.value, float(np.hypot(self.error, other.error)))

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
        here = (self.columns["network"] == network) & (self.columns["depth"] == depth)
        return 100 * self.columns[measure][here]

    def mean(self, network: str, depth: int, measure: str = "test_accuracy") -> Mean:
        values = self.seeds(network, depth, measure)
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        return Mean(float(values.mean()), float(error))

    def best(self, network: str, measure: str = "test_accuracy") -> int:
        """The depth with the highest mean accuracy."""
        return max(self.depths, key=lambda depth: self.mean(network, depth, measure).value)

    def loss(self, network: str, measure: str = "test_accuracy") -> Mean:
        """From the best depth to the deepest."""
        best = self.mean(network, self.best(network, measure), measure)
        return self.mean(network, self.deepest, measure).less(best)

    def ends(self, network: str, measure: str = "test_accuracy") -> str:
        """The numbers at the best depth and the deepest, in words."""
        best = self.best(network, measure)
        return (
            f"{network}: {self.mean(network, best, measure)} % at its best depth {best}, "
            f"{self.mean(network, self.deepest, measure)} % at {self.deepest}"
        )


def compare(table: Table) -> list[Verdict]:
    """The statements with their verdicts for a table of `course run figure1`.

    The table must hold plain, resnet, highway, diracnet, van and van0 at several depths, of which
    one is at most `KNEE` and one above it.
    """
    curves = Curves(table.last())
    return [
        _deteriorates(curves),
        _in_training_too(curves),
        *(_stable(curves, network) for network in ("resnet", "highway", "diracnet", "van0")),
        _van(curves),
        _van_beats_plain(curves),
        _cut(curves),
    ]


def settings(table: Table) -> str:
    """Where the run differs from the paper's: one line."""
    grid = table.header["settings"]
    return (
        f"{grid['data']}: {grid['epochs']} epochs (the paper: 50), {len(grid['seeds'])} seeds "
        f"(the paper: 10), depths {', '.join(map(str, grid['depths']))}"
    )


def _deteriorates(curves: Curves) -> Verdict:
    """Reproduced: the deepest clearly loses more than a point, and up to depth 10 nothing is lost.

    Up to 10: from the best of these depths to the last of them at most LEVEL. Partly: it loses, but
    earlier than the paper says. Not: it does not lose a point.
    """
    loss = curves.loss("plain")
    early = [depth for depth in curves.depths if depth <= KNEE]
    before = max(curves.mean("plain", depth).value for depth in early)
    fine = before - curves.mean("plain", early[-1]).value <= LEVEL
    verdict = ("reproduced" if fine else "partly") if loss.clear and loss.value > 1 else "not"
    middle = f"{curves.mean('plain', early[-1])} % at {early[-1]}"
    return Verdict(
        "Plain networks deteriorate beyond about ten layers.",
        verdict,
        f"{curves.ends('plain')}, {middle}",
    )


def _in_training_too(curves: Curves) -> Verdict:
    """Reproduced: training accuracy clearly loses more than a point too. Partly: it loses less."""
    loss = curves.loss("plain", "train_accuracy")
    verdict = ("reproduced" if loss.value > 1 else "partly") if loss.clear else "not"
    return Verdict(
        "It is no overfitting: the training accuracy of plain networks falls as well.",
        verdict,
        f"training, {curves.ends('plain', 'train_accuracy')}",
    )


def _stable(curves: Curves, network: str) -> Verdict:
    """Reproduced: loses at most LEVEL. Partly: at most half of what plain loses. Else not."""
    return Verdict(
        f"{network} is stable from 1 to 30 layers.",
        _grade(curves, network),
        curves.ends(network),
    )


def _grade(curves: Curves, network: str) -> str:
    loss = curves.loss(network).value
    if loss <= LEVEL:
        return "reproduced"
    return "partly" if loss <= 0.5 * curves.loss("plain").value else "not"


def _van(curves: Curves) -> Verdict:
    """Stable as above, and at the deepest below resnet; a VAN that is not below is only partly."""
    verdict = _grade(curves, "van")
    below = curves.mean("van", curves.deepest).less(curves.mean("resnet", curves.deepest))
    if verdict == "reproduced" and below.value <= 0:
        verdict = "partly"
    return Verdict(
        "VAN stays a little below the others, without pronounced degradation.",
        verdict,
        f"{curves.ends('van')}; {below} points below resnet there",
    )


def _van_beats_plain(curves: Curves) -> Verdict:
    """Reproduced: VAN is clearly above plain at the deepest. Partly: above, but not clearly."""
    plain = curves.mean("plain", curves.deepest)
    more = plain.less(curves.mean("van", curves.deepest))
    verdict = "reproduced" if more.clear else "partly" if more.value > 0 else "not"
    return Verdict(
        "VAN ends as a plain network, and a better one than plain training finds.",
        verdict,
        f"at {curves.deepest} layers van is {more} points above plain",
    )


def _cut(curves: Curves) -> Verdict:
    """Reproduced: dropping the skips changes no test accuracy. Partly: below LEVEL on average."""
    rows = curves.columns["network"] == "van"
    before, after = (curves.columns[name][rows] for name in ("test_accuracy", "test_accuracy_cut"))
    change = 100 * np.abs(before - after)
    worst, alpha = change.max(), curves.columns["smallest_alpha"][rows].min()
    verdict = "reproduced" if worst < 1e-6 else "partly" if change.mean() < LEVEL else "not"
    return Verdict(
        "When VAN's training ends, its skips are gone.",
        verdict,
        f"smallest alpha of all runs {alpha:.3g}; dropping the skips changes the test accuracy by "
        f"{worst:.2f} points at most",
    )
