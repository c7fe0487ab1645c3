"""What a saved notebook holds of a live figure: a picture, its words, and how it comes to life."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from course.live import live
from course.live.stored import AGAIN, picture, stored
from course.plots import style


def test_words_cannot_break_out_of_the_picture() -> None:
    page = stored(picture(b"\x89PNG", '<script>"&', 400))
    assert "<script>" not in page and "&lt;script&gt;&quot;&amp;" in page
    assert 'src="data:image/png;base64,iVBORw=="' in page and AGAIN in page


def test_a_figure_has_two_outputs_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    parent = {"metadata": {}, "header": {"msg_id": "1"}}
    display = SimpleNamespace(publish_display_data=lambda data, **_: outputs.append(data))
    shell = SimpleNamespace(get_parent=lambda: parent)
    kernel = SimpleNamespace(get_ipython=lambda: shell, display=display, version_info=(9, 0))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    fig, _ = style.figure(3.0, 2.0)
    panel = live(fig, lambda n: f"n = {n}", n=(1, 9))
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    panel._ipython_display_()
    picture, widget = outputs
    assert "n = 5" in picture["text/html"] and 'class="course-stored"' in picture["text/html"]
    assert widget["text/plain"] == "n = 5" and "image/png" in widget
    monkeypatch.setenv("COURSE_WAIT", "1")  # a notebook that is stored or validated has one
    with pytest.raises(NotImplementedError):
        panel._ipython_display_()


def test_after_a_rest_a_saved_notebook_shows_where_the_figure_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outputs: list[tuple[str, str, bool]] = []

    def publish(data: dict[str, Any], transient: Any = None, update: bool = False) -> None:
        outputs.append((data.get("text/html", ""), (transient or {}).get("display_id"), update))

    shell = SimpleNamespace(get_parent=lambda: {"metadata": {}, "header": {"msg_id": "1"}})
    display = SimpleNamespace(publish_display_data=publish)
    kernel = SimpleNamespace(get_ipython=lambda: shell, display=display, version_info=(9, 0))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    monkeypatch.setattr("course.live.figure.LONG_REST", 0.02)
    fig, _ = style.figure(3.0, 2.0)

    async def session() -> None:
        panel = live(fig, lambda n: f"n = {n}", n=(1, 9))
        panel._ipython_display_()
        await asyncio.sleep(0.1)
        assert len(outputs) == 2, "what is there already is not said again"
        for n in (6, 7):
            panel.controls["n"].value = n
            panel.refresh()
        while len(outputs) < 3:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(session(), 60))
    (first, name, again), _, (last, same, update) = outputs
    assert "n = 5" in first and "n = 7" in last
    assert name == same and not again and update
