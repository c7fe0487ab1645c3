"""Buttons called by what stands on them (WCAG 2.5.3), where a tool gives them another name.

A Sphinx extension.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

OTHER_NAME = ' aria-label="Toggle hidden content"'  # of "Show the code", by myst-nb


def take_off(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: object
) -> None:
    """Take the other name off a page's folded cells."""
    if "body" in context:
        context["body"] = context["body"].replace(OTHER_NAME, "")


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls to be told of `take_off`."""
    app.connect("html-page-context", take_off)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
