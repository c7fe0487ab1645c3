"""Notebook 02 as a student meets it: a chain trained at each move of a slider, a run with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

RUN = """
from course.lessons.blow_up import explorer
run = explorer.watch(["rate 0.003", "He's start"], steps=100_000)
run
"""
RESULT = "print(len(run.result()['rate 0.003']) < 100_000)"
CELLS = ("import itertools", "explorer.explore(", "figures.silent(")


def test_the_explorer_of_blow_up_to_its_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("02_blow_up.ipynb", only=CELLS)
    page.run_all()
    assert page.panels() == 2
    panel = page.panel(0)
    before = panel.settle()
    assert before.alt == before.text and "It blew up." in before.text
    page.screenshot("02-explorer")

    with panel.watch() as film:
        panel.press("clip the gradient", "Space")
        clipped = panel.look_until(lambda look: "clipped at 1" in look.text)
        assert "It has learned the line." in clipped.text
        assert clipped.picture != before.picture and clipped.alt == clipped.text
        panel.press("learning rate", "End")
        panel.look_until(lambda look: "rate 1, clipped" in look.text)
        panel.press("depth L", "End")
        panel.look_until(lambda look: "100 layers, rate 1, clipped" in look.text)
        panel.press("weight w0", "End")
        panel.look_until(lambda look: "w0 = 2, 100 layers" in look.text)
        panel.press("weight w0", "Home")
        panel.look_until(lambda look: "w0 = -2, 100 layers" in look.text)
        panel.press("clip the gradient", "Space")
        lost = panel.look_until(lambda look: "no clipping" in look.text)
        assert "not finite at the first layer" in lost.text and "step 1: the loss" in lost.text
        panel.press("learning rate", "Home")
        panel.press("depth L", "Home")
        short = panel.look_until(lambda look: "w0 = -2, 1 layer, rate 1 × 10⁻⁶, no" in look.text)
        assert panel.value("learning rate") == "1e-6"  # 0.000001 has no room
        assert "Everything stays finite." in short.text
    film.check()
    assert film.pictures >= 6
    page.screenshot("02-extremes")

    panel.click("New draw")
    other = panel.look_until(lambda look: look.text != short.text)
    assert other.failure == ""
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture

    silent = page.panel(1).settle()
    assert "a factor of 2 with every layer" in silent.text and silent.alt == silent.text
    page.screenshot("02-silent")
    assert page.complaints() == []


def test_a_run_of_remedies_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    page.panel().stop_half_way(": train accuracy", times=2)
    page.screenshot("02-run")
    page.wait_for_end()
    assert "True" in str(page.outputs()[1])
    assert page.complaints() == []
