"""From a figure in the notebook to the same state on a page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from course.live import Slider, Switch, live
from course.plots import style
from course_tests.repository import ROOT

CELL = "3fb0c2a1d5e7"
CLICK = """async ([code, address]) => {
    const module = new Blob([code], { type: "text/javascript" });
    const widget = await import(URL.createObjectURL(module));
    const heard = {};
    const model = {
        send: () => heard["msg:custom"]({ address }),
        on: (name, hear) => { heard[name] = hear; },
    };
    widget.default.render({ model, el: document.body });
    document.querySelector("button").click();
    await new Promise((done) => setTimeout(done));
    return document.querySelector("[role=status]").textContent;
}"""


def figure() -> Any:
    fig, _ = style.figure(3, 2)
    panel = live(fig, lambda **values: str(values), depth=Slider(1, 90, value=5), exact=Switch())
    (row,) = [child for child in panel.children[0].children if hasattr(child, "children")]
    return panel, row.children


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "work/01_scalar_chain_new.ipynb")
    monkeypatch.setattr("course.live.cells._parent", lambda: {"metadata": {"cellId": CELL}})


def test_a_figure_gives_a_link_to_its_state(
    notebook: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_SITE", "https://example.org/deep/")
    panel, (_, link) = figure()
    panel.controls["depth"].value = 50
    panel.controls["exact"].value = True
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(link, "send", sent.append)
    link._handle_custom_msg({"asked": True}, [])
    name = f"01_scalar_chain-{CELL}"
    page = "https://example.org/deep/01_scalar_chain.html"
    assert sent == [{"address": f"{page}#{name}.depth=50&{name}.exact=true"}]


def test_without_pages_there_is_no_such_button(
    notebook: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COURSE_SITE", raising=False)
    assert len(figure()[1]) == 1  # Reset


@pytest.mark.parametrize("allowed", [True, False])
def test_the_button_copies_or_shows_the_link(browser: Browser, allowed: bool) -> None:
    page = browser.new_page()
    copy = "async (text) => { globalThis.copied = text; }" if allowed else "() => { throw 0; }"
    page.evaluate(
        f"Object.defineProperty(navigator, 'clipboard', {{ value: {{ writeText: {copy} }} }})"
    )
    code = (ROOT / "course" / "live" / "link.js").read_text(encoding="utf-8")
    said = page.evaluate(CLICK, [code, "https://example.org/#a.depth=5"])
    assert said == (" Copied." if allowed else " https://example.org/#a.depth=5")
    assert not allowed or page.evaluate("copied") == "https://example.org/#a.depth=5"
    page.close()
