"""Notebook 07 as a student meets it: three explorers to their extremes, and a run with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.browser

RUN = """
from course import data
from course.lessons.spectra import isometry
from course.live import live_run
name = "ReLU, Gaussian (He)"
run = live_run({name: isometry.learn(name, data.digits(), steps=100_000)})
run
"""
RESULT = "print('ended:', isometry.at_the_end(run.result(), 'train_loss'))"


def test_the_explorers_to_their_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("07_spectra.ipynb", only=("import", "explorer."))
    page.run_all()
    assert page.complaints() == [] and page.panels() == 3
    panel = page.panel(0)
    before = panel.settle()
    assert before.alt == before.text and "10 Gaussian matrices" in before.text
    page.screenshot("07-product")

    with panel.watch() as film:
        panel.press("factors", "End")
        deep = panel.look_until(lambda look: "100 Gaussian" in look.text)
        assert deep.picture != before.picture and deep.alt == deep.text
        assert "smallest 10⁻¹" in deep.text
        panel.control("kind").select_option("orthogonal")
        even = panel.look_until(lambda look: "100 orthogonal" in look.text)
        assert "smallest 1." in even.text and "0% are below 0.1" in even.text
        panel.press("scale", "Home")
        panel.look_until(lambda look: "nothing gets through" in look.text)
        panel.press("factors", "Home")
        panel.press("scale", "End")
        panel.look_until(lambda look: "1 orthogonal" in look.text and "scale 2.00" in look.text)
    film.check()
    assert film.pictures >= 5
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture

    panel = page.panel(1)
    before = panel.settle()
    with panel.watch() as film:
        panel.press("maps", "Home")
        panel.look_until(lambda look: "as it goes in" in look.text)
        panel.press("maps", "End")
        thin = panel.look_until(lambda look: "50 maps" in look.text)
        assert "filaments" in thin.text and thin.picture != before.picture
        panel.control("input to every map").check()
        whole = panel.look_until(lambda look: "also sees the input" in look.text)
        assert "still a sheet" in whole.text and whole.alt == whole.text
        panel.click("New draw")
        panel.look_until(lambda look: look.picture != whole.picture)
    film.check()
    page.screenshot("07-sheet")

    panel = page.panel(2)
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
    page.screenshot("07-jacobian")
    assert page.complaints() == []


def test_a_training_run_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    page.panel().stop_half_way("loss")
    page.wait_for_end()
    assert "ended: {}" in str(page.outputs()[1])
    assert page.complaints() == []
