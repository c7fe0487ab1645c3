"""Live figures in JupyterLab, by keyboard, in headless Chromium."""

from __future__ import annotations

import re

from course_tests.browser.conftest import OpenNotebook
from course_tests.browser.server import Server

FIGURE = """
import time
import numpy as np
from course.live import Slider, live
from course.plots import style

fig, ax = style.figure(9.0, 3.5)
layers = np.arange(1, 101)
(line,) = ax.plot(layers, 1.0 * layers, **style.line(0))
_ = ax.set(yscale="log", ylim=(1e-12, 1e12), xlabel="layer", ylabel="size of the activation")
"""
DRAW = """
def draw(depth, weight, rate, seed):
    line.set_data(layers[:depth], rate * np.abs(float(weight)) ** layers[:depth])
    return f"depth {depth}, weight {weight:.2f}, rate {rate:.3g}, seed {seed}"

panel = live(fig, draw, title="Powers of the weight", seed=0,
             depth=(1, 100), weight=Slider(-2.0, 2.0, 0.05, value=0.9, description="weight w"),
             rate=Slider(1e-3, 1.0, log=True))
panel
"""
SLOW = """
import pathlib
drawn = []

def slow(weight):
    drawn.append(weight)
    while len(drawn) == 2 and not pathlib.Path("go").exists():
        time.sleep(0.01)
    line.set_ydata(np.abs(weight) ** layers)
    return f"weight {weight:.2f}"

live(fig, slow, weight=(-2.0, 2.0, 0.01))
"""
BROKEN = """
def divide(by):
    line.set_ydata(1 / by * layers)
    return f"divided by {by}"

live(fig, divide, by=Slider(0, 5, value=2))
"""


def test_keyboard_buttons_and_extremes_change_picture_and_words_without_flicker(
    open_notebook: OpenNotebook,
) -> None:
    page = open_notebook([FIGURE, DRAW])
    page.run_all()
    panel = page.panel()
    before = panel.settle()
    assert before.text == before.alt == "depth 50, weight 0.90, rate 0.0316, seed 0"
    address = page.page.evaluate("() => document.querySelector('.course-picture img').src")
    kind, _, data = address.partition(",")
    assert kind == "data:image/png;base64" and len(data) > 2 * 8192  # of several pieces
    sent = page.run_cell("import base64; print(base64.b64encode(panel.picture.png).decode())")
    assert data == sent.strip()
    with panel.watch() as film:
        panel.press("weight w", "ArrowRight", 10)
        after = panel.look_until(lambda look: "weight 1.40" in look.text)
        assert after.picture != before.picture and after.alt == after.text
        assert panel.value("weight w") == "1.40"
        page.screenshot("live-figure")
        for name, key, text in (
            ("depth", "Home", "depth 1,"), ("depth", "End", "depth 100,"),
            ("weight w", "Home", "weight -2.00"), ("weight w", "End", "weight 2.00"),
            ("rate", "Home", "rate 0.001,"), ("rate", "End", "rate 1,"),
        ):  # fmt: skip
            panel.press(name, key)
            look = panel.look_until(lambda look, text=text: text in look.text)
            assert look.alt == look.text and not look.failure
        assert panel.value("rate").strip() in ("1", "1.00", "1.0")
        panel.click("New draw")
        panel.look_until(lambda look: look.text.endswith("seed 1"))
        panel.click("Reset")
        again = panel.look_until(lambda look: look.text == before.text)
    film.check()
    assert film.jumps == 0
    assert film.pictures >= 8
    assert again.picture == before.picture
    assert page.complaints() == []


def test_the_newest_value_wins_also_when_drawing_is_slow_and_the_kernel_busy(
    open_notebook: OpenNotebook, server: Server
) -> None:
    page = open_notebook([FIGURE, SLOW])
    page.run_all()
    panel = page.panel()
    panel.settle()
    with panel.watch() as film:
        panel.press("weight", "ArrowRight", 60)
        (server.folder / "go").touch()  # the second drawing has waited for this
        panel.look_until(lambda look: look.text == "weight 0.60")
    film.check()
    drawn = int(page.run_cell("print(len(drawn))"))
    assert 2 < drawn < 61  # the first, some on the way, the last: stale ones were skipped
    assert page.complaints() == []


def test_an_error_in_draw_is_shown_and_the_next_value_draws_again(
    open_notebook: OpenNotebook,
) -> None:
    page = open_notebook([FIGURE, BROKEN])
    page.run_all()
    panel = page.panel()
    before = panel.settle()
    panel.press("by", "Home")
    look = panel.look_until(lambda look: look.failure != "")
    assert re.match(r"ZeroDivisionError: .*\n\(in divide, line \d+: .*1 / by", look.failure)
    assert look.picture == before.picture  # the last good one stays
    page.screenshot("live-error")
    panel.press("by", "ArrowRight")
    look = panel.look_until(lambda look: look.text == "divided by 1")
    assert look.failure == "" and look.picture != before.picture
    assert page.complaints() == []
