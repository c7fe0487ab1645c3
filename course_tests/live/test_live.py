"""A live figure: values in, words and picture out, the newest value first, errors shown."""

from __future__ import annotations

import asyncio
import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from course.live import Caption, LivePanel, Slices, Slider, live, slices
from course.live import figure as live_figure
from course.live.figure import PATIENCE, QUIET
from course.plots import decades, style


def figure() -> tuple[Any, Any]:
    fig, ax = style.figure(5.0, 3.0)
    (line,) = ax.plot([0, 1], [0, 1])
    ax.set_ylim(-3, 3)
    return fig, line


def panel(**options: Any) -> tuple[LivePanel, list[float]]:
    fig, line = figure()
    drawn: list[float] = []

    def draw(weight: float) -> str:
        drawn.append(weight)
        line.set_ydata([0, weight])
        return f"weight {weight:.2f}"

    return live(fig, draw, weight=Slider(-2.0, 2.0, 0.1, value=1.0), **options), drawn


def test_two_lines_make_a_figure_live() -> None:
    fig, line = figure()

    def draw(depth, weight):
        line.set_ydata([0, weight])
        return f"depth {depth}, weight {weight}"

    made = live(fig, draw, depth=(1, 100), weight=(-2.0, 2.0, 0.05))
    before = made.png
    assert made.text == "depth 50, weight 0.0"
    made.controls["weight"].value = -2.0
    assert made.text == "depth 50, weight -2.0" and made.png != before
    assert made._picture.alt == made._picture.caption == made.text
    assert Image.open(BytesIO(made.png)).size == (500, 300)


def test_first_values_come_back_with_reset_and_seeds_count_up() -> None:
    fig, line = figure()

    def draw(on: bool, kind: str, seed: int) -> str:
        line.set_ydata(np.random.default_rng(seed).normal(size=2))
        return f"{on} {kind} {seed}"

    made = live(fig, draw, seed=5, on=True, kind=["a", "b"])
    first = made.png
    made.new_draw()
    made.controls["kind"].value, made.controls["on"].value = "b", False
    assert made.text == "False b 6" and made.png != first
    made.reset()
    assert made.text == "True a 5" and made.png == first
    buttons = made.children[0].children[-1].children
    assert [button.description for button in buttons] == ["New draw", "Reset"]
    buttons[0].click()
    assert made.text == "True a 6"


@pytest.mark.parametrize("in_a_loop", [False, True])
def test_reset_brings_the_limits_back_also_of_axes_that_hold_theirs(in_a_loop: bool) -> None:
    fig, ax = style.figure(4.0, 3.0)
    (line,) = ax.plot([1.0], "o")
    axis = decades.Decades(ax)

    def draw(size: float, more: float) -> str:
        axis.fit("size", [10.0 ** (size + more)], [1.0])
        line.set_ydata([10.0 ** (size + more)])
        return ""

    def look() -> None:
        made = live(fig, draw, size=Slider(0.0, 9.0, value=0.9), more=Slider(0.0, 2.0, value=0.0))
        first, limits = made.png, ax.get_ylim()
        made.controls["more"].value = 2.0
        made.refresh()
        made.controls["size"].value = 9.0
        made.refresh()
        assert ax.get_ylim() != limits
        made.reset()
        assert made.png == first and ax.get_ylim() == limits

    async def look_in_a_loop() -> None:
        look()

    if in_a_loop:
        asyncio.run(look_in_a_loop())
    else:
        look()


def test_without_a_seed_there_is_no_new_draw_and_without_reset_no_button() -> None:
    made, _ = panel(reset=False)
    assert len(made.children[0].children) == 1
    with pytest.raises(ValueError, match="seed=0"):
        made.new_draw()
    with pytest.raises(ValueError, match=r"^seed = -1: it must be"):
        panel(seed=-1)


