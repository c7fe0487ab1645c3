"""Predictions on file: one JSON object per line, appended in one write, read back leniently.

The file is the one named by the environment variable ``COURSE_RECORDS``, else
``predictions.jsonl`` in the user's data folder (``course.selfcheck.answers.path()`` tells). Under
``COURSE_WAIT=1`` (validation, storing of notebooks) it is neither written nor read.

Each line has these fields, and no personal data:

    format    1
    notebook  "01", the two digits with which the question's id begins
    question  "01-size", the id
    phase     "before" (locked before the reveal) or "after" (asked again once it was seen)
    option    the index of the chosen option, from 0
    text      the chosen option in words
    answer    the index of the right option in phase "after"; null in phase "before"
    time      UTC to the second, "2026-11-22T12:34:56Z"

A line that is cut off or damaged is skipped. A question may have several lines of one phase (the
records of several runs); the first "before" and the last "after" count.
"""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import platformdirs

from course.arguments import reject

FORMAT = 1
ID = re.compile(r"\d\d[a-z]?-[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Record:
    """One locked answer; the fields are explained at the head of this module."""

    notebook: str
    question: str
    phase: str
    option: int
    text: str
    answer: int | None
    time: str
    format: int = FORMAT


def question_id(value: Any) -> str:
    """`value` if it is an id such as "01-size", or ValueError."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise reject("id", value, 'the notebook\'s number and a name, such as "01-size"')
    return value


def path() -> Path:
    """The file in use. Raises OSError where there is neither COURSE_RECORDS nor a home folder."""
    if named := os.environ.get("COURSE_RECORDS"):
        return Path(os.path.expanduser(named))
    try:
        folder = Path(platformdirs.user_data_dir("very-deep-networks-course", False))
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise FileNotFoundError(errno.ENOENT, "there is no home folder: set COURSE_RECORDS")
    return folder / "predictions.jsonl"


def recording() -> bool:
    """False under COURSE_WAIT=1: a validation run is no student."""
    return os.environ.get("COURSE_WAIT") != "1"


def append(
    question: str, phase: str, option: int, text: str, answer: int | None = None
) -> Record | None:
    """Write one record and return it (None when not recording).

    The line goes out in a single write to a file opened for appending, so that two kernels never
    mix their lines, and is flushed to the disk. Raises OSError where the file cannot be written.
    """
    if not recording():
        return None
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    record = Record(question_id(question)[:2], question, phase, option, text, answer, now)
    line = json.dumps(asdict(record), ensure_ascii=False, sort_keys=True) + "\n"
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size and not file.read_bytes().endswith(b"\n"):
        line = "\n" + line  # the last writer was cut off: leave its piece on a line of its own
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    return record


def read(file: Path | None = None) -> list[Record]:
    """The records on file, oldest first; [] where there is none or when not recording.

    A file that is named is always read. Damaged lines are skipped.
    """
    if file is None and not recording():
        return []
    try:
        lines = (file or path()).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [record for record in map(_parse, lines) if record is not None]


def find(question: str, phase: str) -> Record | None:
    """The record that counts: the first "before", the last "after" of this question."""
    records = [r for r in read() if r.question == question and r.phase == phase]
    if not records:
        return None
    return records[0] if phase == "before" else records[-1]


def _parse(line: str) -> Record | None:
    try:
        record = Record(**json.loads(line))
    except (ValueError, TypeError):
        return None
    whole = isinstance(record.option, int) and isinstance(record.question, str)
    return record if whole and record.format == FORMAT else None
