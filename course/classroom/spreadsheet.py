"""A table in a file that spreadsheets open as it is meant."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from course import files


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    text = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if text else value


def write(target: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """`target` with a table in it: CSV in UTF-8 with its mark, no text taken for a formula."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(head)
    table.writerows([_cell(value) for value in row] for row in rows)
    files.write_whole(target, text.getvalue().encode("utf-8-sig"))
    return target
