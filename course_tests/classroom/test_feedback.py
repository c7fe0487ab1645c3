"""Feedback pages opened in a browser: nothing runs that a notebook brought, wherever it hid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.classroom.grade.feedback import SafePages
from course_tests.browser import server

RUN = "document.title='ran'"
ATTACKS = [
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f"<svg onload={RUN}><script>{RUN}</script><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f'1" onerror="{RUN}',
    f"1 onerror={RUN}",
    f'"><img src=x onerror="{RUN}"><a title="',
    f"</title></style></pre></textarea><script>{RUN}</script>",
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f'<iframe src="javascript:parent.{RUN}"></iframe>',
    f'<object data="javascript:{RUN}"></object><embed src="javascript:{RUN}">',
    f'<body onload="{RUN}"><input autofocus onfocus="{RUN}">',
    f'<details open ontoggle="{RUN}">x</details>',
    f'<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror={RUN}>">',
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f'<meta http-equiv=refresh content="0;url=javascript:{RUN}"><link rel=stylesheet href=data:,x>',
    '<base href="https://spy.example/"><style>@import "https://spy.example/x.css";</style>',
    f'<a href="javascript:{RUN}" class="bait">x</a>',
    f'<a href="&#106;avascript:{RUN}" class="bait">x</a>',
    f"[x](javascript:{RUN})",
    f'![x](x){{onerror="{RUN}"}} ![x](x "a" onerror="{RUN}")',
    f"`<script>{RUN}</script>` and <!--><script>{RUN}</script>-->",
]
MIMES = [
    "text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml",
    "application/javascript", "application/json",
    "application/vnd.mermaid", "text/vnd.mermaid", "application/pdf",
]  # fmt: skip
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)


def infested(attack: str) -> Any:
    """A notebook with `attack` in each place that could find its way into a page.

    But for ids of cells: nbformat refuses those that are none.
    """
    outputs = [new_output("display_data", data={kind: attack}) for kind in MIMES]
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": attack}}
    outputs += [new_output("display_data", data=widget)]
    for size in ("width", "height", "alt", "needs_background", "unconfined"):
        for kind in ("image/png", "image/jpeg", "image/svg+xml"):
            picture = {"data": {kind: DOT}, "metadata": {kind: {size: attack}, size: attack}}
            outputs.append(new_output("display_data", **picture))
    outputs += [new_output("display_data", data={"image/png": attack, attack: attack})]
    outputs += [new_output("stream", name="stdout", text=attack)]
    outputs += [new_output("error", ename=attack, evalue=attack, traceback=[attack])]
    code = new_code_cell(
        attack, outputs=outputs, metadata={"tags": [attack.replace(",", ";")], "id": attack}
    )
    words = new_markdown_cell(attack + f"\n\n![p](attachment:{attack}) ![q](attachment:q.png)")
    words["attachments"] = {attack: {"image/png": DOT}, "q.png": {"image/png": attack, attack: DOT}}
    raw = nbformat.v4.new_raw_cell(attack, metadata={"format": "text/html", "raw_mimetype": attack})
    cells = [code, words, raw, new_markdown_cell(f"# {attack}"), new_markdown_cell(f"$${attack}$$")]
    for cell in cells:
        cell.metadata["nbgrader"] = {"grade_id": attack, "grade": True, "solution": True}
        cell.metadata["nbgrader"] |= {"points": 1, "locked": attack, "schema_version": 3}
    notebook = new_notebook(cells=cells)
    notebook.metadata = nbformat.from_dict(
        {
            "title": attack,
            "authors": [{"name": attack}],
            "kernelspec": {"name": attack, "display_name": attack, "language": attack},
            "language_info": {"name": attack, "pygments_lexer": attack, "mimetype": attack},
            "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {attack: attack}}},
        }
    )
    return notebook


def exported(notebook: Any) -> str:
    """The feedback page of a notebook that nobody has mended or graded."""
    page, _ = SafePages().from_notebook_node(notebook)
    return str(page)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = server.find_chromium()
    if chromium is None:
        if os.environ.get("COURSE_REQUIRE_BROWSER"):
            pytest.fail("no Chromium found, and COURSE_REQUIRE_BROWSER is set")
        pytest.skip("no Chromium found")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=server.FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def tab(browser: Any) -> tuple[Any, list[str]]:
    """A page for all attacks, since a new one starts a process; and what it asks others for."""
    page = browser.new_page()
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route(lambda url: not url.startswith("file:"), answer)
    return page, asked


@pytest.mark.browser
@pytest.mark.parametrize("number", range(len(ATTACKS)))
def test_nothing_runs_and_nobody_is_called(
    tab: tuple[Any, list[str]], tmp_path: Path, number: int
) -> None:
    """Opened, and its links clicked: the title stays, no request leaves but to MathJax.

    A link to another page is the reader's to follow; any other kind is clicked.
    """
    page_file = tmp_path / "page.html"
    page_file.write_text(exported(infested(ATTACKS[number])), encoding="utf-8")
    page, asked = tab
    asked.clear()
    page.goto(page_file.as_uri(), wait_until="load")
    for link in page.query_selector_all("a[href]:not([href^='#'])"):
        link.evaluate("link => /^(https?|mailto|file):$/.test(link.protocol) || link.click()")
    ran = page.evaluate("new Promise(done => setTimeout(() => done(document.title), 50))")
    active = page.evaluate(
        "[...document.body.querySelectorAll('*')].filter(e => [...e.attributes].some(a => "
        "/^on/i.test(a.name) || /javascript:/i.test(a.value) && !/^(class|id)$/.test(a.name)) || "
        "/^(script|iframe|object|embed|svg|math|style|link|meta|base|form)$/i.test(e.tagName))"
        ".map(e => e.outerHTML)"
    )
    assert ran == "" and active == []
    assert {url.split("/")[2] for url in asked if "//" in url} <= {"cdnjs.cloudflare.com"}


@pytest.mark.browser
def test_the_browser_would_see_it_run(browser: Any, tmp_path: Path) -> None:
    """The test above can fail: the same attack in a page that is not cleaned."""
    (tmp_path / "page.html").write_text(ATTACKS[0] + ATTACKS[1], encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.title() == "ran"
    page.close()


def test_what_a_student_wrote_and_drew_is_still_there() -> None:
    """Text, tables, code, pictures with their size, links; formulas as they were written."""
    picture = new_output(
        "display_data", data={"image/png": DOT}, metadata={"image/png": {"width": 30}}
    )
    cells = [
        new_code_cell("x < 3 and 'y'", outputs=[picture, new_output("stream", text="a & b < c")]),
        new_markdown_cell("**bold** $a < b$\n\n|h|\n|-|\n|t|\n\n[page](https://example.org)"),
    ]
    page = exported(new_notebook(cells=cells))
    for part in (
        f'src="data:image/png;base64,{DOT}"',
        'width="30"',
        "<strong>bold</strong>",
        "$a &lt; b$",
        "<td>t</td>",
        'href="https://example.org"',
        "a &amp; b &lt; c",
    ):
        assert part in page
