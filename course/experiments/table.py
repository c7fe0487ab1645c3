"""Tables of results: CSV with the settings and versions as comment lines at the top.

    # experiment: "degradation"
    # settings: {"data": "digits", ...}
    network,depth,seed,epoch,train_loss,...
    plain,2,0,10,0.0123,...

Spreadsheets, pandas (`comment="#"`) and numpy read it as it is.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np

from course.arguments import reject
from course.files import write_whole

TEXT = ("network",)
WHOLE = ("depth", "seed", "epoch")


@dataclass(frozen=True)
class Table:
    """A table of results: `columns` are numpy arrays of one length, `header` says how they came."""

    path: Path
    header: dict[str, Any]
    columns: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def last(self, networks: Sequence[str] | None = None) -> dict[str, np.ndarray]:
        """The columns, only the rows of the last epoch, and only these networks where given."""
        rows = self.columns["epoch"] == self.columns["epoch"].max()
        if networks is not None:
            rows &= np.isin(self.columns["network"], list(networks))
        return {name: values[rows] for name, values in self.columns.items()}


def write(path: Path, header: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Table:
    """Write `rows` (all with the same keys) to `path`, whole or not at all, and read it back."""
    text = io.StringIO()
    for key, value in header.items():
        text.write(f"# {key}: {json.dumps(value)}\n")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: _plain(v) for k, v in row.items()} for row in rows)
    write_whole(path, text.getvalue())
    return read(path)


def read(path: str | Path) -> Table:
    """Read a table that `write` wrote; ValueError if it is not one."""
    path = Path(path)
    header: dict[str, Any] = {}
    lines: list[str] = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                key, _, value = line[2:].partition(": ")
                header[key] = json.loads(value)
            elif line:
                lines.append(line)
        rows = list(csv.DictReader(lines, strict=True))
        names = list(rows[0])
        if any(None in row or None in row.values() for row in rows):
            raise ValueError("a row is too short or too long")
        columns = {name: _column(name, [row[name] for row in rows]) for name in names}
    except (ValueError, IndexError, TypeError, csv.Error) as error:
        raise reject("table", str(path), f"a table written by `course run` ({error})") from None
    return Table(path, header, columns)


def recorded(name: str, data: str) -> Table:
    """Results that come with the course: `recorded("figure1", "mnist")`.

    Raises ValueError that lists what is recorded if there is no such table.
    """
    folder = Path(str(resources.files("course.experiments") / "recorded"))
    known = sorted(path.stem for path in folder.glob("*.csv"))
    if f"{name}-{data}" not in known:
        raise reject("record", f"{name}-{data}", "one of " + (", ".join(known) or "(none yet)"))
    return read(folder / f"{name}-{data}.csv")


def versions() -> dict[str, str]:
    """Versions of what decides the numbers, and the commit of the course where it is in git."""
    packages = {"python": platform.python_version()}
    for package in ("torch", "numpy", "very-deep-networks-course"):
        packages[package] = metadata.version(package)
    commit = _commit()
    return packages | ({"commit": commit} if commit else {})


def _commit() -> str:
    """The commit this package's own repository is at, with "+" if its code is changed; or ""."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + (
            "+" if git("diff", "HEAD", "--stat", "--", "course") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return ""


def _plain(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _column(name: str, values: Sequence[str]) -> np.ndarray:
    if name in TEXT:
        return np.array(values)
    return np.array(values, dtype=int if name in WHOLE else float)