def test_work_that_a_drawing_leaves_is_done_until_a_control_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COURSE_WAIT", raising=False)  # else all is done at once
    fig, line = figure()
    made: dict[int, Slices[int]] = {}

    def draw(depth: int) -> Caption:
        work = made.setdefault(depth, Slices(itertools.count() if depth == 4 else range(3)))
        line.set_ydata([0, len(work.items) / 1000])
        return Caption(f"depth {depth}, {len(work.items)} steps", work=work)

    async def watch() -> None:
        shown = live(fig, draw, depth=Slider(1, 9, value=4))
        first = shown.picture.caption
        while shown.picture.caption == first:  # drawn now and then while the work goes on
            await asyncio.sleep(0.01)
        shown.controls["depth"].value = 5
        shown.refresh()
        while shown.picture.caption != "depth 5, 3 steps":
            await asyncio.sleep(0.01)
        left = len(made[4].items)
        await asyncio.sleep(0.05)
        assert len(made[4].items) == left > 1  # nobody sees it any more

    asyncio.run(watch())


def test_work_begins_when_the_picture_has_gone_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page gets what was drawn by the same interpreter that does the work."""
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    waits: list[float] = []

    def later(seconds: float, call: Callable[..., None], *arguments: Any) -> bool:
        waits.extend([seconds] * (call.__name__ == "_go_on"))
        return slices.later(seconds, call, *arguments)

    monkeypatch.setattr(live_figure, "later", later)

    async def watch() -> None:
        fig, _ = figure()
        work = Slices(iter(range(3)))
        monkeypatch.setattr(work, "advance", lambda: Slices.advance(work, 0.0))
        live(fig, lambda depth: Caption("ok", work=work), depth=(1, 9))
        while not work.done:
            await asyncio.sleep(0.01)

    asyncio.run(watch())
    first, *others = waits
    assert first == slices.SENT > 10 * live_figure.PAUSE
    assert others == [live_figure.PAUSE] * len(others) and len(others) > 2


def test_an_error_in_work_is_shown_and_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_WAIT", raising=False)

    def broken() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("no such rate")

    async def watch() -> None:
        fig, _ = figure()
        shown = live(fig, lambda depth: Caption("ok", work=Slices(broken())), depth=(1, 9))
        while not shown.picture.failure:
            await asyncio.sleep(0.01)
        assert shown.picture.failure.startswith("ZeroDivisionError: no such rate")
        shown.controls["depth"].value = 2
        shown.refresh()
        assert shown.picture.failure == ""

    asyncio.run(watch())


def test_where_draw_returns_nothing_the_values_are_said() -> None:
    fig, line = figure()
    made = live(fig, lambda weight: line.set_ydata([0, weight]), weight=(1, 3))
    assert made.text == "weight = 2"


def test_what_a_cell_shows_has_a_widget_a_picture_and_the_same_text_each_time() -> None:
    first, _ = panel()
    second, _ = panel()
    assert repr(first) == repr(second) == "weight 1.00"
    bundle = first._repr_mimebundle_()
    assert set(bundle) == {
        "text/plain", "image/png", "application/vnd.jupyter.widget-view+json"
    }  # fmt: skip
    assert bundle["text/plain"] == "weight 1.00"
    assert bundle["image/png"] == second._repr_mimebundle_()["image/png"]
    view = bundle["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == first.model_id


def test_a_summary_stands_in_for_numbers_that_differ_from_machine_to_machine() -> None:
    fig, line = figure()
    made = live(fig, lambda weight: line.set_ydata([0, weight]), summary="A map.", weight=(1, 3))
    assert repr(made) == made._repr_mimebundle_()["text/plain"] == "A map."
    assert made.text == "weight = 2"


def test_the_first_draw_raises_in_the_cell_and_a_later_one_in_the_panel() -> None:
    fig, line = figure()

    def draw(by: int) -> str:
        line.set_ydata([0, 1 / by])
        return f"divided by {by}"

    with pytest.raises(ZeroDivisionError):
        live(fig, draw, by=Slider(0, 4, value=0))
    made = live(fig, draw, by=Slider(0, 4, value=2))
    good = made.png
    made.controls["by"].value = 0
    assert made.text.startswith("ZeroDivisionError: ")
    assert "in draw, line " in made.text and "1 / by" in made.text
    assert made.png == good
    made.controls["by"].value = 4
    assert made.text == "divided by 4" and made._picture.failure == ""


def test_an_error_while_the_figure_is_drawn_is_shown_too() -> None:
    fig, line = figure()

    def draw(n: int) -> str:
        line.set_data([0] * n, [0, 1, 2])
        return "fine"

    made = live(fig, draw, n=Slider(1, 3, value=3))
    made.controls["n"].value = 2
    assert made.text.startswith("ValueError: ")
    made.controls["n"].value = 1
    assert made.text == "fine"


def run_events(made: LivePanel, events: Callable[[], Any], seconds: float = 0.3) -> None:
    """Let `events` (a coroutine function) happen in a loop, as in a kernel."""

    async def main() -> None:
        await events()
        await asyncio.sleep(seconds)

    asyncio.run(main())


def test_stale_values_are_skipped_and_the_newest_wins() -> None:
    made, drawn = panel()

    async def burst() -> None:
        for k in range(60):
            made.controls["weight"].value = k / 30

    run_events(made, burst)
    assert drawn == [1.0, pytest.approx(59 / 30)]
    assert made._picture.caption == "weight 1.97"


def test_a_stream_without_a_pause_is_drawn_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of our own: an event each half of QUIET, so that there is no silence."""
    made, drawn = panel()
    now = 0.0
    monkeypatch.setattr(live_figure, "time", SimpleNamespace(monotonic=lambda: now))

    async def stream() -> None:
        nonlocal now
        while len(drawn) < 4:
            now += QUIET / 2
            made.controls["weight"].value = 2 * np.sin(1000 * now)
            await asyncio.sleep(0)
        now += PATIENCE

    run_events(made, stream)
    assert drawn[-1] == made.controls["weight"].value
    assert now >= 3 * PATIENCE  # patience had to end each time


