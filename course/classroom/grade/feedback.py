"""Feedback pages that are safe to open: what students wrote and printed, nothing active."""

from __future__ import annotations

import copy
import re
from typing import Any, ClassVar

import bleach
from jinja2 import BytecodeCache, pass_context
from jinja2.bccache import Bucket
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em"),
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "span",
        "strong",
    ),
    *("sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
IMAGE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")


LINK = re.compile(r"(?:https?:|mailto:|#).*", re.IGNORECASE | re.DOTALL)


def _link(tag: str, name: str, value: str) -> bool:
    return name == "title" or bool(name == "href" and LINK.fullmatch(value))


def _image(tag: str, name: str, value: str) -> bool:
    """Pictures that are in the page itself: others would tell somebody who opens it, and when."""
    return name in ("alt", "width", "height") or bool(name == "src" and IMAGE.fullmatch(value))


ATTRIBUTES = {"*": ["class", "id", "align"], "a": _link, "img": _image}
PROTOCOLS = {"http", "https", "mailto", "data"}


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
        found = book.find_submission_notebook(
            about["notebook"], about["assignment"], about["student"]
        )
        open_ = [g for g in found.grades if g.manual_score is None and g.auto_score is None]
        return float(sum(one.max_score for one in open_))


class SafePages(HTMLExporter):
    """nbconvert's pages with all Markdown cleaned: nbgrader's template shows it as it comes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sanitize_html = True  # outputs, which the template leaves to nbconvert

    def from_notebook_node(self, nb: Any, resources: Any = None, **kwargs: Any) -> Any:
        """The page, with a word above it while points of answers in words are still to come."""
        waiting = _waiting((resources or {}).get("nbgrader", {}))
        if waiting:
            nb = copy.deepcopy(nb)
            nb.cells.insert(0, new_markdown_cell(NOT_FINAL.format(waiting)))
        page, resources = super().from_notebook_node(nb, resources, **kwargs)
        # nbgrader lists each of them as "Test cell": which is which?
        return re.sub(
            r'<a href="#([\w-]+)">Test cell</a>', r'<a href="#\1">\1</a>', page
        ), resources

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.bytecode_cache = _Kept()
        return environment

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """HTML from Markdown without scripts, handlers, frames and active links."""
        html = super().markdown2html(context, source)
        return bleach.clean(html, TAGS, ATTRIBUTES, PROTOCOLS, strip=True)
