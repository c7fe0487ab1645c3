"""JupyterLab in headless Chromium: `open_notebook` opens a notebook and gives its page object.

Without Chromium the tests are skipped, and say so; with COURSE_REQUIRE_BROWSER=1 they fail. Each
pytest worker has one server, and one page that is closed before other tests.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat
import pytest

from course_tests.browser.page import NotebookPage, in_chromium
from course_tests.browser.server import Server, find_chromium, lab
from course_tests.shared import Shared

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


LAB = Shared(in_chromium)
"""JupyterLab in a page of Chromium: one for all tests, for it takes longer to load than most.

Closing it leaves its kernels.
"""
KERNELS: list[str] = []
"""The id of a kernel for the next notebook, "" or none where it needs a new one."""


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    # As long as playwright is open, an event loop runs in this thread: other tests start their own.
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        LAB.close()


@pytest.fixture
def no_lab() -> None:
    """For what opens Chromium by itself: the page of other tests is closed."""
    LAB.close()


@pytest.fixture
def open_notebook(
    server: Server, chromium: str, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """open_notebook("01_scalar_chain.ipynb") or open_notebook(["code of a cell", ...]).

    The file is a copy, and has no other cells than those of code that contain one of the words
    `only`, if these are given. Predictions are forgotten. Kernels are handed on, without names and
    widgets but with the modules that are loaded: the import of torch takes as long as a test.
    """
    opened: list[NotebookPage] = []
    failed = request.session.testsfailed

    def open_one(what: str | list[str], only: Sequence[str] = ()) -> NotebookPage:
        server.records.unlink(missing_ok=True)
        if isinstance(what, str):
            notebook = nbformat.read(NOTEBOOKS / what, as_version=4)
        else:
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(code) for code in what],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            )
        if only:
            code = [cell for cell in notebook.cells if cell.cell_type == "code"]
            notebook.cells = [c for c in code if any(word in c.source for word in only)]
        path = f"{uuid.uuid4().hex[:8]}.ipynb"
        nbformat.write(notebook, server.folder / path)
        kernel = KERNELS.pop() if KERNELS else ""
        opened.append(NotebookPage(LAB(server, chromium), path, kernel))
        return opened[-1]

    yield open_one
    for page in opened:
        KERNELS[:] = [page.close(keep=request.session.testsfailed == failed)]
