"""Notebook 04 as a student meets it: a run that is stopped, training at each move of a slider."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

RUN = """
from course.lessons.relu_family import explorer
from course.lessons.sigmoid_saturation import science
from course.live import live_run
both = {
    name: science.train(science.network(name, 20), steps=100_000) for name in ("relu", "sigmoid")
}
run = live_run(both, title="20 hidden layers")
run
"""
RESULT = "print('stopped', all(0 < r[-1].step < r[-1].steps for r in run.result().values()))"


def test_the_explorer_of_dead_units_and_the_run(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT, "explorer.explore()"])
    page.start()
    page.panel(0).stop_half_way(": loss", times=2)
    page.screenshot("04-run")
    page.wait_for_end()
    assert page.complaints() == [], "stopping must not break the cells below"

    assert "stopped True" in str(page.outputs()[1])
    panel = page.panel(1)
    ended = "Right on the training digits"
    before = panel.look_until(lambda look: ended in look.text)
    assert before.alt == before.text and "100% in the last layer" in before.text
    page.screenshot("04-explorer")
    with panel.watch() as film:
        panel.press("bias", "End")
        high = panel.look_until(lambda look: "bias 4," in look.text and ended in look.text)
        assert high.picture != before.picture and high.alt == high.text
        panel.press("learning rate", "End")
        panel.look_until(lambda look: "rate 1." in look.text and ended in look.text)
        panel.press("bias", "Home")
        panel.press("depth L", "Home")
        panel.look_until(lambda look: "1 hidden layer, bias -4" in look.text and ended in look.text)
        panel.press("learning rate", "Home")
        panel.look_until(lambda look: "rate 0.0001." in look.text and ended in look.text)
        panel.press("depth L", "End")
        panel.look_until(lambda look: "100 hidden layers" in look.text and "step" in look.text)
    film.check()
    assert film.pictures >= 5
    panel.control("activation").select_option("leaky-relu")
    panel.press("depth L", "Home")
    alive = panel.look_until(
        lambda look: "leaky-relu, 1 hidden layer," in look.text and ended in look.text
    )
    assert "0% of the units dead" in alive.text
    panel.click("Reset")
    panel.look_until(lambda look: look.text == before.text)
    assert page.complaints() == []
