"""The predictions of the notebooks: exported by a student without a name, summed up for a class."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course import files
from course.arguments import reject
from course.classroom import spreadsheet
from course.selfcheck import answers

FIELDS = ("format", "notebook", "question", "phase", "option", "text", "answer")
MOST_BYTES = 5 * 2**20


def export(target: Path, source: Path | None = None) -> int:
    """Writes the predictions that count (first before, last after) to `target`; how many.

    No name, no time, and in random order. Raises ValueError where nothing was predicted yet.
    """
    records = answers.read(source)
    if not records:
        raise ValueError(f"predictions = {source or answers.path()}: there are none yet")
    counting = list(_counting(records).values())
    random.shuffle(counting)
    lines = [json.dumps({k: getattr(r, k) for k in FIELDS}, ensure_ascii=False) for r in counting]
    files.write_whole(target, "\n".join(lines) + "\n")
    return len(counting)


def _counting(records: Iterable[answers.Record]) -> dict[tuple[str, str], answers.Record]:
    """(question, phase) -> the record that counts: the first before, the last after."""
    counting: dict[tuple[str, str], answers.Record] = {}
    for r in records:
        if r.phase == "after" or (r.question, r.phase) not in counting:
            counting[r.question, r.phase] = r
    return counting


@dataclass
class Question:
    """One question of the class: how many chose which option, before and after the reveal."""

    id: str
    options: dict[int, str] = field(default_factory=dict)
    before: Counter[int] = field(default_factory=Counter)
    after: Counter[int] = field(default_factory=Counter)
    answer: int | None = None

    def right(self, phase: str) -> float | None:
        """Share of right answers in a phase, None where nobody answered or it is not known."""
        counts: Counter[int] = getattr(self, phase)
        if self.answer is None or not counts:
            return None
        return counts[self.answer] / counts.total()

    @property
    def alive(self) -> tuple[float, int | None]:
        """(share, option) of the commonest wrong answer after the reveal (before, if none yet)."""
        counts = self.after or self.before
        wrong = [(n / counts.total(), k) for k, n in counts.items() if k != self.answer]
        return max(wrong, default=(0.0, None))


def collect(place: Path) -> tuple[list[Question], int]:
    """The questions in the exported files of a folder or zip, and how many files there were.

    Each file counts as one student; damaged lines and foreign files are passed over.
    """
    questions: dict[str, Question] = {}
    students = 0
    for text in _texts(place):
        records = _counting(filter(None, map(_record, text.splitlines())))
        students += bool(records)
        for r in records.values():
            question = questions.setdefault(r.question, Question(r.question))
            question.options.setdefault(r.option, r.text)
            (question.before if r.phase == "before" else question.after)[r.option] += 1
            if r.answer is not None:
                question.answer = r.answer
    if not students:
        raise reject("predictions", str(place), "a folder or .zip with exported predictions")
    return [questions[name] for name in sorted(questions)], students


def _record(line: str) -> answers.Record | None:
    try:
        data = json.loads(line)
        r = answers.Record(**{"time": "", **{k: data[k] for k in FIELDS if k in data}})
        answers.question_id(r.question)
    except (ValueError, TypeError, KeyError):
        return None
    fits = isinstance(r.option, int) and 0 <= r.option < 8 and r.phase in ("before", "after")
    return r if fits and isinstance(r.text, str) else None


def _texts(place: Path) -> Iterator[str]:
    if place.is_file() and zipfile.is_zipfile(place):
        with zipfile.ZipFile(io.BytesIO(place.read_bytes())) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".jsonl") and member.file_size <= MOST_BYTES:
                    yield archive.read(member).decode("utf-8", errors="replace")
        return
    files = sorted(place.rglob("*.jsonl")) if place.is_dir() else [place]
    for file in files:
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= MOST_BYTES:
            yield file.read_text(encoding="utf-8", errors="replace")


def summary(questions: Sequence[Question], students: int, least: int = 3) -> str:
    """The distribution of answers, questions with the most stubborn misconception first.

    Questions that fewer than `least` students answered are only counted: few are not anonymous.
    """
    lines = [f"{students} students; each option before and after the reveal, * the right one"]
    shown = [q for q in questions if max(q.before.total(), q.after.total()) >= least]
    for q in sorted(shown, key=lambda q: -q.alive[0]):
        rights = [q.right("before"), q.right("after")]
        told = " -> ".join("?" if r is None else f"{100 * r:.0f} %" for r in rights)
        lines.append(
            f"\n{q.id}: right {told}  ({q.before.total()} before, {q.after.total()} after)"
        )
        for option in sorted(q.options):
            mark = "*" if option == q.answer else " "
            bars = "  ".join(
                f"{n:4d} {'#' * round(20 * n / max(c.total(), 1)):<20}"
                for c in (q.before, q.after)
                for n in [c[option]]
            )
            lines.append(f" {mark} {chr(97 + option)})  {bars}  {q.options[option]}")
        share, wrong = q.alive
        if wrong is not None and share >= 0.25:
            lines.append(f"   still alive: {chr(97 + wrong)}) with {100 * share:.0f} %")
    if len(shown) < len(questions):
        lines.append(f"\nnot shown, fewer than {least} answers: {len(questions) - len(shown)}")
    return "\n".join(lines)


def write_csv(questions: Sequence[Question], target: Path, least: int = 3) -> None:
    """One row for each question and option: chosen before, after, and whether it is right."""
    rows: list[list[Any]] = []
    for q in questions:
        if max(q.before.total(), q.after.total()) < least:
            continue
        for option, text in sorted(q.options.items()):
            right = "" if q.answer is None else int(option == q.answer)
            rows.append([q.id, chr(97 + option), text, right, q.before[option], q.after[option]])
    head = ["question", "option", "text", "right", "before", "after"]
    spreadsheet.write(target, head, rows)
