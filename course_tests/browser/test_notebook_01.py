"""Notebooks 00 and 01 as a student meets them: run, predict, explore by keyboard to the end."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator

from course_tests.browser.conftest import OpenNotebook
from course_tests.browser.page import NotebookPage
from course_tests.browser.server import Server


def question(page: NotebookPage, words: str, number: int = 0) -> Locator:
    """The panel of a prediction (number 0) or of the question asked again (number 1)."""
    found = page.page.locator(".widget-vbox", has_text=words).nth(number)
    found.scroll_into_view_if_needed()
    return found


@pytest.mark.slow  # 07a stands for all that is drawn in the page in every push
def test_the_explorer_of_the_scalar_chain_to_its_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("01_scalar_chain.ipynb")
    page.run_all()
    assert page.panels() == 6  # two explorers and four pictures
    panel = page.panel(1)
    before = panel.settle()
    assert before.alt == before.text and "gradient grows" in before.text
    page.screenshot("01-explorer")

    with panel.watch() as film:
        panel.press("weight w", "ArrowLeft", 10)
        preserved = panel.look_until(lambda look: "w = 1," in look.text)
        assert "keeps its size" in preserved.text and preserved.picture != before.picture
        panel.press("weight w", "Home")
        panel.press("depth L", "End")
        exploded = panel.look_until(lambda look: "w = -2," in look.text and "L = 100" in look.text)
        assert "Last activation y_L = 1.27 × 10³⁰." in exploded.text
        panel.press("depth L", "Home")
        panel.press("weight w", "End")
        panel.look_until(lambda look: "w = 2," in look.text and "L = 1," in look.text)
        panel.press("bias b", "End")
        panel.press("input x", "Home")
        short = panel.look_until(lambda look: "b = 10, x = -10" in look.text)
        assert "Last activation y_L = -10." in short.text
    film.check()
    assert film.pictures >= 5

    panel.control("precision").select_option("float16")
    panel.press("depth L", "End")
    lost = panel.look_until(lambda look: "float16" in look.text and "L = 100" in look.text)
    assert "the gradient at layer 84, going backward" in lost.text and lost.alt == lost.text
    page.screenshot("01-overflow")
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture
    assert page.complaints() == []


def test_a_prediction_locks_by_keyboard_and_is_asked_again(
    open_notebook: OpenNotebook, server: Server
) -> None:
    page = open_notebook("01_scalar_chain.ipynb", only=("import", "predict(", "revisit("))
    page.run_all()
    panel = question(page, "50 layers, each")
    options, button = panel.get_by_role("radio"), panel.get_by_role("button")
    assert options.count() == 4 and button.is_disabled()
    options.nth(1).focus()
    page.page.keyboard.press("Space")
    button.and_(page.page.locator(":enabled")).wait_for()
    button.press("Enter")
    panel.get_by_role("status").get_by_text("Locked.").wait_for()
    assert all(options.nth(k).is_disabled() for k in range(4)) and button.is_disabled()

    again = question(page, "50 layers, each", 1)
    again.get_by_role("radio").nth(2).check()
    again.get_by_role("button").click()
    verdict = again.get_by_role("status")
    verdict.get_by_text("Before: about 55.").wait_for()
    assert "Now: about 120" in verdict.inner_text()
    page.screenshot("01-prediction")
    kept = [json.loads(line) for line in server.records.read_text().splitlines()]
    found = [(r["question"], r["phase"], r["option"], r["answer"]) for r in kept]
    assert found == [("01-size", "before", 1, None), ("01-size", "after", 2, 2)]

    page.run_all()  # the same cells again: what was locked stays locked
    panel = question(page, "50 layers, each")
    panel.get_by_role("status").get_by_text("You locked this answer before").wait_for()
    assert panel.get_by_role("radio").nth(1).is_checked()
    assert page.complaints() == []


def test_notebook_00_makes_a_figure_live_in_the_page(open_notebook: OpenNotebook) -> None:
    page = open_notebook("00_start_here.ipynb")
    page.run_all()
    panel = page.panel(0)
    assert "0.52 % is left" in panel.settle().text
    with panel.watch() as film:
        panel.press("passed", "End")
        panel.look_until(lambda look: "100 % is left" in look.text)
        panel.press("depth", "Home")
        panel.look_until(lambda look: "After 1 layer of" in look.text)
    film.check()
    page.screenshot("00")
    assert page.complaints() == []
