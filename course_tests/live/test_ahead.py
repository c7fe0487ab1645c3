"""What is one step away is computed while nobody waits: in which order, and when not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import ipywidgets
import pytest

from course.live import Caption, Choice, Slices, Slider, Switch, background, live, live_run
from course.live import ahead as computed_ahead
from course.live import figure as live_figure
from course.live.ahead import Ahead
from course.live.controls import beside, reading, widget
from course.plots import style


@pytest.fixture(autouse=True)
def somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    monkeypatch.setattr(live_figure, "REST", 0.01)
    monkeypatch.setattr(live_figure, "LONGER", 0.03)


@pytest.mark.parametrize(
    ("what", "neighbours"),
    [
        (Slider(1, 100, value=30), [31, 29]),
        (Slider(1, 100, value=100), [99]),
        (Slider(0, 10, 5, value=0), [5]),
        (Slider(-2.0, 2.0, 0.05, value=0.95), [1.0, 0.9]),
        (Slider(0.0, 1.0, 0.3, value=0.9), [0.6]),  # 1.2 is beyond the end
        (Slider(0.001, 0.1, 0.1, value=0.01, log=True), [0.0126, 0.00794]),
        (Slider(1e-6, 1.0, 0.25, value=1.0, log=True), [0.562]),
        (Choice("abc", "b"), ["c", "a"]),
        (Choice((1, 2, 4), 4), [1, 2]),
        (Choice((1, 2, 4), 4, slider=True), [2]),
        (Choice((1, 2, 4), 2, slider=True), [4, 1]),
        (True, [False]),
        (ipywidgets.Text("word"), []),
    ],
)
def test_neighbours_of_each_kind_of_control(what: Any, neighbours: list[Any]) -> None:
    assert beside(widget("name", what)) == neighbours


def test_neighbours_are_what_is_read_after_a_step() -> None:
    slider = widget("rate", Slider(0.001, 0.1, 0.1, value=0.001, log=True))
    for k in range(20):
        following = beside(slider)[0]
        slider.value = 10 ** (slider.min + (k + 1) * slider.step)  # as the page computes it
        assert following == reading(slider)


class Lesson:
    """An explorer whose `draw` asks a function that keeps what it returns."""

    def __init__(self, **options: Any) -> None:
        self.asked: list[tuple[Any, ...]] = []  # what was computed
        self.computing: Callable[[], None] = lambda: None
        fig, ax = style.figure(3.0, 2.0)
        (line,) = ax.plot([0, 1], [0, 1])

        @lru_cache(maxsize=64)
        def measured(depth: int, kind: str, seed: int) -> int:
            self.asked.append((depth, kind, seed))
            self.computing()
            if depth == 7:
                raise ZeroDivisionError("no network has seven layers")
            return depth + seed

        def draw(depth: int, kind: str, shown: bool, seed: int) -> str:
            line.set_ydata([0, measured(depth, kind, seed) * shown])
            return f"{depth} {kind}"

        self.measured = measured
        self.panel = live(
            fig, draw, ahead=measured, seed=0,
            depth=Slider(1, 9, value=4), kind=["a", "b", "c"], shown=Switch(True), **options,
        )  # fmt: skip

    def move(self, name: str, value: Any) -> None:
        self.panel.controls[name].value = value
        self.panel.refresh()

    async def quiet(self) -> None:
        """Until nothing more is computed."""
        seen, still = -1, 0
        while still < 15:
            still = still + 1 if len(self.asked) == seen else 0
            seen = len(self.asked)
            await asyncio.sleep(0.01)


BESIDE = [(5, "a", 0), (3, "a", 0), (4, "b", 0), (4, "c", 0), (4, "a", 1)]
"""Of depth 4, kind a, seed 0: in the order of the controls."""


def test_what_is_beside_each_control_is_computed_once() -> None:
    async def look() -> Lesson:
        made = Lesson()
        await made.quiet()
        return made

    assert asyncio.run(look()).asked == [(4, "a", 0), *BESIDE]


def test_the_control_moved_last_comes_first() -> None:
    async def look() -> Lesson:
        made = Lesson()
        await made.quiet()
        made.asked.clear()
        made.move("kind", "b")
        await made.quiet()
        return made

    asked = asyncio.run(look()).asked
    assert asked == [(5, "b", 0), (3, "b", 0), (4, "b", 1)]  # (4, "c", 0) and (4, "a", 0) are kept


def test_after_a_new_draw_the_next_one_comes_first() -> None:
    async def look() -> Lesson:
        made = Lesson()
        await made.quiet()
        made.asked.clear()
        made.panel.new_draw()
        await made.quiet()
        return made

    assert asyncio.run(look()).asked[0] == (4, "a", 2)


def test_only_what_is_beside_the_control_moved_last_until_it_rests_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_figure, "LONGER", 1000.0)

    async def look() -> Lesson:
        made = Lesson()
        await made.quiet()
        assert made.asked == [(4, "a", 0)]
        made.move("depth", 5)
        await made.quiet()
        return made

    assert asyncio.run(look()).asked == [(4, "a", 0), (5, "a", 0), (6, "a", 0)]


def test_what_draw_asks_for_after_a_step_is_there() -> None:
    async def look() -> None:
        made = Lesson()
        for name, value in (("depth", 5), ("depth", 6), ("kind", "c"), ("kind", "a")):
            await made.quiet()
            before = made.measured.cache_info().misses
            made.move(name, value)
            assert made.measured.cache_info().misses == before

    asyncio.run(look())


def test_an_event_ends_what_is_pending() -> None:
    async def look() -> Lesson:
        made = Lesson()

        def disturb() -> None:
            if made.asked[-1] == BESIDE[0]:
                made.panel.controls["depth"].value = 9

        made.computing = disturb
        while made.panel.picture.caption != "9 a":
            await asyncio.sleep(0.005)
        await made.quiet()
        return made

    asked = asyncio.run(look()).asked
    assert asked[:3] == [(4, "a", 0), BESIDE[0], (9, "a", 0)]  # no other before the event's
    assert not {*BESIDE[1:]} & {*asked}


def test_each_is_computed_in_a_turn_of_its_own() -> None:
    """So an event waits for one at most."""

    async def look() -> None:
        made = Lesson()
        turns: list[int] = []
        turn = 0
        made.computing = lambda: turns.append(turn)
        while len(made.asked) < 1 + len(BESIDE):
            turn += 1
            await asyncio.sleep(0)
        assert len({*turns}) == len(BESIDE)

    asyncio.run(look())


def test_an_error_is_seen_only_where_it_is_drawn() -> None:
    async def look() -> None:
        made = Lesson()
        made.move("depth", 6)
        await made.quiet()
        assert (7, "a", 0) in made.asked and made.panel.picture.failure == ""
        assert (6, "a", 1) in made.asked  # others are computed all the same
        made.move("depth", 7)
        assert "ZeroDivisionError: no network has seven layers" in made.panel.picture.failure
        made.move("depth", 8)
        assert made.panel.text == "8 a" and made.panel.picture.failure == ""

    asyncio.run(look())


def test_an_interrupt_ends_it() -> None:
    async def look() -> Lesson:
        made = Lesson()

        def interrupt() -> None:
            raise KeyboardInterrupt

        made.computing = interrupt
        await made.quiet()
        return made

    made = asyncio.run(look())
    assert made.asked == [(4, "a", 0), BESIDE[0]] and made.panel.picture.failure == ""


def test_nothing_is_computed_ahead_without_a_loop() -> None:
    made = Lesson()
    made.move("depth", 5)
    assert made.asked == [(4, "a", 0), (5, "a", 0)]


async def left_alone() -> Lesson:
    """A lesson, when nothing more is computed."""
    made = Lesson()
    await made.quiet()
    return made


def test_nothing_is_computed_ahead_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_WAIT", "1")
    assert asyncio.run(left_alone()).asked == [(4, "a", 0)]


def test_a_closed_figure_computes_no_more() -> None:
    async def look() -> Lesson:
        made = Lesson()
        made.computing = made.panel.close
        await made.quiet()
        return made

    assert asyncio.run(look()).asked == [(4, "a", 0), BESIDE[0]]


def test_nothing_is_computed_ahead_of_a_picture_that_is_still_at_work() -> None:
    going = threading.Event()

    def steps() -> Iterator[int]:
        while not going.is_set():
            time.sleep(0.001)
            yield 0

    async def look() -> None:
        asked: list[int] = []
        fig, _ = style.figure(3.0, 2.0)
        work = Slices(steps())

        def measured(depth: int) -> None:
            asked.append(depth)

        live(fig, lambda depth: Caption("ok", work=work), ahead=measured, depth=(1, 9))
        await asyncio.sleep(0.2)
        assert asked == []
        going.set()
        while len(asked) < 2:
            await asyncio.sleep(0.005)
        assert asked == [6, 4]

    asyncio.run(look())


def test_nothing_is_computed_ahead_while_a_run_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed_ahead, "training", lambda: True)
    assert asyncio.run(left_alone()).asked == [(4, "a", 0)]


def test_whether_a_run_trains() -> None:
    go = threading.Event()

    def steps() -> Iterator[Any]:
        go.wait()
        yield type("Record", (), {"step": 1, "steps": 1, "loss": [1.0]})()

    fig, _ = style.figure(3.0, 2.0)
    assert not background.training()
    run = live_run(steps, fig=fig, draw=lambda history: "", wait=False)
    assert background.training()
    run._transport.toggle()
    assert not background.training()
    run._transport.toggle()
    go.set()
    run.result()
    while not run.done:
        time.sleep(0.001)
    assert not background.training()


def test_memory_is_bounded_by_the_functions_own() -> None:
    @lru_cache(maxsize=8)
    def measured(depth: int) -> int:
        return depth

    ahead = Ahead(measured, {"depth": widget("depth", Slider(1, 100, value=50))})

    async def look() -> None:
        for depth in range(1, 100):
            ahead._controls["depth"].value = depth
            ahead.begin({"depth": depth})
            while ahead.go_on(far=True):
                pass

    asyncio.run(look())
    assert measured.cache_info().currsize == 8


def test_a_function_of_something_else_is_refused() -> None:
    fig, _ = style.figure(3.0, 2.0)
    with pytest.raises(ValueError, match=r"^ahead = .*not of \['deep'\]"):
        live(fig, lambda depth: None, ahead=lambda deep: None, depth=(1, 9))


def test_without_a_function_nothing_is_computed_ahead() -> None:
    async def look() -> None:
        fig, _ = style.figure(3.0, 2.0)
        drawn: list[int] = []
        live(fig, lambda depth: drawn.append(depth), depth=(1, 9))
        await asyncio.sleep(0.1)
        assert drawn == [5]

    asyncio.run(look())
