"""Explorers ask for what was computed ahead: the same function, with the same arguments."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest

from course import data
from course.lessons.products import sheets
from course.live import LivePanel
from course.live.controls import beside
from course_tests.benchmarks.live_controls import BY_ITSELF, EXPLORERS


def panel(name: str) -> LivePanel:
    path, call = EXPLORERS[name]
    module = vars(import_module(path))
    for each in module.values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()  # other tests of this process have filled it
    examples = data.digits().subset(200, test=50)
    made: LivePanel = eval(call, {**module, "examples": examples})
    return made


@pytest.mark.parametrize("name", sorted(EXPLORERS.keys() - BY_ITSELF - {"sheet"}))
def test_a_step_finds_what_was_computed_ahead(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_WAIT", raising=False)

    async def look() -> None:
        made = panel(name)
        kept: Any = made._ahead._compute
        while made._ahead.go_on(far=True):
            pass
        for control in made.controls.values():
            first, misses = control.value, kept.cache_info().misses
            for value in beside(control):
                control.value = value
                made.refresh()
                assert made.picture.failure == ""
                assert kept.cache_info().misses == misses
            control.value = first
            made.refresh()
        if made._seed is not None:
            made.new_draw()
            made.refresh()
        assert kept.cache_info().misses == misses
        assert kept.cache_info().currsize < kept.cache_info().maxsize  # all of it finds room
        made.close()

    asyncio.run(look())


def test_a_sheet_is_crushed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its function keeps nothing by itself: others do, for it."""
    monkeypatch.delenv("COURSE_WAIT", raising=False)

    async def look() -> None:
        made = panel("sheet")
        while made._ahead.go_on(far=True):
            pass

        def none(*_: Any, **__: Any) -> Any:
            raise AssertionError("computed again")

        monkeypatch.setattr(sheets, "moved", none)
        monkeypatch.setattr(sheets, "crush", none)
        made.controls["connected"].value = True
        made.refresh()
        assert made.picture.failure == "" and "each map also sees" in made.text
        made.close()

    asyncio.run(look())
