"""Rows as a table of the page and as plain text, read from CSV files beside the modules."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course import files

FOLDER = Path(__file__).parent
LINKED = "notebook"
"""The column whose cells become links to a notebook."""


def rows(file: str) -> list[dict[str, str]]:
    """The lines of a CSV file of this folder, each {column: text}."""
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@dataclass(frozen=True)
class Table:
    """Rows of texts below a heading; the page shows a table, elsewhere it is plain text.

    columns: the headings. rows: one text for each column; those of the column "notebook" are slugs.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in self.columns)
        body = "".join(
            f"<tr>{''.join(map(self._cell, self.columns, row))}</tr>" for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _cell(self, column: str, text: str) -> str:
        shown = escape(text)
        if column == LINKED and text in files.notebooks():
            file = files.notebooks()[text]
            shown = (
                f'<a href="{file}">{file.partition("_")[0]} {escape(text.replace("_", " "))}</a>'
            )
        return f'<td style="text-align:left; vertical-align:top">{shown}</td>'

    def __repr__(self) -> str:
        return "\n".join(self._line(row) for row in self.rows)

    def _line(self, row: Sequence[str]) -> str:
        """The first text, and below it, indented, the others under their headings."""
        first, *others = zip(self.columns, row, strict=True)
        lines = [first[1]]
        for name, text in others:
            if text:
                lines += textwrap.wrap(
                    f"{name}: {text}", 96, initial_indent="  ", subsequent_indent="    "
                )
        return "\n".join(lines)
