"""Notebook 03 as a student meets it: the run stopped half-way, the explorer to its extremes."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

EXPLORER = """
from course.lessons.sigmoid_saturation import explorer, science
from course.live import live_run
explorer.explore()
"""
RUN = """
patient = {
    f"{depth} layers": science.train(science.network("sigmoid", depth), steps=100_000)
    for depth in (6, 12)
}
run = live_run(patient, title="Sigmoid networks")
run
"""
RESULT = "print('stopped', all(0 < r[-1].step < r[-1].steps for r in run.result().values()))"


def test_the_explorer_of_saturation_and_the_run(open_notebook: OpenNotebook) -> None:
    page = open_notebook([EXPLORER, RUN, RESULT])
    page.start()
    page.panel(1).stop_half_way(": loss", times=2)
    page.screenshot("03-run")
    page.wait_for_end()
    assert page.complaints() == [], "stopping must not break the cells below"
    assert "stopped True" in str(page.outputs()[-1])

    panel = page.panel(0)
    before = panel.settle()
    assert before.alt == before.text and "A factor of 0.236 per layer." in before.text
    page.screenshot("03-explorer")
    with panel.watch() as film:
        panel.press("weight scale", "End")
        flat = panel.look_until(lambda look: "weight scale 20," in look.text)
        assert flat.picture != before.picture and flat.alt == flat.text
        panel.press("depth L", "End")
        panel.look_until(lambda look: "100 hidden layers, weight scale 20" in look.text)
        panel.press("input scale", "End")
        panel.look_until(lambda look: "input scale 100." in look.text)
        panel.press("depth L", "Home")
        panel.press("weight scale", "Home")
        nothing = panel.look_until(lambda look: "1 hidden layer, weight scale 0" in look.text)
        assert "exactly 0 at layer 1" in nothing.text
        panel.press("input scale", "Home")
        panel.look_until(lambda look: "input scale 0.01." in look.text)
    film.check()
    assert film.pictures >= 5
    panel.control("activation").select_option("hard-tanh")
    panel.look_until(lambda look: look.text.startswith("hard-tanh"))
    panel.click("Reset")
    panel.look_until(lambda look: look.text == before.text)
    panel.click("New draw")
    panel.look_until(lambda look: look.text != before.text and look.picture != before.picture)
    assert page.complaints() == []
