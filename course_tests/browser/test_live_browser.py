"""Live figures and live runs in JupyterLab, by keyboard, in headless Chromium."""

from __future__ import annotations

from course_tests.browser.conftest import OpenNotebook

FIGURE = """
import numpy as np
from course.live import Control, live
from course.plots import style

fig, ax = style.figure(9.0, 3.5)
layers = np.arange(1, 101)
(line,) = ax.plot(layers, 1.0 * layers, **style.line(0))
ax.set(yscale="log", ylim=(1e-12, 1e12), xlabel="layer", ylabel="size of the activation")
"""
DRAW = """
def draw(depth, weight, rate, seed):
    line.set_data(layers[:depth], rate * np.abs(float(weight)) ** layers[:depth])
    return f"depth {depth}, weight {weight:.2f}, rate {rate:.3g}, seed {seed}"

panel = live(fig, draw, title="Powers of the weight", seed=0,
             depth=(1, 100), weight=Control(-2.0, 2.0, 0.05, value=0.9, description="weight w"),
             rate=Control(1e-3, 1.0, log=True))
panel
"""


def test_keyboard_moves_picture_text_and_alternative_text_without_flicker(
    open_notebook: OpenNotebook,
) -> None:
    page = open_notebook([FIGURE, DRAW])
    page.run_all()
    panel = page.panel()
    before = panel.settle()
    assert before.text == before.alt == "depth 50, weight 0.90, rate 0.0316, seed 0"
    with panel.watch() as film:
        panel.press("weight w", "ArrowRight", 10)
        after = panel.look_until(lambda look: "weight 1.40" in look.text)
    assert after.picture != before.picture
    assert after.alt == after.text
    film.check()
    assert film.pictures >= 3
    page.screenshot("live-figure")
    assert page.complaints() == []
