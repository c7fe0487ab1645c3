"""A watched folder: what arrives is taken once, and only when it is there as a whole."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from course.classroom.grade import arrivals


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("ada/ps01.ipynb", "{}" * 500)
    return buffer.getvalue()


def told(place: Path, *events: Callable[[], object]) -> list[list[str]]:
    """The names that arrive while `events` happen, one between each two looks."""
    pending = list(events)

    def wait() -> None:
        if not pending:
            raise KeyboardInterrupt  # as when somebody stops the watcher
        pending.pop(0)()

    names: list[list[str]] = []
    try:
        for paths in arrivals.arrivals(place, wait):
            names.append([path.name for path in paths])
    except KeyboardInterrupt:
        return names
    raise AssertionError("the watcher ended by itself")


def nothing() -> None:
    """A look at which nothing has happened."""


def test_each_file_is_taken_once(tmp_path: Path) -> None:
    one, two = tmp_path / "one.ipynb", tmp_path / "week" / "two.ipynb"
    two.parent.mkdir()
    assert told(tmp_path, nothing, nothing) == []
    came = told(
        tmp_path,
        lambda: one.write_text("1"),
        nothing,
        nothing,
        lambda: two.write_text("2"),
        nothing,
        nothing,
        lambda: one.write_text("another"),
        nothing,
        nothing,
    )
    assert came == [["one.ipynb"], ["two.ipynb"], ["one.ipynb"]]


def test_an_archive_that_is_being_copied_is_waited_for(tmp_path: Path) -> None:
    """Also when the copying stands still for a while."""
    whole, path = archive(), tmp_path / "set.zip"
    parts = [lambda k=k: path.write_bytes(whole[: k * len(whole) // 4]) for k in (1, 2, 3)]
    still = [nothing] * 3
    came = told(tmp_path, *still, parts[0], *still, parts[1], parts[2], *still)
    assert came == []
    assert told(tmp_path, lambda: path.write_bytes(whole), *still) == [["set.zip"]]


def test_an_archive_that_stays_damaged_is_taken_in_the_end(tmp_path: Path) -> None:
    """Its student is told, and it holds up nobody for ever."""
    (tmp_path / "torn.zip").write_bytes(archive()[:100])
    (tmp_path / "fine.ipynb").write_text("{}")
    few = [nothing] * (arrivals.PATIENCE - 1)
    assert told(tmp_path, *few) == []
    assert told(tmp_path, *few, nothing, nothing) == [["fine.ipynb", "torn.zip"]]
