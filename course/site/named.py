"""What the tools leave to be mended for accessibility, in each page.

Buttons are called by what stands on them (WCAG 2.5.3), where a tool gives them another name; a
table, which may scroll on a narrow page, can be scrolled by keys (2.1.1).

A Sphinx extension.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

OTHER_NAME = ' aria-label="Toggle hidden content"'  # of "Show the code", by myst-nb


TABLE = re.compile(r"<table(?! tabindex)")


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], document: object) -> None:
    """Mend the page's folded cells and its tables."""
    if "body" in context:
        body = context["body"].replace(OTHER_NAME, "")
        context["body"] = TABLE.sub('<table tabindex="0"', body)


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls to have `mend` called."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
