"""The glossary: a term a line, with the notebook that introduces it; and the symbols."""

from __future__ import annotations

from dataclasses import dataclass

from course import files
from course.arguments import one_of
from course.handbook import tables
from course.handbook.tables import Table


@dataclass(frozen=True)
class Term:
    """A term of the course.

    forms: the words by which a text names it, if a test is to look for them before its notebook;
    none for a word which is everyday language too. formula: in plain text, "" where there is none.
    notebook: the slug of the one that introduces it.
    """

    term: str
    forms: tuple[str, ...]
    formula: str
    meaning: str
    notebook: str


@dataclass(frozen=True)
class Symbol:
    """A symbol of the course's formulas, the one thing that it means, and where it first stands."""

    symbol: str
    meaning: str
    notebook: str


def _forms(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(text.split("|"))


TERMS = {
    row["term"]: Term(**{**row, "forms": _forms(row["forms"])})  # type: ignore[arg-type]
    for row in tables.rows("terms.csv")
}
"""{term: Term}, in the order in which the course introduces them."""

SYMBOLS = {row["symbol"]: Symbol(**row) for row in tables.rows("symbols.csv")}
"""{symbol: Symbol}, likewise."""


def glossary(*terms: str, notebook: str | None = None) -> Table:
    """A table of terms: what each is, its formula, where it is introduced; all of them in A to Z.

    terms: these only, in this order. notebook: those that the notebook with this slug introduces.
    Raises ValueError for what is not in the glossary.
    """
    chosen = [TERMS[one_of("terms", term, TERMS)] for term in terms]
    if notebook is not None:
        one_of("notebook", notebook, files.notebooks())
        chosen += [term for term in TERMS.values() if term.notebook == notebook]
    elif not terms:
        chosen = sorted(TERMS.values(), key=lambda term: term.term.lower())
    return Table(
        ("term", "what it is", "formula", "notebook"),
        tuple((one.term, one.meaning, one.formula, one.notebook) for one in chosen),
    )


def symbols() -> Table:
    """A table of the symbols, each with the one thing that it means."""
    return Table(
        ("symbol", "what it means", "notebook"),
        tuple((one.symbol, one.meaning, one.notebook) for one in SYMBOLS.values()),
    )
