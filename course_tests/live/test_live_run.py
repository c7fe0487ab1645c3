"""A training run on the screen: in the background or waiting, stopped, broken off, failed."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from course.live import (
    BrokenOff,
    Knob,
    LiveRun,
    Slider,
    background,
    cut_short,
    from_start,
    live_run,
    stopping,
    transport,
)
from course.live.stopping import what_is_missing
from course.plots import style


@pytest.fixture(autouse=True)
def nothing_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_stopped", set())
    monkeypatch.setattr(stopping, "_absent", set())


@dataclass
class Step:
    """As much of a training record as a live run reads."""

    step: int
    steps: int
    loss: np.ndarray
    train_accuracy: np.ndarray | None = None
    first_nonfinite: tuple[Any, ...] = ()


def steps(total: int, *, pause: float = 0.0, closed: list[bool] | None = None) -> Iterator[Step]:
    try:
        for k in range(1, total + 1):
            time.sleep(pause)
            yield Step(k, total, np.array([2.0, 3.0]) / k)
    finally:
        if closed is not None:
            closed.append(True)


def wait_for(what: Callable[[], bool]) -> None:
    """Until it happens: if it never does, the test's own time limit names it."""
    while not what():
        time.sleep(0.01)


def test_waiting_trains_to_the_end_and_says_the_same_each_time() -> None:
    first, second = (live_run(steps(30), wait=True) for _ in range(2))
    assert first.done and repr(first) == repr(second) == "Training finished: 30 of 30 steps."
    assert [record.step for record in first.result()] == list(range(1, 31))
    assert first._repr_mimebundle_()["image/png"] == second._repr_mimebundle_()["image/png"]
    assert "loss 0.0833 ± 0.02 over 2 runs." in first._picture.alt
    assert first._picture.caption == first._picture.alt
    assert first._transport._bar.value == 1 and first._transport._stop.disabled


def test_the_environment_decides_whether_a_notebook_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_WAIT", "1")
    assert live_run(steps(3)).done
    monkeypatch.delenv("COURSE_WAIT")
    gate = threading.Event()

    def guarded() -> Iterator[Step]:
        gate.wait()
        yield from steps(3)

    run = live_run(guarded())
    assert not run.done  # the call has returned before the first step
    gate.set()
    assert len(run.result()) == 3 and run.done


def test_several_runs_advance_side_by_side() -> None:
    run = live_run({"plain": steps(40), "resnet": steps(20)}, wait=True)
    assert {name: len(records) for name, records in run.result().items()} == {
        "plain": 40, "resnet": 20,
    }  # fmt: skip
    assert repr(run) == "Training finished: 40 of 40, 20 of 20 steps."
    assert "plain: loss" in run._picture.alt and "resnet: loss" in run._picture.alt


def test_stop_ends_soon_closes_the_iterators_and_keeps_the_records() -> None:
    closed: list[bool] = []
    run = live_run(
        {"a": steps(10**6, pause=0.01, closed=closed), "b": steps(10**6, closed=closed)},
        wait=False,
    )
    wait_for(lambda: len(run.history["b"]) > 5)
    run._transport._stop.click()
    records = run.result()
    assert run.done and closed == [True, True]
    assert 5 < len(records["b"]) < 10**6
    assert repr(run).startswith("Training stopped: ")


def test_what_was_stopped_is_known_until_it_is_run_again() -> None:
    hangs = [True]

    def first_hangs() -> Iterator[Step]:
        while hangs:
            len(hangs)
        yield from steps(3)

    assert not cut_short()
    run = live_run({"a": first_hangs, "b": first_hangs}, wait=False)
    wait_for(lambda: run._stepping)
    run.stop()
    with pytest.raises(BrokenOff):
        run.result()
    assert cut_short()
    hangs.clear()
    run.restart()
    assert len(run.result()["b"]) == 3 and not cut_short()


def test_networks_without_a_record_are_named() -> None:
    records: dict[str, list[int]] = {"plain 10": [1], "plain 26": [], "resnet": []}
    assert what_is_missing(records) == "There is nothing of plain 26, resnet yet"
    assert what_is_missing({name: [1] for name in records}) == ""
    many: dict[str, list[int]] = {"one": [1], **{f"plain {n}": [] for n in range(5)}}
    assert what_is_missing(many) == "There is nothing of 5 of 6 networks yet"


def test_a_stopped_run_that_is_closed_counts_no_more() -> None:
    run = live_run(steps(10**6, pause=0.01), wait=False)
    wait_for(lambda: len(run.history["run"]) > 1)
    run.close()
    wait_for(lambda: run.done)
    assert not cut_short()


