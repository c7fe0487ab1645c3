"""Tables for a spreadsheet: grades; answers in words, out to be marked and back with points."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from course.arguments import real, reject
from course.classroom import spreadsheet
from course.classroom.folder import CourseFolder
from course.classroom.grade.filing import answers_in_words
from course.classroom.grade.results import Result

WRITTEN = ("student", "set", "question", "most", "points", "comment", "answer")


def write_grades(course: CourseFolder, results: Sequence[Result]) -> list[Path]:
    """grades.csv (a row for each student and set) and grades-SET.csv (a column for each cell)."""
    head = ["student", "name", "set", "handed in", "score", "out of", "to be marked", "status"]
    rows = (
        [r.student, r.name, r.set, r.when, r.score, r.most, r.waiting, r.status, r.told]
        for r in results
    )
    paths = [spreadsheet.write(course.path / "grades.csv", [*head, "remarks"], rows)]
    for name in sorted({r.set for r in results}):
        mine = [r for r in results if r.set == name]
        cells = sorted({cell for r in mine for cell in r.cells})
        detail = (
            [r.student, r.name, *("" if r.cells.get(c) is None else r.cells[c] for c in cells)]
            for r in mine
        )
        path = course.path / f"grades-{name}.csv"
        paths.append(spreadsheet.write(path, ["student", "name", *cells], detail))
    return paths


def write_imports(course: CourseFolder, results: Sequence[Result]) -> list[Path]:
    """Grades as platforms import them: moodle-SET.csv for each set, and canvas.csv for all.

    Moodle: a grading worksheet, whose identifiers stand in the names of the downloaded files.
    Canvas: a gradebook with a column for each set; its numbers of students stand there, too.
    """
    sets = sorted({r.set for r in results})
    head = ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (submission)"]
    paths = []
    for name in sets:
        rows = (
            [f"Participant {r.student}", r.name, r.score, r.most, r.when]
            for r in results
            if r.set == name
        )
        paths.append(spreadsheet.write(course.path / f"moodle-{name}.csv", head, rows))
    points = {(r.student, r.set): r.score for r in results}
    most = {r.set: r.most for r in results}
    students = {r.student: r.name for r in results}
    table = [["    Points Possible", "", "", "", *(most[name] for name in sets)]]
    table += [
        [name, student, "", "", *(points.get((student, s), "") for s in sets)]
        for student, name in sorted(students.items())
    ]
    head = ["Student", "ID", "SIS Login ID", "Section", *sets]
    return [*paths, spreadsheet.write(course.path / "canvas.csv", head, table)]


def write_written(course: CourseFolder, results: Sequence[Result]) -> Path | None:
    """written.csv: the answers in words that wait for marks, to be filled in and read back."""
    rows: list[list[Any]] = []
    for r in results:
        path = course.submitted(r.set, r.student)
        if not path.exists():
            continue
        for name, cell in answers_in_words(nbformat.read(path, as_version=4)).items():
            points = r.cells.get(name, 0)
            if points is None or name in r.outdated:
                old = "" if points is None else f"[new; the earlier one got {points:g}] "
                most = cell.metadata.nbgrader["points"]
                rows.append([r.student, r.set, name, most, "", "", old + cell.source])
    return spreadsheet.write(course.path / "written.csv", WRITTEN, rows) if rows else None


def read_marks(course: CourseFolder, file: Path) -> list[tuple[str, str]]:
    """Takes marks from a filled-in written.csv; rows without points are left alone.

    All rows are checked before the first is taken. Returns the (set, student) pairs concerned.
    Raises ValueError that names the row.
    """
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # Excel's "CSV", not its "CSV UTF-8"
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # spreadsheets write what is usual in their language
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    if not rows or not set(WRITTEN[:5]) <= set(rows[0]):
        raise reject("marks", str(file), "a table with the columns " + ", ".join(WRITTEN[:5]))
    pairs = []
    with course.gradebook() as book:
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
            pairs.append((keys[1], keys[3]))
        book.db.commit()
    return sorted(set(pairs))
