"""Feedback pages that are safe to open: what students wrote and printed, without anything active."""

from __future__ import annotations

from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import clean_html


class SafePages(HTMLExporter):
    """nbconvert's pages with all Markdown cleaned: nbgrader's template shows it as it comes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sanitize_html = True  # outputs, which the template leaves to nbconvert

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """HTML from Markdown without scripts, handlers, frames and active links."""
        return str(clean_html(super().markdown2html(context, source)))