def test_stop_breaks_off_an_endless_step() -> None:
    cleaned: list[bool] = []

    def endless() -> Iterator[Step]:
        try:
            while True:
                len(cleaned)
            yield Step(1, 1, np.ones(1))
        finally:
            cleaned.append(True)

    run = live_run(endless, wait=False)
    wait_for(lambda: run._stepping)
    run.stop()
    with pytest.raises(BrokenOff, match=r"no steps\. There is nothing .* yet\.\nFor that press"):
        run.result()
    assert cleaned == [True] and repr(run) == "Training stopped: no steps."


def test_a_run_that_has_ended_is_not_broken_off() -> None:
    run = live_run(steps(2), wait=False)
    run.result()
    run.stop()
    run._break_off()
    assert repr(run) == "Training finished: 2 of 2 steps."


def failing() -> Iterator[Step]:
    yield from steps(3)
    raise RuntimeError("out of memory")


def test_an_error_in_training_is_shown_and_raised_by_result() -> None:
    run = live_run(failing(), wait=False)
    with pytest.raises(RuntimeError, match="out of memory"):
        run.result()
    assert repr(run) == "Training failed: 3 of 3 steps."
    assert "RuntimeError: out of memory" in run._picture.failure
    with pytest.raises(RuntimeError, match="out of memory"):
        live_run(failing(), wait=True)


def innermost() -> None:
    int("three")


def test_an_error_in_training_says_where_it_comes_from_in_the_readers_own_lines() -> None:
    def own() -> Iterator[Step]:
        yield from steps(2)
        innermost()

    run = live_run({"mine": own(), "other": steps(4)}, wait=False)
    for _ in range(2):  # asked again, it says the same
        with pytest.raises(ValueError, match="invalid literal") as raised:
            run.result()
        head, what, error, *places, kept = raised.value._render_traceback_()  # by Jupyter
        assert head == repr(run) and head.startswith("Training failed: 2 of 2, ")
        assert what == "The training ended with an error."
        assert error == "ValueError: invalid literal for int() with base 10: 'three'"
        file = "test_live_run.py"
        assert [place.partition(", line")[0] for place in places] == [
            f"(in own, {file}", f"(in innermost, {file}",
        ]  # fmt: skip
        assert places[1].endswith(': int("three"))') and "`history`" in kept
        assert run._picture.failure.splitlines() == [what, error, *places]
    assert [len(records) for records in run.history.values()] == [2, len(run.history["other"])]


@pytest.mark.parametrize(
    ("records", "place"),
    [
        (map(json.loads, ["{"]), ["(in raw_decode, decoder.py"]),
        (map(int, ["three"]), []),  # raised by no line of Python at all
    ],
)
def test_an_error_that_no_line_of_the_readers_raised_says_where_it_was(
    records: Iterator[Any], place: list[str]
) -> None:
    run = live_run(records, wait=False)
    with pytest.raises(ValueError):
        run.result()
    _, _, error, *places, _ = raised_words(run)
    assert error.startswith(("json.decoder.JSONDecodeError: ", "ValueError: "))
    assert [each.partition(", line")[0] for each in places] == place


def raised_words(run: LiveRun) -> list[str]:
    """What Jupyter shows of the error that `result` raises."""
    with pytest.raises(Exception) as raised:
        run.result()
    lines: list[str] = raised.value._render_traceback_()
    return lines


def test_an_error_in_draw_ends_the_run_and_is_raised() -> None:
    fig, _ = style.figure(3.0, 2.0)

    def draw(history: dict[str, list[Step]]) -> str:
        if history["run"]:
            raise KeyError("no such curve")
        return ""

    run = live_run(steps(10**6, pause=0.01), fig=fig, draw=draw, wait=False)
    with pytest.raises(KeyError, match="no such curve"):
        run.result()
    assert "KeyError" in run._picture.failure and run._transport._bar.bar_style == "danger"


def test_an_interrupt_ends_waiting_without_a_word_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = live_run(steps(10**6, pause=0.01), wait=False)
    clock = SimpleNamespace(sleep=lambda _: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(background, "time", SimpleNamespace(**{**vars(time), **vars(clock)}))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt, match="training is stopped") as raised:
            training.result()
    finally:
        signal.signal(signal.SIGINT, before)
    files = {frame.path.name for frame in raised.traceback}
    assert files == {"test_live_run.py", "background.py"} and raised.value.__context__ is None
    shown = raised.value._render_traceback_()  # by Jupyter
    assert "\n".join(shown) == str(raised.value) and len(shown) == 2
    wait_for(lambda: training.done)
    assert repr(training).startswith("Training stopped: ")


