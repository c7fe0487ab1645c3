"""Notebook 06 as a student meets it: training at each move of a slider, and a run with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

RUN = """
from course.lessons.degeneracy import explorer, science
run = explorer.watch(["Fold 0"], steps=100_000)
run
"""
RESULT = "print(science.curve(run.result()['Fold 0']).stopped)"


def test_the_explorer_of_degeneracy_to_its_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("06_degeneracy.ipynb", only=("import", "explorer.explore("))
    page.run_all()
    assert page.complaints() == []
    panel = page.panel()
    before = panel.look_until(lambda look: "After 100 steps" in look.text)
    assert before.alt == before.text and "It has learned less than half." in before.text
    badge = panel.root.locator(".course-picture-badge")
    assert badge.inner_text() == "gradient: healthy"
    healthy = badge.evaluate("el => getComputedStyle(el).backgroundColor")

    with panel.watch() as film:
        panel.press("orthogonality", "End")
        even = panel.look_until(
            lambda look: "orthogonality 1.00" in look.text and "After 100 steps" in look.text
        )
        assert "32 of 32" in even.text and "It learns." in even.text
        assert even.picture != before.picture and even.alt == even.text
        assert badge.inner_text() == "gradient: healthy"
        panel.press("copies", "End")
        panel.look_until(lambda look: "fold 5" in look.text)
        panel.press("depth L", "Home")
        panel.look_until(lambda look: ", 1 layer," in look.text and "After 100" in look.text)
        panel.press("scale", "Home")
        nothing = panel.look_until(lambda look: "scale 0.00" in look.text)
        assert "0 of 32" in nothing.text
        panel.press("depth L", "End")
        panel.look_until(lambda look: "scale 0.00, 100 layers" in look.text)
        panel.press("scale", "End")
        panel.control("optimizer").select_option("SGD, rate 0.3")
        broken = panel.look_until(
            lambda look: "scale 2.00, 100 layers, SGD" in look.text and "broke down" in look.text
        )
        assert "not finite" in broken.text and badge.inner_text() == "loss: breaks down"
        assert badge.evaluate("el => getComputedStyle(el).backgroundColor") != healthy
    film.check()
    assert film.pictures >= 6
    page.screenshot("06-broken")

    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture
    page.screenshot("06-explorer")
    assert page.complaints() == []


def test_a_run_of_the_notebook_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    page.panel().stop_half_way("Fold 0: loss")
    page.screenshot("06-run")
    page.wait_for_end()
    assert "True" in str(page.outputs()[1])
    assert page.complaints() == []
