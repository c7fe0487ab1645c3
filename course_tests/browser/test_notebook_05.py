"""Notebook 05 as a student meets it: two explorers to their extremes, and a run with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

RUN = """
from course.lessons.initialization import explorer
run = explorer.watch(steps=100_000)
run
"""
RESULT = "print(all(part[-1].step < part[-1].steps for part in run.result().values()))"


def test_the_explorers_of_the_first_weights_to_their_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("05_initialization.ipynb", only=("import handbook", "explorer.explore"))
    page.run_all()
    assert page.complaints() == []
    assert page.panels() == 2

    panel = page.panel(0)
    before = panel.settle()
    assert before.alt == before.text and "relu, weight scale 1, 50 layers" in before.text
    with panel.watch() as film:
        panel.press("weight scale", "End")
        large = panel.look_until(lambda look: "weight scale 3" in look.text)
        assert "It explodes." in large.text and large.picture != before.picture
        panel.press("weight scale", "Home")
        panel.look_until(lambda look: "exactly 0" in look.text)
        panel.press("depth L", "End")
        panel.look_until(lambda look: "100 layers" in look.text)
        panel.control("activation").select_option("tanh")
        panel.press("weight scale", "End")
        chaos = panel.look_until(lambda look: "tanh, weight scale 3, 100 layers" in look.text)
        assert "stays within" in chaos.text and chaos.alt == chaos.text
        panel.control("width n").select_option("10")
        panel.look_until(lambda look: "width 10." in look.text)
        panel.press("depth L", "Home")
        panel.look_until(lambda look: ", 1 layer of" in look.text)
    film.check()
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture
    page.screenshot("05-sizes")

    panel = page.panel(1)
    before = panel.settle()
    assert "Chaos" in before.text and before.alt == before.text
    with panel.watch() as film:
        panel.press("weights σ_w", "Home")
        order = panel.look_until(lambda look: "sigma_w = 0," in look.text)
        assert "Order" in order.text and order.picture != before.picture
        panel.press("biases σ_b", "Home")
        panel.look_until(lambda look: "no cosine left" in look.text)
        panel.press("biases σ_b", "End")
        panel.press("weights σ_w", "End")
        panel.look_until(lambda look: "sigma_w = 3, sigma_b = 1. Chaos" in look.text)
        deep = panel.settle()
        panel.press("first cosine", "End")
        panel.press("depth L", "End")
        panel.look_until(lambda look: look.text != deep.text)
    film.check()
    now = panel.settle()
    panel.click("New draw")
    other = panel.look_until(lambda look: look.text != now.text)
    assert other.picture != now.picture
    page.screenshot("05-phases")
    assert page.complaints() == []


def test_a_run_of_the_notebook_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    page.panel().stop_half_way("loss")
    page.screenshot("05-run")
    page.wait_for_end()
    assert "True" in str(page.outputs()[1])
    assert page.complaints() == []