def test_what_is_not_finite_is_said_and_marked_and_hides_nothing() -> None:
    def breaking() -> Iterator[Step]:
        found = SimpleNamespace(replica=1, step=3, layer="block 2", what="gradient")
        for k in range(1, 9):
            broken = k >= 3
            loss = np.array([1.0 / k, np.nan if broken else 1.0, np.inf if k == 8 else 2.0])
            yield Step(k, 8, loss, first_nonfinite=(None, found, None) if broken else (None,) * 3)

    run = live_run(breaking(), wait=True)
    assert "Not finite in 1, first at step 3: the gradient of block 2." in run._picture.alt
    all_lost = live_run(iter([Step(1, 1, np.array([np.nan, np.inf]))]), wait=True)
    assert "loss not finite over 2 runs" in all_lost._picture.alt
    zero = live_run(iter([Step(k, 2, np.zeros(2)) for k in (1, 2)]), wait=True)
    assert "loss 0 ± 0" in zero._picture.alt  # nothing to show on a logarithmic axis, no warning


def test_values_measured_now_and_then_are_drawn_where_they_are() -> None:
    def evaluated() -> Iterator[Step]:
        for k in range(1, 11):
            value = np.array([0.1 * k]) if k % 5 == 0 else None
            yield Step(k, 10, np.ones(1), train_accuracy=value)

    run = live_run(evaluated(), value="train_accuracy", wait=True)
    assert "train accuracy 1 ± 0 over 1 run." in run._picture.alt
    (line, *_) = run._picture.canvas.figure.axes[0].lines
    assert (
        list(line.get_xdata()) == [5, 10]
        and run._picture.canvas.figure.axes[0].get_yscale() == "linear"
    )


def test_a_picture_of_ones_own_is_drawn_at_a_bounded_rate() -> None:
    fig, ax = style.figure(3.0, 2.0)
    (line,) = ax.plot([], [])
    drawn: list[int] = []

    def draw(history: dict[str, list[Step]]) -> str:
        drawn.append(len(history["run"]))
        line.set_data(*np.array([(r.step, r.loss[0]) for r in history["run"]]).reshape(-1, 2).T)
        return f"{len(history['run'])} records"

    run = live_run(steps(3000), fig=fig, draw=draw, wait=True)
    assert drawn[0] == 0 and drawn[-1] == 3000 and len(drawn) < 300
    assert run._picture.alt.endswith("3000 records")


