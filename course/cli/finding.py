"""What `course check` found of one thing, and whether a folder can be written."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

AGAIN = "install again with the line in README.md"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice` is None if it is fine."""

    name: str
    value: str
    advice: str | None = None


def unwritable(path: Path) -> str:
    """Why nothing can be written to a folder (to be made, if it isn't there), or ""."""
    try:
        while not path.exists():
            path = path.parent
        with tempfile.NamedTemporaryFile(dir=path):
            return ""
    except OSError as error:
        return error.strerror or str(error)
