"""The site, built once in a run, and the playground, in headless Chromium.

Without Chromium the tests are skipped, and say so; with COURSE_REQUIRE_BROWSER=1 they fail.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from course.site import build, moving, playground_page
from course.site.moving import recorder
from course_tests.browser.conftest import chromium  # noqa: F401  a fixture
from course_tests.browser.server import FLAGS
from course_tests.once import once
from course_tests.repository import ROOT
from course_tests.shared import Shared
from course_tests.site.tiny import TINY

PAGES = {"initialization": "05.html", "degeneracy": "06.html"}
"""Of lessons, as `served` links them."""
WITHOUT = ("test_site.py", "test_recording.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All but the tests that read what was written."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.path.name not in WITHOUT:
            item.add_marker(pytest.mark.browser)


@contextlib.contextmanager
def started(path: str) -> Iterator[Browser]:
    """Chromium from this path."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


CHROMIUM = Shared(started)
"""One for all files here: it takes longer to start than most tests."""


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    # As long as playwright is open, an event loop runs in this thread: other tests start their own.
    here = Path(__file__).parent
    if nextitem is None or nextitem.path.parent != here or nextitem.path.name in WITHOUT:
        CHROMIUM.close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Browser:  # noqa: F811
    return CHROMIUM(chromium)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """(address, folder) of a server of the page, page.html, and of the modules beside it."""
    root = tmp_path_factory.mktemp("served")
    for part in ("site/playground", "live/js"):
        shutil.copytree(ROOT / "course" / part, root / part)
    folder = root / "site" / "playground"
    (folder / "page.html").write_text(playground_page(PAGES), encoding="utf-8")
    handler = functools.partial(Quiet, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/site/playground", folder
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built from the stored notebooks; the explorer of 00 moves."""

    def built(folder: Path) -> None:
        (explorer,) = moving.explorers(ROOT / "notebooks" / "00_start_here.ipynb")
        recorded = moving.record(explorer, tmp_path_factory.mktemp("recorded") / "00", most=5)
        build(folder, ROOT / "notebooks", lambda: {explorer.name: recorded})

    return once(tmp_path_factory, "site", built)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The recording of a small explorer, whose size and law move together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recorder.PAIRS, TINY.notebook, (("size", "law"),))  # type: ignore[arg-type]
        yield once(tmp_path_factory, "tiny", lambda folder: moving.record(TINY, folder))


@pytest.fixture(scope="module")
def modules(browser: Browser, served: tuple[str, Path]) -> Iterator[Page]:
    """A page from which the modules are imported, as they stand in the folder."""
    page = browser.new_page()
    page.goto(served[0] + "/style.css")
    yield page
    page.close()
