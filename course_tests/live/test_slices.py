"""Work in slices: some items at each drawing, all at once where nobody watches."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace

import pytest

from course.live import Slices, slices


def test_a_slice_takes_one_item_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(slices, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    work, seen = Slices(range(5)), []
    for seconds in (1, 2, 9):
        assert not work.done
        work.advance(seconds)
        seen.append(list(work.items))
    assert seen == [[0], [0, 1, 2], [0, 1, 2, 3, 4]] and work.done


def test_where_nobody_watches_all_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Slices(range(5))
    assert work.hurry() and work.items == [0, 1, 2, 3, 4]  # plain Python: no loop
    assert not work.hurry()

    async def in_a_kernel() -> Slices[int]:
        begun = Slices(range(5))
        begun.hurry()
        return begun

    monkeypatch.delenv("COURSE_WAIT", raising=False)
    assert asyncio.run(in_a_kernel()).items == []
    monkeypatch.setenv("COURSE_WAIT", "1")  # one that validates
    assert asyncio.run(in_a_kernel()).done
