"""Recorded explorers in a real browser: they move by keys, say what they show, and load late."""

from __future__ import annotations

import html
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from course.site import moving
from course_tests.browser.page import HANGS
from course_tests.site.tabs import Tab
from course_tests.site.test_site_in_a_browser import address  # noqa: F401  a fixture
from course_tests.site.test_site_in_a_browser import tab as opened
from course_tests.site.tiny import TINY, states

SHOWN = """() => {
    const image = document.querySelector(".recorded img");
    const text = document.querySelector(".recorded details").textContent;
    return [image.alt, text, image.currentSrc.split("/").pop()];
}"""


def words_and_picture(page: Page, beginning: str) -> tuple[str, str]:
    """The caption once it begins so, which is the alternative text as well, and the picture."""
    caption = page.locator(".recorded details", has_text=beginning)
    caption.wait_for(timeout=1000 * HANGS)
    alt, text, picture = page.evaluate(SHOWN)
    assert alt == text
    return text, picture


@pytest.mark.parametrize("address", ["file", "http"], indirect=True)
def test_the_explorer_of_the_first_lesson_moves_to_both_ends_by_keys(
    browser: Browser,
    address: str,  # noqa: F811
    site: Path,
) -> None:
    page, complaints = opened(browser)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 360, "height": 300})
    page.goto(f"{address}/00_start_here.html")
    page.wait_for_selector(".recorded:not([hidden])", state="attached")
    assert not [url for url in asked if "_recorded" in url]  # it is far below
    slider = page.get_by_label("depth", exact=True)
    slider.focus()
    recorded = states(next((site / "_recorded").iterdir()))
    pictures = set()
    for key, depth in (("Home", "1 layer"), ("End", "100 layers"), ("ArrowLeft", "50 layers")):
        page.keyboard.press(key)
        text, picture = words_and_picture(page, f"After {depth} of")
        (state,) = [state for state in recorded.values() if state["text"] == text]
        assert picture == state["narrow"]  # on a phone
        assert text.splitlines()[state["seen"]] in page.inner_text(".recorded summary")
        assert slider.get_attribute("aria-valuetext") == depth.split()[0]
        pictures.add(picture)
    assert len(pictures) == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert complaints == [] and all(url.startswith(address) for url in asked)
    page.close()


def test_without_scripts_the_stored_picture_stays(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/00_start_here.html")
    cell = page.locator(".cell_output:has(.recorded)")
    assert cell.locator("img").is_visible() and not cell.locator(".recorded").is_visible()
    context.close()


@pytest.fixture(scope="module")
def alone(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with nothing but the small explorer and its stored picture."""
    folder = tmp_path_factory.mktemp("alone")
    moving.copy({TINY.name: tiny}, folder)
    moving.write_static(folder)
    still = f"{moving.FOLDER}/{TINY.name}/{states(tiny)['']['wide']}"
    body = f'<img src="{html.escape(still)}" alt="still">{moving.figure(TINY.name, tiny)}'
    (folder / "page.html").write_text(
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>tiny</title>'
        '<link rel="stylesheet" href="recorded.css"><script defer src="recorded.js"></script>'
        f'<div class="cell_output">{body}</div></html>',
        encoding="utf-8",
    )
    return folder / "page.html"


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Tab]:
    tab = Tab(browser)
    yield tab
    tab.close()


def ask(page: Page, values: dict[str, Any]) -> Any:
    """What the figure shows after it was asked for a state."""
    script = "([id, values]) => recorded.figures.get(id).set(values)"
    return page.evaluate(script, [TINY.name, values])


def test_others_go_back_but_one_that_was_recorded_together(tab: Tab, alone: Path) -> None:
    tab.load(alone.as_uri())
    page = tab.page
    words_and_picture(page, "size 2, even, False, draw 0")
    assert page.inner_text(".recorded summary").strip() == "The rest."  # the sentence that counts
    page.get_by_label("law").select_option("odd")
    page.get_by_label("size").press("End")
    words_and_picture(page, "size 4, odd, False, draw 0")
    page.get_by_label("bold").press("Space")
    words_and_picture(page, "size 2, even, True, draw 0")
    assert page.get_by_label("law").input_value() == "0"
    assert page.get_by_label("size").get_attribute("aria-valuetext") == "2"
    assert "Back at the default: size, law." in page.inner_text(".recorded-note")
    page.get_by_label("random draw").press("End")
    words_and_picture(page, "size 2, even, False, draw 3")
    assert page.inner_text(".course-picture-badge") == "healthy"
    page.get_by_role("button", name="Reset").click()
    words_and_picture(page, "size 2, even, False, draw 0")
    assert tab.complaints == []


def test_a_state_can_be_asked_for_and_what_is_unknown_changes_nothing(
    tab: Tab, alone: Path
) -> None:
    tab.load(alone.as_uri())
    page = tab.page
    first = {"size": 2, "law": "even", "bold": False, "seed": 0}
    assert ask(page, {"size": "3.2", "law": "odd"}) == first | {"size": 3, "law": "odd"}
    words_and_picture(page, "size 3, odd, False, draw 0")
    assert ask(page, {"size": 1e9}) == first | {"size": 4}
    for nonsense in ({"size": "x"}, {"size": ""}, {"law": "7"}, {"depth": 3}, {"size": None}, {}):
        assert ask(page, nonsense) == first, nonsense
    assert ask(page, {"bold": "true"}) == first | {"bold": True}
    assert tab.complaints == []


def test_a_picture_that_is_missing_is_said(tab: Tab, alone: Path, tiny: Path) -> None:
    folder = alone.with_name("broken")
    shutil.copytree(alone.parent, folder, ignore=shutil.ignore_patterns("broken"))
    name = states(tiny)["size=4"]["wide"]
    (folder / moving.FOLDER / TINY.name / name).unlink()
    tab.load((folder / "page.html").as_uri())
    page = tab.page
    page.get_by_label("size").press("End")
    page.locator(".course-picture-failure", has_text=name).wait_for()
    page.get_by_label("size").press("Home")
    words_and_picture(page, "size 0, even, False, draw 0")
