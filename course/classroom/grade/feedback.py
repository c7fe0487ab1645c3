"""Feedback pages that are safe to open: what students wrote and printed, nothing active."""

from __future__ import annotations

import copy
import html
import re
from typing import Any, ClassVar

import bleach
from jinja2 import BytecodeCache, pass_context
from jinja2.bccache import Bucket
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import InvalidNotebook
from nbformat.v4 import new_markdown_cell, new_notebook

from course.classroom.gradebook import Gradebook

TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1"),
    *("h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "main", "ol", "p", "pre", "s", "span"),
    *("strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
IMAGE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")
LINK = re.compile(r"(?:https?:|mailto:|#).*", re.IGNORECASE | re.DOTALL)
SIZE = re.compile(r"\d{1,4}(?:px|%)?")
# A second wall, in the browser: nothing is fetched, framed, embedded or sent.
POLICY = (
    "img-src data:; connect-src 'none'; object-src 'none'; frame-src 'none'; worker-src 'none'; "
    "media-src 'none'; form-action 'none'; base-uri 'none'"
)


def _link(tag: str, name: str, value: str) -> bool:
    return name in ("class", "id", "title") or bool(name == "href" and LINK.fullmatch(value))


def _image(tag: str, name: str, value: str) -> bool:
    """Pictures that are in the page itself: others would tell somebody who opens it, and when."""
    if name in ("width", "height"):
        return bool(SIZE.fullmatch(value))
    return name in ("class", "alt") or bool(name == "src" and IMAGE.fullmatch(value))


ATTRIBUTES = {"*": ["class", "id", "align"], "a": _link, "img": _image}
PROTOCOLS = {"http", "https", "mailto", "data"}


def clean(body: str) -> str:
    """HTML with text, tables, pictures and links of `body`, and nothing that could run."""
    return bleach.clean(body, TAGS, ATTRIBUTES, PROTOCOLS, strip=True)


class _Kept(BytecodeCache):
    """Compiled templates, kept in this process: each page has an exporter of its own."""

    compiled: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


NOT_FINAL = "**Not the final score:** {:g} points are for answers in words, not marked yet."


def _waiting(about: dict[str, str]) -> float:
    """Points that nobody has given yet, hand or machine."""
    if not about:
        return 0.0
    with Gradebook(about["db_url"]) as book:
        graded = book.find_submission_notebook(
            about["notebook"], about["assignment"], about["student"]
        )
        open_ = [g for g in graded.grades if g.manual_score is None and g.auto_score is None]
        return float(sum(one.max_score for one in open_))


class SafePages(HTMLExporter):
    """nbgrader's pages, cleaned when they are finished: whatever a notebook brought, nothing runs.

    The head, with styles and the way to MathJax, is that of an empty notebook; the body is cleaned.
    """

    head: ClassVar[str] = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sanitize_html = True  # of two pictures of one output the harmless one is shown

    def from_notebook_node(self, nb: Any, resources: Any = None, **kwargs: Any) -> Any:
        """The page, with a word above it while points of answers in words are still to come."""
        about = (resources or {}).get("nbgrader", {})
        waiting = _waiting(about)
        if waiting:
            nb = copy.deepcopy(nb)
            nb.cells.insert(0, new_markdown_cell(NOT_FINAL.format(waiting)))
        if not SafePages.head:
            empty, _ = super().from_notebook_node(new_notebook(), copy.deepcopy(resources))
            SafePages.head = empty.partition("<body")[0]
        page, resources = super().from_notebook_node(nb, resources, **kwargs)
        body = clean(page.partition("<body")[2].partition(">")[2])
        # nbgrader lists each of them as "Test cell": which is which?
        body = re.sub(r'<a href="#([\w-]+)">Test cell</a>', r'<a href="#\1">\1</a>', body)
        policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        title = f"<title>{html.escape(about.get('notebook', ''))}</title>"
        head = re.sub(r"<title>.*?</title>", policy + title, SafePages.head, flags=re.DOTALL)
        return f"{head}<body>\n{body}\n</body>\n</html>\n", resources

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.bytecode_cache = _Kept()
        return environment

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """HTML from Markdown, also where it names a picture that is not in the notebook."""
        try:
            return super().markdown2html(context, source)
        except InvalidNotebook:
            return super().markdown2html(context, source.replace("attachment:", "missing:"))
