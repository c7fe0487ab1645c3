"""What a doctor says: findings, and a verdict that names one root and its consequences."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from course.arguments import one_of
from course.doctor import report
from course.doctor.illnesses import ILLNESSES, Illness

STATUSES = ("healthy", "not sure", "ill")
NOT_EXAMINED = (
    "how long to train",
    "which optimizer suits best",
    "whether the network has the right size",
    "overfitting",
    "the quality of the data beyond scale, order and neighbours",
)
"""What no examination here can judge; every verdict says so."""


@dataclass(frozen=True)
class Finding:
    """An illness that was found. illness: a key of `ILLNESSES`; place: the layers or parameters,
    input first, or the thing ("loss", "optimizer", "data"); evidence: a sentence with numbers."""

    illness: str
    place: tuple[str, ...]
    evidence: str

    def __post_init__(self) -> None:
        one_of("illness", self.illness, ILLNESSES)

    @property
    def about(self) -> Illness:
        """What is known of the illness: its explanation, remedies and lesson."""
        return ILLNESSES[self.illness]

    def where(self) -> str:
        """The place in words: at most three names, the others counted."""
        if len(self.place) <= 3:
            return ", ".join(self.place)
        return f"{self.place[0]} to {self.place[-1]} ({len(self.place)} in all)"


@dataclass(frozen=True)
class LayerRecord:
    """A layer in one pass of one batch: size of its output (root mean square), spread of its units
    over the samples, mean cosine between samples, shares of flat and dead units (NaN: none),
    gradient (root mean square length per sample at its output; NaN: none came)."""

    name: str
    kind: str
    size: float
    spread: float
    cosine: float
    saturated: float
    dead: float
    gradient: float


@dataclass(frozen=True)
class Verdict:
    """What was found. status: one of `STATUSES`. root: the finding to treat first, None if there
    is none. consequences: what follows from it. evidence: sentences on what was measured. notes:
    what is worth knowing, and no illness. not_examined: what the verdict says nothing about.
    layers: one record for each layer. losses: of the trial steps on a copy."""

    status: str
    root: Finding | None = None
    consequences: tuple[Finding, ...] = ()
    evidence: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_examined: tuple[str, ...] = NOT_EXAMINED
    layers: tuple[LayerRecord, ...] = ()
    losses: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        one_of("status", self.status, STATUSES)

    @property
    def illness(self) -> str | None:
        """The root's name, or None."""
        return None if self.root is None else self.root.illness

    @property
    def place(self) -> tuple[str, ...]:
        """Where the root is; empty if there is none."""
        return () if self.root is None else self.root.place

    def to_dict(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and numbers that `json` can write: NaN is None."""
        plain = asdict(self)
        if self.root is not None:
            about = self.root.about
            plain["root"] |= {
                "lesson": about.lesson,
                "remedies": [asdict(r) for r in about.remedies],
            }
        return _plain(plain)

    def __str__(self) -> str:
        return report.text(self)

    def __repr__(self) -> str:
        return f"<Verdict: {self.status}{f', {self.illness}' if self.root else ''}>"

    def _repr_html_(self) -> str:
        return report.html(self)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