def test_a_cell_that_runs_again_stops_its_earlier_run(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = {"metadata": {"cellId": "a1"}, "header": {"msg_id": "1"}}
    shell = SimpleNamespace(get_parent=lambda: cell)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setenv("COURSE_WAIT", "1")  # nobody watches
    first = live_run(steps(10**6, pause=0.01), wait=False)
    cell |= {"metadata": {"cellId": "b2"}, "header": {"msg_id": "2"}}
    other = live_run(steps(10**6, pause=0.01), wait=False)
    cell |= {"metadata": {"cellId": "a1"}, "header": {"msg_id": "3"}}
    second = live_run(steps(10**6, pause=0.01), wait=False)
    wait_for(lambda: first.done)
    assert not other.done and not second.done
    assert first.result() == first.history["run"]  # what is there is kept
    for running in (other, second):
        running.close()
        running.result()


def test_pause_holds_step_makes_one_and_play_goes_on() -> None:
    training = live_run(steps(10**6, pause=0.001), wait=False)
    buttons = training._transport
    wait_for(lambda: len(training.history["run"]) > 2)
    buttons._pause.click()
    wait_for(lambda: "Training paused" in training._picture.alt)
    assert buttons._pause.description == "Play"
    held = len(training.history["run"])
    for more in (1, 2):
        buttons._step.click()
        wait_for(lambda more=more: len(training.history["run"]) == held + more)
    wait_for(lambda: f"{held + 2:,} of 1,000,000 steps" in training._picture.alt)
    buttons._pause.click()
    wait_for(lambda: len(training.history["run"]) > held + 4)
    buttons._stop.click()
    assert len(training.result()) > held + 4


def test_a_paused_run_can_be_stopped() -> None:
    training = live_run(steps(10**6, pause=0.001), wait=False)
    training._transport._pause.click()
    wait_for(lambda: training._state == "paused")
    training._transport._stop.click()
    training.result()
    assert repr(training).startswith("Training stopped: ")


def test_who_waits_for_a_paused_run_is_told_and_can_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gate = threading.Event()

    def guarded() -> Iterator[Step]:
        for step in steps(6):
            gate.wait()
            yield step

    training = live_run(guarded(), wait=False)
    training._transport._pause.click()
    gate.set()
    wait_for(lambda: training._state == "paused")
    before = repr(training)
    assert "paused" in before and "waits" not in before

    def play() -> None:
        wait_for(lambda: "A cell waits for it: press Play" in training._picture.caption)
        training._transport._step.click()  # held again after it: that is not said twice
        wait_for(lambda: "2 of 6 steps. A cell waits" in training._picture.alt)
        training._transport._pause.click()

    reader = threading.Thread(target=play)
    reader.start()
    assert len(training.result()) == 6
    reader.join()
    assert capsys.readouterr().out == f"{before}{transport.AWAITED}\n"
    assert repr(training) == "Training finished: 6 of 6 steps."
    assert "waits" not in training._picture.alt


def test_each_pause_of_a_run_that_a_cell_waits_for_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    training = live_run(steps(10**6, pause=0.001), wait=False)
    pause = training._transport._pause

    def press() -> None:
        for _ in range(2):
            pause.click()
            wait_for(lambda: "A cell waits" in training._picture.alt)
            held = len(training.history["run"])
            pause.click()
            wait_for(lambda held=held: len(training.history["run"]) > held + 30)
            wait_for(lambda: "A cell waits" not in training._picture.alt)
        pause.click()
        wait_for(lambda: "A cell waits" in training._picture.alt)
        training._transport._stop.click()

    reader = threading.Thread(target=press)
    reader.start()
    training.result()
    reader.join()
    said = capsys.readouterr().out
    assert said.count("Training paused: ") == 3 and "Training stopped: " in said


def test_restart_begins_anew_and_leaves_a_pale_curve(capsys: pytest.CaptureFixture[str]) -> None:
    knob = Knob("rate", Slider(0.1, 10.0, value=1.0, log=True))

    def turned() -> Iterator[Step]:
        for k in range(1, 40):
            yield Step(k, 39, np.array([2.0, 3.0]) / k * knob.value)

    training = live_run({"plain": turned}, knobs=[knob], wait=False)
    first = training.result()["plain"]
    knob.widget.value = 10.0
    training._transport.children[4].click()
    second = training.result()["plain"]
    assert len(second) == 39 and second[0].loss[0] == 10 * first[0].loss[0]
    pale = [
        line for line in training._picture.canvas.figure.axes[0].lines if line.get_alpha() == 0.25
    ]
    assert [line.get_ydata()[0] for line in pale] == [pytest.approx(2.5)]
    assert capsys.readouterr().out == ""  # neither was stopped


def test_a_network_begins_each_start_with_the_weights_that_it_had() -> None:
    network = torch.nn.Linear(1, 1)
    before = network.weight.item()

    def train(net: torch.nn.Linear) -> Iterator[Step]:
        for record in steps(3):
            torch.nn.init.constant_(net.weight, net.weight.item() + 1)
            yield record

    begin = from_start(network, train)
    for _ in range(2):
        assert len(list(begin())) == 3
        assert network.weight.item() == pytest.approx(before + 3)


def test_what_is_left_of_a_stopped_run_is_said_by_the_next_cell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    training = live_run(steps(10**6, pause=0.001), wait=False)
    wait_for(lambda: len(training.history["run"]) > 2)
    training.stop()
    records = training.result()
    first, then = capsys.readouterr().out.splitlines()
    stopped = f"Training stopped: {len(records):,} of 1,000,000 steps."
    assert first == f"{stopped} What follows works with what there is."
    assert then.startswith("For all of it run the training's cell again, then run this cell again")


def test_an_iterator_cannot_be_restarted() -> None:
    training = live_run(steps(3), wait=True)
    labels = [getattr(child, "description", "") for child in training._transport.children]
    assert labels[1:-1] == ["Pause", "Step", "Stop"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"runs": 3}, "run = 'int': it must be an iterator"),
        ({"runs": {"plain": None}}, "plain = 'NoneType'"),
        ({"runs": {}}, "at least one"),
        ({"runs": [], "draw": print}, "both given, or none"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        live_run(**arguments)


def test_no_records_at_all_is_a_run_that_has_finished() -> None:
    run = live_run([], wait=True)
    assert isinstance(run, LiveRun) and run.result() == []
    assert repr(run) == "Training finished: no steps."


def test_new_limits_do_not_move_the_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what they concern is drawn: all of it would take as long as many steps."""

    class Always(background.Pace):
        """A picture after each step."""

        def draw(self, before: float, after: float) -> None:
            self.due = 0.0

        def __init__(self, now: float, share: float) -> None:
            self.due = 0.0

    monkeypatch.setattr(background, "Pace", Always)
    falling = [Step(k, 40, np.array([0.7, 0.8]) ** k) for k in range(1, 41)]
    run, pictures = live_run(falling, wait=True), 40
    canvas = run._picture.canvas
    assert canvas.figure.axes[0].get_xlim() == (0, 40) and canvas.full_draws <= pictures // 10
