"""A picture in the page: PNG bytes, alternative text, a caption read aloud, and no flicker.

`ipywidgets.Image` has no alternative text and its sliders have no accessible name; this widget
mends both. The script in the page decodes a new picture before it takes the old one's place, and
keeps the room for it, so that the page never jumps. Caption and alternative text change in the same
instant as the picture. It also names every slider and field of the panel it stands in (the nearest
ancestor with the CSS class ``course-live``) after its description, again whenever they change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets


class Picture(anywidget.AnyWidget):
    """PNG bytes with words.

    png: the encoded picture, `width` x `height` CSS pixels on the page.
    alt: what a screen reader says in its place. caption: shown below, announced politely.
    failure: shown in place of the caption, as an alert, while it is not empty.
    """

    _esm = Path(__file__).with_name("picture.js")
    _css = Path(__file__).with_name("picture.css")

    png = traitlets.Bytes(b"").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    failure = traitlets.Unicode("").tag(sync=True)

    def show(self, png: bytes, size: tuple[int, int], text: str) -> None:
        """Replace picture, size, caption and alternative text in one message."""
        with self.hold_sync():
            self.png, self.alt, self.caption, self.failure = png, text, text, ""
            self.width, self.height = size


def output(widget: ipywidgets.Widget, instead: dict[str, Any]) -> dict[str, Any]:
    """A widget as the output of a cell; `instead` stands in, by type, where there is no kernel."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {**instead, "application/vnd.jupyter.widget-view+json": view}
