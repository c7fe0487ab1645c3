"""Notebook 09 as a student meets it: four networks that train with Stop, and the explorer."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

RUN = """
from course import data
from course.lessons.degradation import science as degradation
from course.live import live_run
examples = data.load("digits").subset(1500)
names = ("plain", "resnet", "highway", "diracnet")
nets = {name: degradation.network(name, examples, depth=10) for name in names}
runs = {name: degradation.train(net, examples, epochs=2000) for name, net in nets.items()}
run = live_run(runs, value="train_accuracy", title="Training accuracy")
run
"""
RESULT = "print('records', all(len(r) > 0 for r in run.result().values()))"


def test_the_explorer_of_skips_to_its_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook(
        "09_skip_connections.ipynb", only=("import", "data.load", "explorer.explore(")
    )
    page.run_all()
    assert page.complaints() == []
    number = next(k for k in range(page.panels()) if "skip s = 0.9" in page.panel(k).look().text)
    panel = page.panel(number)
    before = panel.settle()
    assert before.alt == before.text and "s^L = 0.04" in before.text
    page.screenshot("09-explorer")

    with panel.watch() as film:
        panel.press("skip s", "ArrowRight", 2)
        whole = panel.look_until(lambda look: "skip s = 1," in look.text)
        assert whole.picture != before.picture and "s^L = 1 should" in whole.text
        panel.press("depth L", "End")
        panel.press("skip s", "End")
        panel.look_until(lambda look: "s = 1.2" in look.text and "100 blocks" in look.text)
        panel.press("skip s", "Home")
        panel.press("branch b", "Home")
        nothing = panel.look_until(lambda look: "s = 0, branch b = 0, 100" in look.text)
        assert "measured: 0." in nothing.text and nothing.alt == nothing.text
        panel.press("branch b", "End")
        panel.press("depth L", "Home")
        panel.look_until(lambda look: "s = 0, branch b = 2, 1 block." in look.text)
    film.check()
    assert film.pictures >= 4
    panel.click("New draw")
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture
    assert page.complaints() == []


def test_training_of_the_four_networks_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    page.panel().stop_half_way(": train accuracy", times=4)
    page.screenshot("09-training")
    page.wait_for_end()
    assert "records True" in str(page.outputs()[-1])
    assert page.complaints() == []
