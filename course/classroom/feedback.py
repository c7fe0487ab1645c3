"""Feedback pages that are safe to open: what students wrote and printed, nothing active."""

from __future__ import annotations

from typing import Any, ClassVar

import bleach
from jinja2 import BytecodeCache, pass_context
from jinja2.bccache import Bucket
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


class _Kept(BytecodeCache):
    """Compiled templates, kept in this process: each page has an exporter of its own."""

    compiled: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


class SafePages(HTMLExporter):
    """nbconvert's pages with all Markdown cleaned: nbgrader's template shows it as it comes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sanitize_html = True  # outputs, which the template leaves to nbconvert

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.bytecode_cache = _Kept()
        return environment

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """HTML from Markdown without scripts, handlers, frames and active links."""
        html = super().markdown2html(context, source)
        return bleach.clean(html, TAGS, ATTRIBUTES, PROTOCOLS, strip=True)
