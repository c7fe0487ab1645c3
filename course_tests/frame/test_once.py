"""What all processes of a run share is made by one of them."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from course_tests.once import once


@pytest.mark.parametrize("worker", ["", "gw1"])
def test_of_several_that_ask_one_makes_it_and_the_others_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker: str
) -> None:
    """A worker of pytest-xdist has its own folder inside that of the run, which all share."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if worker:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    base = tmp_path / "run" / worker
    base.mkdir(parents=True)
    factory: Any = SimpleNamespace(getbasetemp=lambda: base)
    calls: list[Path] = []

    def make(folder: Path) -> None:
        calls.append(folder)
        folder.mkdir()
        if len(calls) == 1:
            raise OSError("no space left on device")
        (folder / "page.html").write_text("whole")

    with pytest.raises(OSError, match="no space"):
        once(factory, "site", make)
    texts: list[str] = []

    def ask() -> None:
        texts.append((once(factory, "site", make) / "page.html").read_text())

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["whole"] * 3 and len(calls) == 2
    assert (tmp_path / "run" / "site").is_dir()
