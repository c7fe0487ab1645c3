"""From a figure in the notebook to the same state on a page, and back into its address."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from course.lessons.scalar_chain import explorer as scalar_chain
from course.live import Slider, Switch, live
from course.plots import style
from course.site import exact, moving
from course.site.building import write_links
from course_tests.repository import ROOT
from course_tests.site.test_exact import written
from course_tests.site.test_site_in_a_browser import tab
from course_tests.site.tiny import TINY, states

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


def test_an_explorer_of_the_page_is_named_by_its_lesson(
    notebook: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_SITE", ".")
    panel = scalar_chain.explore(depth=7)
    sent: list[dict[str, str]] = []
    link = panel.children[1]
    monkeypatch.setattr(link, "send", sent.append)
    link._handle_custom_msg({"asked": True}, [])
    (message,) = sent
    assert message["address"].startswith("./01_scalar_chain.html#scalar_chain.depth=7&")
    panel.close()


@pytest.fixture(scope="module")
def linked(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page with an explorer of each kind, recorded and computed."""
    folder = tmp_path_factory.mktemp("linked")
    exact.write(folder)
    moving.copy({TINY.name: tiny}, folder)
    moving.write_static(folder)
    write_links(folder)
    panel = scalar_chain.explore()
    page = Path(written(folder, [panel])[0].removeprefix("file://"))
    still = f"{moving.FOLDER}/{TINY.name}/{states(tiny)['']['wide']}"
    body = f'<img src="{html.escape(still)}" alt="still">{moving.figure(TINY.name, tiny)}'
    scripts = "".join(f'<script defer src="{name}.js"></script>' for name in ("recorded", "links"))
    text = page.read_text(encoding="utf-8")
    recorded = f'<div class="cell_output">{body}</div>{scripts}</main>'
    page.write_text(text.replace("</main>", recorded), encoding="utf-8")
    panel.close()
    return page.as_uri()


def test_a_link_sets_the_explorers_of_a_page_and_moves_with_them(
    browser: Browser, linked: str
) -> None:
    page, complaints = tab(browser)
    tiny = TINY.name
    page.goto(f"{linked}#scalar_chain.depth=7&scalar_chain.weight=-0.5&{tiny}.size=4")
    page.wait_for_function("courseExact.places[0].get().depth === 7")
    page.wait_for_function(f"recorded.figures.get('{tiny}').values.size === 4")
    assert page.evaluate("courseExact.places[0].get().weight") == -0.5
    root = page.locator(".course-exact-place")
    root.scroll_into_view_if_needed()
    root.get_by_label("depth L").press("End")
    page.wait_for_function("location.hash.includes('scalar_chain.depth=100')")
    assert "scalar_chain.weight=-0.5" in page.url and f"{tiny}.size=4" in page.url
    assert page.locator(".link-note").count() == 0 and complaints == []
    page.close()


def test_a_link_with_nonsense_says_so_and_breaks_nothing(browser: Browser, linked: str) -> None:
    page, complaints = tab(browser)
    page.goto(f"{linked}#scalar_chain.depth=many&scalar_chain.colour=3&nobody.depth=3&%=%")
    page.wait_for_function("document.querySelectorAll('.link-note').length > 0")
    said = page.locator(".link-note").all_inner_texts()
    assert any("can be a number from 1 to 100" in text for text in said)
    assert any("scalar_chain.colour" in text for text in said)
    assert page.evaluate("courseExact.places[0].get().depth") == 50 and complaints == []
    page.close()
