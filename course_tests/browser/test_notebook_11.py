"""Notebook 11 as a student meets it: both explorers, and the path of a training run with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

SETUP = """
from course import data
from course.lessons.loss_landscapes import explorer, science
examples = data.load("digits").subset(1500)
nets = {
    kind: {depth: science.network(kind, examples, depth=depth) for depth in (2, 12)}
    for kind in ("plain", "resnet")
}
two = {"ReLU": nets["plain"][2]}
two["batch norm"] = science.network("plain", examples, depth=2, norm="batch")
"""
EXPLORERS = ["explorer.explore(nets, examples, depth=12)", "explorer.rescale(two, examples)"]
RUN = """
run = explorer.watch_path(nets["plain"][2], examples, steps=10_000_000, every=500)
run
"""
RESULT = "print('points', len(run.result()) >= 3)"


def test_slices_to_their_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook([SETUP, *EXPLORERS])
    page.run_all()
    panel = page.panel(0)
    before = panel.look_until(lambda look: "It bends downward at" in look.text)
    assert before.alt == before.text and "plain, 12 blocks, filter-normalized" in before.text
    with panel.watch() as film:
        panel.press("span", "End")
        far = panel.look_until(lambda look: "span 1.5." in look.text and "bends" in look.text)
        assert far.picture != before.picture and far.alt == far.text
        panel.press("span", "Home")
        panel.look_until(lambda look: "span 0.05." in look.text)
        panel.press("tilt", "End")
        panel.press("turn", "Home")
        panel.press("tilt", "Home")
        panel.press("depth L", "Home")
        panel.look_until(lambda look: "plain, 2 blocks" in look.text)
        panel.control("network").select_option("resnet")
        panel.control("directions").select_option("raw")
        panel.look_until(lambda look: "resnet, 2 blocks, raw" in look.text)
    film.check()
    assert film.pictures >= 5
    panel.click("Reset")
    panel.look_until(lambda look: look.text == before.text and look.picture == before.picture)
    page.screenshot("11-slices")

    units = page.panel(1)
    first = units.settle()
    assert "ReLU, factor c = 1." in first.text and first.alt == first.text
    with units.watch() as film:
        units.press("factor c", "End")
        units.look_until(lambda look: "c = 32." in look.text)
        units.control("network").select_option("batch norm")
        units.look_until(lambda look: "batch norm, factor c = 32." in look.text)
        units.press("factor c", "Home")
        least = units.look_until(lambda look: "c = 1/32." in look.text)
    film.check()
    assert least.picture != first.picture and film.pictures >= 3
    page.screenshot("11-units")
    units.click("New draw")
    units.look_until(lambda look: look.picture != least.picture)
    assert page.complaints() == []


def test_a_path_of_training_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([SETUP, RUN, RESULT])
    page.start()
    stopped = page.panel().stop_half_way("The path so far")
    assert "of its movement lies in this plane" in stopped.text
    page.screenshot("11-path")
    page.wait_for_end()
    assert "points True" in str(page.outputs()[-1])
    assert page.complaints() == []
