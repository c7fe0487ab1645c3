"""What notebooks still owe to the rules, listed so that it can only become less.

course_tests/frame/debts/SLUG.toml lists, for one notebook, what a test has found and allows until
it is mended. Each entry must still be true: what was mended is deleted from the list, and the file
with its last entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from course_tests.repository import ROOT, tomllib

FOLDER = ROOT / "course_tests" / "frame" / "debts"


def owed(slug: str, kind: str) -> set[str]:
    """The entries of one kind ("terms", "symbols", ...) in the notebook's list."""
    path = FOLDER / f"{slug}.toml"
    lists = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return set(map(str, lists.get(kind, [])))


def settle(slug: str, kind: str, faults: Iterable[str], advice: str) -> None:
    """Assert that a notebook's faults are those in its list, and that each of those is one still.

    advice: how to mend a fault that is not in the list.
    """
    present, listed = set(faults), owed(slug, kind)
    file = FOLDER.relative_to(ROOT) / f"{slug}.toml"
    assert not present - listed, f"{slug}, {kind}: {sorted(present - listed)}. {advice}"
    assert not listed - present, f"mended: delete {sorted(listed - present)} from {kind} in {file}"


def files() -> list[Path]:
    """All lists that there are."""
    return sorted(FOLDER.glob("*.toml"))
