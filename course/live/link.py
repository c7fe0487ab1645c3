"""From a live figure to the same state on a page: an address that can be a question to a class.

    https://example.org/course/01_scalar_chain.html#01_scalar_chain-3fb0c2a1d5e7.depth=50

Where the pages are is said in one place, the environment variable ``COURSE_SITE``: the address of
the folder that `course site` wrote, or "." for pages beside each other. Without it a figure has no
such button. A part of the link names the figure, by its notebook and its cell, and a control; it
has the form that `course/site/playground/links.js` reads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import anywidget

from course.live.cells import running


def figure_name() -> str:
    """The name of the running cell's figure on a page, "01_scalar_chain-3fb0c2a1d5e7", or "".

    It is "" where no pages are known, or where it is not known which notebook runs (Jupyter says so
    in the environment variable JPY_SESSION_NAME).
    """
    notebook = PurePath(os.environ.get("JPY_SESSION_NAME", "")).stem.removesuffix("_new")
    cell = running()
    known = os.environ.get("COURSE_SITE") and notebook and cell
    return f"{notebook}-{cell}" if known else ""


def address(name: str, values: Mapping[str, Any], lesson: str = "") -> str:
    """The address of the figure `name` with these values of its controls.

    lesson: what an explorer that is drawn in the page is called there, in place of `name`.
    """
    page = f"{os.environ.get('COURSE_SITE', '.').rstrip('/')}/{name.rpartition('-')[0]}.html"
    figure = quote(lesson or name)
    parts = (f"{figure}.{quote(key)}={quote(_text(value))}" for key, value in values.items())
    return f"{page}#{'&'.join(parts)}"


def _text(value: Any) -> str:
    """A value as the page writes it: true, 50, relu."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Link(anywidget.AnyWidget):
    """A button that copies `address(name, values(), lesson)`."""

    _esm = Path(__file__).with_name("link.js")

    def __init__(
        self, name: str, values: Callable[[], Mapping[str, Any]], lesson: str = ""
    ) -> None:
        super().__init__()
        self.on_msg(lambda *_: self.send({"address": address(name, values(), lesson)}))
