"""Feedback pages that are safe to open: what students wrote and printed, nothing active."""

from __future__ import annotations

from typing import Any

import bleach
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter

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
ATTRIBUTES = {
    "*": ["class", "id", "align"],
    "a": ["href", "title"],
    "img": ["src", "alt", "width", "height"],
}
PROTOCOLS = {"http", "https", "mailto"}


class SafePages(HTMLExporter):
    """nbconvert's pages with all Markdown cleaned: nbgrader's template shows it as it comes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sanitize_html = True  # outputs, which the template leaves to nbconvert

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """HTML from Markdown without scripts, handlers, frames and active links."""
        html = super().markdown2html(context, source)
        return bleach.clean(html, TAGS, ATTRIBUTES, PROTOCOLS, strip=True)
