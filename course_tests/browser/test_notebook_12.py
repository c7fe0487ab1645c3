"""Notebooks 12a and 12b as a student meets them: explorers to their extremes, a run with Stop."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.slow  # 00 and 07a stand for all in every push

RUN = """
from course import data
from course.lessons.starts import explorer, remedies
examples = data.load("digits").subset(1500)
nets = remedies.family(remedies.REMEDIES, examples, (2, 10))
run = explorer.watch(nets, examples, epochs=2000)
run
"""
RESULT = "print('records', all(len(r) > 0 for r in run.result().values()))"


def test_norms_to_their_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("12a_norms.ipynb", only=("import", "explorer.explore("))
    page.run_all()
    assert page.complaints() == []
    panel = page.panel()
    before = panel.settle()
    assert before.alt == before.text and "batch norm, 50 blocks" in before.text
    page.screenshot("12-explorer")
    with panel.watch() as film:
        panel.press("depth L", "End")
        deep = panel.look_until(lambda look: "batch norm, 100 blocks" in look.text)
        assert deep.picture != before.picture and deep.alt == deep.text
        panel.press("batch size", "Home")
        panel.look_until(lambda look: "batch norm refuses it" in look.text)
        panel.control("normalization").select_option("layer norm")
        panel.look_until(lambda look: "layer norm, 100 blocks, batches of 1," in look.text)
        panel.control("normalization").select_option("none")
        panel.press("weight scale", "End")
        panel.look_until(
            lambda look: "no norm, 100 blocks" in look.text and "He times 10." in look.text
        )
        panel.press("depth L", "Home")
        panel.press("weight scale", "Home")
        panel.look_until(
            lambda look: "no norm, 1 block," in look.text and "times 0.1." in look.text
        )
    film.check()
    assert film.pictures >= 5
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture
    assert page.complaints() == []


def test_starts_to_their_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("12b_starts.ipynb", only=("import", "explore_moments()", "explore_map()"))
    page.run_all()
    assert page.complaints() == []
    texts = [page.panel(number).look().text for number in range(page.panels())]

    def find(words: str):  # type: ignore[no-untyped-def]
        return page.panel(next(k for k, text in enumerate(texts) if words in text))

    panel = find("weights LeCun times")
    before = panel.settle()
    panel.control("activation").select_option("relu")
    panel.press("depth L", "End")
    other = panel.look_until(lambda look: "relu" in look.text and "100 layers" in look.text)
    assert other.picture != before.picture and other.alt == other.text
    panel.press("weight scale", "Home")
    panel.look_until(lambda look: "times 0, 100 layers" in look.text)
    panel.press("input: SD", "Home")
    panel.look_until(lambda look: "standard deviation 0.1." in look.text)
    track = panel.root.locator(".course-log .noUi-connects").first
    assert track.evaluate("el => el.dataset.filled") == "0.00% 0.00%"  # it has no 0 to start from
    panel.click("Reset")
    panel.look_until(lambda look: look.text == before.text)

    panel = find("Singular values of the whole network")
    before = panel.settle()
    panel.control("weights").select_option("looks-linear")
    panel.press("layers L", "End")
    panel.look_until(lambda look: "looks-linear, w = 1, 100 layers" in look.text)
    page.screenshot("12-circle")
    panel.press("weight w", "Home")
    panel.look_until(lambda look: "w = 0, 100 layers: w^L = 0." in look.text)
    panel.press("weight w", "End")
    other = panel.look_until(lambda look: "w = 1.5, 100 layers" in look.text)
    assert other.picture != before.picture and other.alt == other.text
    assert page.complaints() == []


def test_training_all_remedies_stops(open_notebook: OpenNotebook) -> None:
    page = open_notebook([RUN, RESULT])
    page.start()
    page.panel().stop_half_way(" %", times=1 + 2 * 10)
    page.screenshot("12-training")
    page.wait_for_end()
    assert "records True" in str(page.outputs()[-1])
    assert page.complaints() == []