def test_after_a_rest_an_event_is_drawn_at_once_and_the_next_after_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a clock of our own, which stands still while the figure is drawn."""
    made, drawn = panel()
    now, waits = made._drawn + PATIENCE, []
    monkeypatch.setattr(live_figure, "time", SimpleNamespace(monotonic=lambda: now))

    def later(seconds: float, call: Callable[..., None], *arguments: Any) -> bool:
        waits.extend([seconds] * (call.__name__ == "_refresh_if_due"))
        return slices.later(seconds, call, *arguments)

    monkeypatch.setattr(live_figure, "later", later)

    async def events() -> None:
        made.controls["weight"].value = 0.5
        for _ in range(10):  # turns of the loop
            await asyncio.sleep(0)
        made.controls["weight"].value = 0.4
        made.controls["weight"].value = 0.3

    run_events(made, events, 0.0)
    assert drawn == [1.0, 0.5] and waits == [0.0, pytest.approx(QUIET), pytest.approx(QUIET)]


def test_inside_a_cell_the_text_and_the_picture_are_those_of_the_values_set() -> None:
    made, _ = panel()

    async def cell() -> None:
        made.controls["weight"].value = -1.5
        assert repr(made) == "weight -1.50"  # though the loop had no turn to draw

    run_events(made, cell)


def test_a_thread_and_a_cell_may_ask_at_once() -> None:
    made, drawn = panel()
    values = np.linspace(-2, 2, 41)

    def move() -> None:
        for value in values:
            made.controls["weight"].value = value

    thread = threading.Thread(target=move)
    thread.start()
    texts = {made.text for _ in range(20)}
    thread.join()
    assert made.text == "weight 2.00"
    assert all(text.startswith("weight ") for text in texts)
    assert drawn[-1] == 2.0


def test_an_endless_drawing_can_be_interrupted_between_cells() -> None:
    fig, line = figure()

    def draw(n: int) -> str:
        line.set_ydata([0, n])
        if n == 2:
            threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
            while True:
                time.sleep(0.01)
        return f"n = {n}"

    made = live(fig, draw, n=Slider(1, 3, value=1))
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a kernel between two cells
    try:
        made.controls["n"].value = 2
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, usual)
    assert made.text.startswith("Interrupted")
    made.controls["n"].value = 3
    assert made.text == "n = 3"


@pytest.mark.parametrize("bad", [(3, 1), "relu", ipywidgets.HBox()])
def test_a_control_that_is_none_is_refused_before_anything_is_drawn(bad: Any) -> None:
    fig, _ = figure()
    with pytest.raises(ValueError, match=r"^rate = .*it must be"):
        live(fig, lambda rate: pytest.fail("drawn"), rate=bad)
