"""Notebook 07b as a student meets it: its explorer to its extremes, and a run with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

RUN = """
from course import data
from course.lessons.isometry import science
from course.live import live_run
name = "ReLU, Gaussian (He)"
run = live_run({name: science.learn(name, data.digits(), steps=100_000)})
run
"""
RESULT = "print('ended:', {n: r[-1].evaluated for n, r in run.result().items()})"


def test_the_explorer_to_its_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("07b_isometry.ipynb", only=("import", "explorer."))
    page.run_all()
    assert page.complaints() == [] and page.panels() == 1
    panel = page.panel(0)
    before = panel.settle()
    with panel.watch() as film:
        panel.press("depth", "End")
        panel.look_until(lambda look: "Depth 100." in look.text)
        panel.control("activation").select_option("tanh")
        even = panel.look_until(lambda look: look.text.startswith("tanh, orth"))
        assert even.picture != before.picture and even.alt == even.text
        panel.press("signal q*", "Home")
        small = panel.look_until(lambda look: "q* = 0.001" in look.text)
        assert "closed form, for a wide critical network: 7.9 × 10⁻⁴." in small.text
        panel.control("weights").select_option("Gaussian")
        panel.press("scale", "End")
        panel.press("signal q*", "End")
        wild = panel.look_until(lambda look: "tanh, Gaussian weights, q* = 10:" in look.text)
        assert "are lost" in wild.text
        panel.press("depth", "Home")
        panel.look_until(lambda look: "Depth 1." in look.text)
    film.check()
    page.screenshot("07b-jacobian")
    assert page.complaints() == []


def test_a_training_run_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    page.panel().stop_half_way("loss")
    page.wait_for_end()
    assert "ended: {'ReLU, Gaussian (He)': False}" in str(page.outputs()[1])
    assert page.complaints() == []
