"""Every recorded explorer of the site goes to both ends of each of its controls: slow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from course.site import build, record_all
from course_tests.repository import ROOT
from course_tests.site.test_site_in_a_browser import HEAVIEST, requests, tab, weight

AT_REST = """async (root) => {
    const figure = recorded.figures.get(root.id);
    await figure.load();
    const words = () => root.querySelector("details").textContent;
    const image = () => root.querySelector("img");
    while (words() !== figure.state.text || image()?.alt !== words()) {
        await new Promise((done) => requestAnimationFrame(done));
    }
    return [JSON.stringify(figure.values), words(), image().src.split("/").pop()]; }"""


@pytest.mark.slow
def test_every_control_of_every_recorded_explorer_goes_to_both_ends(
    browser: Browser, tmp_path: Path
) -> None:
    notebooks = ROOT / "notebooks"
    recordings = record_all(notebooks, tmp_path / "kept", jobs=os.cpu_count() or 1)
    site = build(tmp_path / "site", notebooks, lambda: recordings).parent
    moved = 0
    for lesson in sorted({name.rpartition("-")[0] for name in recordings}):
        page, complaints = tab(browser)
        asked = requests(page)
        page.goto((site / f"{lesson}.html").as_uri(), wait_until="networkidle")
        assert weight(asked) <= HEAVIEST, lesson
        for root in page.locator(".recorded").all():
            for control in root.locator(".recorded-control").locator("input, select").all():
                seen = [at_end(page, root, control, end) for end in ("first", "last")]
                assert seen[0] != seen[1], (lesson, control.get_attribute("id"))
                moved += 1
        assert complaints == [], lesson
        page.close()
    assert moved > len(recordings)


def at_end(page: Page, root: Locator, control: Locator, end: str) -> list[str]:
    """Values, words and picture when a control is at its first or last value."""
    if control.evaluate("node => node.tagName") == "SELECT":
        control.select_option(index=0 if end == "first" else control.locator("option").count() - 1)
    elif control.get_attribute("type") == "checkbox":
        control.set_checked(end == "last")
    else:
        control.press("Home" if end == "first" else "End")
    shown: list[str] = page.evaluate(AT_REST, root.element_handle())
    return shown
