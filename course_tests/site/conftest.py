"""The site, built once a worker, and the playground, in headless Chromium.

Without Chromium the tests are skipped, and say so; with COURSE_REQUIRE_BROWSER=1 they fail.
"""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from course.site import build, playground_page
from course_tests.browser.conftest import chromium  # noqa: F401  a fixture
from course_tests.browser.server import FLAGS
from course_tests.repository import ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All but the tests that read the built files."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.path.name != "test_site.py":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:  # noqa: F811
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """(address, folder) of a server of the page, page.html, and of the modules beside it."""
    folder = tmp_path_factory.mktemp("site")
    for part in (ROOT / "course" / "site" / "playground").iterdir():
        (folder / part.name).write_bytes(part.read_bytes())
    lessons = {"initialization": "05.html", "degeneracy": "06.html"}
    (folder / "page.html").write_text(playground_page(lessons), encoding="utf-8")
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built from the stored notebooks."""
    return build(tmp_path_factory.mktemp("built") / "site", ROOT / "notebooks").parent
