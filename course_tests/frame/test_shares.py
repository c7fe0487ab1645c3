"""Shares of the modules that each process of a test run compiles."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from course_tests import shares


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh clone with two modules and three files of tests, of which one cannot be imported."""
    for name, text in {
        "course/a.py": "", "course/b.py": "",
        "course_tests/one/test_share_a.py": "assert True", "course_tests/one/helper.py": "",
        "course_tests/one/test_share_b.py": "import no_such_module",
        "course_tests/two/test_share_c.py": "import pytest; pytest.importorskip('no_such_module')",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(shares, "TESTS", tmp_path / "course_tests")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    importlib.invalidate_caches()
    return tmp_path


def compiled(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in folder.rglob("*.pyc")}


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_the_shares_are_all_files_and_each_belongs_to_one(clone: Path, workers: int) -> None:
    parts = [shares.share(k, workers, clone / "course_tests", "test_*.py") for k in range(workers)]
    names = [path.stem for part in parts for path in part]
    assert sorted(names) == ["test_share_a", "test_share_b", "test_share_c"]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_process_compiles_its_share_and_leaves_complaints_to_pytest(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    try:
        shares.begin(0, 2)
    except pytest.skip.Exception:  # it would skip this test, too
        pytest.fail("what one file does not find has stopped the others")
    assert compiled(clone) == {"a", "test_share_a", "test_share_c"}
    shares.begin(1, 2)
    assert compiled(clone) == {"a", "b", "test_share_a", "test_share_b", "test_share_c"}
    tests = list((clone / "course_tests").rglob("*.pyc"))
    assert tests and all("pytest" in path.name for path in tests)  # with their asserts rewritten


def test_where_nothing_is_kept_nothing_is_begun(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    shares.begin(0, 1)
    assert compiled(clone) == set() and "test_share_a" not in sys.modules
