"""Work in slices: some items at each drawing, all at once where nobody watches."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace

import pytest

from course.live import Slices, slices


def test_a_first_slice_is_short_and_each_takes_one_item_at_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(slices, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(slices, "FIRST", 1)
    monkeypatch.setattr(slices, "SLICE", 2)
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    work, seen = Slices(range(5)), []

    async def watch() -> None:
        assert work.begin() is work
        while not work.done:
            seen.append(list(work.items))
            work.advance()
        work.begin()

    asyncio.run(watch())
    assert seen == [[0], [0, 1, 2], [0, 1, 2, 3, 4]] and work.items == [0, 1, 2, 3, 4]


def test_where_nobody_watches_all_is_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Slices(range(5)).begin().done  # plain Python: no loop
    monkeypatch.setenv("COURSE_WAIT", "1")  # a kernel that validates: a loop

    async def validate() -> Slices[int]:
        return Slices(range(5)).begin()

    validated = asyncio.run(validate())
    assert validated.done and validated.items == [0, 1, 2, 3, 4]
