"""What an instructor gets: grades as CSV, a table on the screen, answers to be marked by hand."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nbformat

from course.arguments import real, reject
from course.classroom.collect import restore
from course.classroom.folder import gradebook
from course.classroom.grade.results import Result

WRITTEN = ("student", "set", "question", "most", "points", "comment", "answer")


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    text = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if text else value


def _write(target: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with target.open("w", newline="", encoding="utf-8-sig") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows([_cell(value) for value in row] for row in rows)
    return target


def write_grades(course: Path, results: Sequence[Result]) -> list[Path]:
    """grades.csv (a row for each student and set) and grades-SET.csv (a column for each cell)."""
    head = ["student", "name", "set", "score", "out of", "to be marked", "status", "remarks"]
    rows = (
        [r.student, r.name, r.set, r.score, r.most, r.waiting, r.status, r.told] for r in results
    )
    made = [_write(course / "grades.csv", head, rows)]
    for name in sorted({r.set for r in results}):
        mine = [r for r in results if r.set == name]
        cells = sorted({cell for r in mine for cell in r.cells})
        detail = (
            [r.student, r.name, *("" if r.cells.get(c) is None else r.cells[c] for c in cells)]
            for r in mine
        )
        made.append(_write(course / f"grades-{name}.csv", ["student", "name", *cells], detail))
    return made


def write_written(course: Path, results: Sequence[Result]) -> Path | None:
    """written.csv: the answers in words that wait for marks, to be filled in and read back."""
    rows: list[list[Any]] = []
    for r in results:
        file = course / "submitted" / r.student / r.set / f"{r.set}.ipynb"
        if not file.exists():
            continue
        for cell in nbformat.read(file, as_version=4).cells:
            marks = cell.metadata.get("nbgrader", {})
            name = restore.grade_id(cell)
            known = r.cells.get(name, 0)
            if not (marks.get("grade") and marks.get("solution")):
                continue
            if known is None or name in r.outdated:
                told = "" if known is None else f"[new; the earlier one got {known:g}] "
                rows.append([r.student, r.set, name, marks["points"], "", "", told + cell.source])
    return _write(course / "written.csv", WRITTEN, rows) if rows else None


def read_marks(course: Path, file: Path) -> list[tuple[str, str]]:
    """Takes marks from a filled-in written.csv; rows without points are left alone.

    All rows are checked before the first is taken. Returns the (set, student) pairs concerned.
    Raises ValueError that names the row.
    """
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # Excel's "CSV", not its "CSV UTF-8"
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)  # spreadsheets write what is usual in their language
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=mark))
    if not rows or not set(WRITTEN[:5]) <= set(rows[0]):
        raise reject("marks", str(file), "a table with the columns " + ", ".join(WRITTEN[:5]))
    concerned = []
    with gradebook(course) as book:
        from nbgrader.api import MissingEntry

        for number, row in enumerate(rows, start=2):
            if not (row["points"] or "").strip():
                continue
            keys = [(row[k] or "").lstrip("'") for k in ("question", "set", "set", "student")]
            try:
                entry = book.find_grade(*keys)
                comment = book.find_comment(*keys)
            except MissingEntry:
                raise ValueError(
                    f"{file.name}, row {number}: no such answer in this course"
                ) from None
            try:
                written = row["points"].replace(",", ".")
                points = real("points", written, least=0, most=entry.max_score, text=True)
            except ValueError as problem:
                raise ValueError(f"{file.name}, row {number}: {problem}") from None
            entry.manual_score, entry.needs_manual_grade = points, False
            if (row.get("comment") or "").strip():
                comment.manual_comment = row["comment"].strip()
            concerned.append((keys[1], keys[3]))
        book.db.commit()
    return sorted(set(concerned))


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
