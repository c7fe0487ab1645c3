"""Notebook 08 as a student meets it: training at every depth with Stop, and the explorer."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

# In every push 00 stands for figures that the kernel draws, and test_live_run_browser for Stop.
pytestmark = pytest.mark.slow

RUN = """
from course import data
from course.lessons.degradation import explorer, science
examples = data.load("digits").subset(1500)
nets = science.family(("plain", "resnet"), examples, (2, 20))
run = explorer.watch(nets, examples, epochs=2000)
run
"""
RESULT = "print('records', all(len(r) > 0 for r in run.result().values()))"


def test_the_explorer_of_depth_to_its_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("08_degradation.ipynb", only=("import", "data.load", "explorer.explore("))
    page.run_all()
    assert page.complaints() == []
    number = next(k for k in range(page.panels()) if "Untrained" in page.panel(k).look().text)
    panel = page.panel(number)
    before = panel.settle()
    assert before.alt == before.text and "plain, 30 blocks, batch norm" in before.text
    page.screenshot("08-explorer")

    with panel.watch() as film:
        panel.press("depth L", "End")
        deep = panel.look_until(lambda look: "plain, 100 blocks" in look.text)
        assert deep.picture != before.picture and deep.alt == deep.text
        panel.control("network").select_option("resnet")
        panel.look_until(lambda look: "resnet, 100 blocks" in look.text)
        panel.control("normalization").select_option("none")
        panel.look_until(lambda look: "100 blocks, no norm" in look.text)
        panel.control("network").select_option("plain")
        panel.control("weights").select_option("He")
        panel.look_until(lambda look: "plain, 100 blocks, no norm, weights: He" in look.text)
        panel.press("depth L", "Home")
        panel.look_until(lambda look: "plain, 1 block, no norm" in look.text)
    film.check()
    assert film.pictures >= 5
    panel.click("Reset")
    panel.look_until(lambda look: look.text == before.text and look.alt == before.alt)
    assert page.complaints() == []


def test_training_at_every_depth_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    stopped = page.panel().stop_half_way(" %", times=4)
    assert "plain, training accuracy by depth: 2:" in stopped.text
    page.screenshot("08-training")
    page.wait_for_end()
    assert "records True" in str(page.outputs()[-1])
    assert page.complaints() == []
