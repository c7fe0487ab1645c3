"""Notebooks 10a and 10b as a student meets them: the explorer of removal, and runs with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

START = """
from course import data
from course.lessons.degradation import science as degradation
from course.lessons.phasing_out import explorer, science
from course.lessons.van import explorer as removal
examples = data.load("digits").subset(1500)
removal.explore(examples)
"""
RUN = """
ways = science.schedules(steps=2000 * 15)
nets = {name: degradation.network("van", examples, depth=10) for name in ways}
runs = {
    name: degradation.train(net, examples, epochs=2000, skips=ways[name], batch_statistics=True)
    for name, net in nets.items()
}
run = explorer.watch(runs, epochs=2000)
run
"""
DEEPER = """
from course.lessons.phasing_out import fading
nets = fading.family(fading.KINDS, examples, (2, 10))
run = explorer.watch_depths(fading.train(nets, examples, epochs=2000), examples.outputs)
run
"""
RESULT = "print('records', all(len(r) > 0 for r in run.result().values()))"


def test_the_explorer_of_removal_to_its_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("10a_van.ipynb", only=("import", "data.load", "explorer.explore("))
    page.run_all()
    assert page.complaints() == []
    number = next(k for k in range(page.panels()) if "Alpha step" in page.panel(k).look().text)
    panel = page.panel(number)
    before = panel.settle()
    assert before.alt == before.text and "after 87 steps" in before.text
    page.screenshot("10-explorer")
    with panel.watch() as film:
        panel.press("first multiplier", "End")
        late = panel.look_until(lambda look: "first multiplier = 0.5," in look.text)
        assert late.picture != before.picture and late.alt == late.text
        panel.press("ratio r", "Home")
        panel.look_until(lambda look: "never leave" in look.text)
        panel.press("first multiplier", "Home")
        panel.press("ratio r", "End")
        panel.press("resistance g", "End")
        panel.look_until(lambda look: "ratio r = 1, first multiplier = -2, resis" in look.text)
        panel.press("alpha's rate", "Home")
        panel.look_until(lambda look: "Alpha step = 0.001," in look.text)
        panel.press("alpha's rate", "End")
        panel.look_until(lambda look: "Alpha step = 0.1," in look.text)
        panel.press("train a network beside it", " ")
        panel.look_until(lambda look: "Measured, 5 blocks" in look.text)
    film.check()
    assert film.pictures >= 5
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture
    assert page.complaints() == []


def test_training_by_schedules_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([START, RUN, RESULT])
    page.start()
    page.panel(1).stop_half_way("of the skips left.", times=5)
    page.screenshot("10-training")
    page.wait_for_end()
    assert "records True" in str(page.outputs()[-1])
    assert page.complaints() == []


def test_training_over_depth_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([START, DEEPER, RESULT])
    page.start()
    page.panel(1).stop_half_way(" %", times=2 * 4)
    page.screenshot("10-depths")
    page.wait_for_end()
    assert "records True" in str(page.outputs()[-1])
    assert page.complaints() == []
