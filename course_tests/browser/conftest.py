"""JupyterLab in headless Chromium: `open_notebook` opens a notebook and gives its page object.

Without Chromium the tests are skipped, and say so; with COURSE_REQUIRE_BROWSER=1 they fail. Each
pytest worker has one server; each module its own Chromium, closed at its end, because playwright
keeps an event loop running in the thread as long as it is open.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, sync_playwright

from course_tests.browser.page import NotebookPage
from course_tests.browser.server import FLAGS, Server, find_chromium, lab

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
OpenNotebook = Callable[..., NotebookPage]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium or Chrome."""
    found = find_chromium()
    if found is None:
        reason = "no Chromium or Chrome on the PATH"
        if os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}, and COURSE_REQUIRE_BROWSER=1")
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def open_notebook(server: Server, browser: Browser) -> Iterator[OpenNotebook]:
    """open_notebook("01_scalar_chain.ipynb") or open_notebook(["code of a cell", ...]).

    The file is a copy; its folder holds copies of `with_files` too. Predictions are forgotten.
    """
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    opened: list[NotebookPage] = []

    def open_one(what: str | list[str], with_files: list[Path] | None = None) -> NotebookPage:
        server.records.unlink(missing_ok=True)
        folder = server.folder / uuid.uuid4().hex[:8]
        folder.mkdir()
        for file in with_files or []:
            shutil.copy(file, folder)
        if isinstance(what, str):
            name = what
            shutil.copy(NOTEBOOKS / what, folder)
        else:
            name = "test.ipynb"
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(code) for code in what],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            )
            nbformat.write(notebook, folder / name)
        url = f"{server.url}lab/workspaces/{folder.name}/tree/{folder.name}/{name}"
        opened.append(NotebookPage(context.new_page(), f"{url}?token={server.token}"))
        return opened[-1]

    yield open_one
    for page in opened:
        page.close()
    context.close()
