"""The built pages in a real browser, from the disk and from a server, with no network."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request

from course_tests import store
from course_tests.browser.page import HANGS
from course_tests.site.accessibility import violations

LESSONS = [path.stem for path in store.numbered()]
HEAVIEST = 1_500_000
"""Bytes of a page with all that it asks for before anyone touches it."""
OTHERS = ["index", "playground", "glossary", "decisions", "sources", "GUIDE", "TEACHING", "search"]


@pytest.fixture
def address(site: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the site is: "file:///..." or "http://127.0.0.1:..."."""
    if request.param == "file":
        yield site.as_uri()
        return
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def tab(browser: Browser, scheme: str = "light", width: int = 1200) -> tuple[Page, list[str]]:
    """A new page, and a list that gets its console's errors and the requests that fail.

    What the browser itself drops, since the next page was asked for, did not fail.
    """
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page.set_default_timeout(1000 * HANGS)
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            complaints.append(f"{request.url}: {request.failure}")

    page.on("requestfailed", failed)
    return page, complaints


def requests(page: Page) -> set[str]:
    """A set that gets the address of all that the page asks for."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    return asked


def weight(asked: set[str]) -> int:
    """Bytes of the files at these addresses."""
    paths = {urlsplit(url).path for url in asked if url.startswith("file:")}
    return sum(Path(unquote(path)).stat().st_size for path in paths)


@pytest.mark.parametrize("address", ["file", "http"], indirect=True)
def test_every_page_opens_without_a_complaint_or_a_request_outside(
    browser: Browser, address: str
) -> None:
    page, complaints = tab(browser, width=360)

    def outside(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            complaints.append(request.url)

    page.on("request", outside)
    asked = requests(page)
    for name in LESSONS + OTHERS if address.startswith("file") else ["index", LESSONS[1], "search"]:
        asked.clear()
        page.goto(f"{address}/{name}.html")
        assert page.title(), name
        if address.startswith("file"):
            assert weight(asked) <= HEAVIEST, name
        # Nothing makes a phone's page wider than the phone.
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    assert complaints == []
    page.close()


@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_a_word_is_found(browser: Browser, address: str) -> None:
    page, complaints = tab(browser)
    page.goto(f"{address}/search.html?q=Glorot")
    page.wait_for_selector("ul.search li a")
    found = page.eval_on_selector_all("ul.search li a", "links => links.map(a => a.href)")
    assert any("05_initialization" in link for link in found) and complaints == []
    page.close()


@pytest.mark.parametrize("address", ["file"], indirect=True)
@pytest.mark.parametrize(
    "names",
    [
        [*LESSONS[::7], *(name for name in OTHERS if name != "playground")],  # it has its own test
        pytest.param([n for n in LESSONS if n not in LESSONS[::7]], marks=pytest.mark.slow),
    ],
    ids=["some", "others"],
)
def test_no_page_breaks_a_rule_of_accessibility(
    browser: Browser, address: str, names: list[str]
) -> None:
    page, _ = tab(browser)
    looks: dict[str, list[str]] = {}
    for name in names:
        page.goto(f"{address}/{name}.html")
        assert violations(page, looks) == [], name
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.close()


def test_what_breaks_a_rule_is_said(browser: Browser) -> None:
    """Pale code between good code, a pale part of a formula, a picture without words, a field."""
    page, _ = tab(browser)
    page.set_content("""<!doctype html><html lang="en"><title>t</title><style>
        @media (prefers-color-scheme: dark) { body { background: black; color: #222; } }
        </style><body><main><h1>Words</h1><pre><span>good</span>
        <span style="color: #ddd">pale</span></pre>
        <math><mi>x</mi><mi style="color: #eee">size</mi></math>
        <img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><input></main>""")
    lines = violations(page)
    light = next(line for line in lines if line.startswith("light: color-contrast"))
    assert "pale" in light and ">size<" in light and "good" not in light
    assert any(line.startswith("dark: color-contrast") and "Words" in line for line in lines)
    assert {"image-alt", "label"} <= {line.partition(":")[0] for line in lines}
    page.close()


@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_a_folded_cell_opens_by_the_keyboard(browser: Browser, address: str) -> None:
    page, _ = tab(browser)
    page.goto(f"{address}/01_scalar_chain.html")
    fold = page.locator("details.hide.above-input").first
    assert fold.get_attribute("open") is None
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.get_attribute("open") is not None
    page.close()
