"""The decision card: what you see, what to measure, what it would mean, what to try first."""

from __future__ import annotations

from dataclasses import dataclass

from course.arguments import one_of
from course.handbook import tables
from course.handbook.tables import Table


@dataclass(frozen=True)
class Decision:
    """A line of the card.

    notebook: the slug of the lesson that shows it. measures: names of `course.measures`, or of
    `course.doctor`.
    """

    notebook: str
    symptom: str
    measures: tuple[str, ...]
    meaning: str
    remedy: str


DECISIONS = tuple(
    Decision(**{**row, "measures": tuple(row["measures"].split())})  # type: ignore[arg-type]
    for row in tables.rows("decisions.csv")
)
"""The lines of the card, in the order of the lessons."""


def decision(notebook: str) -> Table:
    """The lines of one lesson. Raises ValueError where `notebook` is the slug of none."""
    one_of("notebook", notebook, [line.notebook for line in DECISIONS])
    return _table([line for line in DECISIONS if line.notebook == notebook])


def decision_card(until: str | None = None) -> Table:
    """The whole card, or, with the slug of a lesson, the card as it has grown until that lesson.

    Raises ValueError where `until` is the slug of none.
    """
    slugs = [line.notebook for line in DECISIONS]
    end = len(slugs)
    if until is not None:
        end -= slugs[::-1].index(one_of("until", until, slugs))
    return _table(list(DECISIONS[:end]))


def _table(lines: list[Decision]) -> Table:
    return Table(
        ("you see", "measure", "it means", "try first", "notebook"),
        tuple(
            (one.symptom, ", ".join(one.measures), one.meaning, one.remedy, one.notebook)
            for one in lines
        ),
    )
