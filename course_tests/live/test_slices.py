"""Work in slices: some items at each drawing, all at once where nobody watches."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace

import pytest

from course.live import Slices, slices


def test_each_drawing_takes_a_slice_and_asks_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(slices, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(slices, "FIRST", 1)
    monkeypatch.setattr(slices, "SLICE", 2)
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    work, drawn = Slices(range(5)), []

    async def watch() -> None:
        over = asyncio.Event()

        def draw() -> None:
            work.advance(draw)
            drawn.append(list(work.items))
            if work.done:
                over.set()

        draw()
        await over.wait()

    asyncio.run(watch())
    assert drawn == [[0], [0, 1, 2], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]


def test_where_nobody_watches_all_is_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    def again() -> None:
        pytest.fail("there is nothing left to draw")

    work = Slices(range(5))
    work.advance(again)  # plain Python: no loop
    assert work.done and work.items == [0, 1, 2, 3, 4]
    monkeypatch.setenv("COURSE_WAIT", "1")  # a kernel that validates: a loop

    async def validate() -> Slices[int]:
        validated = Slices(range(5))
        validated.advance(again)
        return validated

    assert asyncio.run(validate()).done
