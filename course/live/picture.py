"""A picture in the page: PNG bytes, alternative text, a caption read aloud, and no flicker.

`ipywidgets.Image` has no alternative text and its sliders have no accessible name; this widget
mends both. The script in the page decodes a new picture before it takes the old one's place, and
keeps the room for it, so that the page never jumps. Caption, badge, the row of layers and
alternative text change in the same instant as the picture. It also names every slider and field of
the panel it stands in (the nearest ancestor with the CSS class ``course-live``) after its
description, fills sliders' tracks, and says how wide the page and how dense the screen is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course.live.caption import Caption, cells


class Picture(anywidget.AnyWidget):
    """PNG bytes with words.

    png: the encoded picture, `width` x `height` CSS pixels on the page.
    alt: what a screen reader says in its place. caption: shown below, announced politely; its first
    line is always seen, the others unfold. badge, rows: see `Caption`.
    failure: shown in place of the caption, as an alert, while it is not empty.
    room, ratio: the page's width in pixels, 0 while unknown, and its pixel ratio; set by the page.
    """

    _esm = Path(__file__).with_name("picture.js")
    _css = Path(__file__).with_name("picture.css")

    png = traitlets.Bytes(b"").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    badge = traitlets.Unicode("").tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    failure = traitlets.Unicode("").tag(sync=True)
    room = traitlets.Int(0).tag(sync=True)
    ratio = traitlets.Float(1.0).tag(sync=True)

    def show(self, png: bytes, size: tuple[int, int], words: Caption | str) -> None:
        """Replace picture, size, caption, badge, row and alternative text in one message."""
        caption = words if isinstance(words, Caption) else Caption(words)
        with self.hold_sync():
            self.png, self.alt, self.caption, self.failure = png, caption.text, caption.text, ""
            self.badge, self.rows = caption.badge, cells(caption.rows)
            self.width, self.height = size


def output(widget: ipywidgets.Widget, instead: dict[str, Any]) -> dict[str, Any]:
    """A widget as the output of a cell; `instead` stands in, by type, where there is no kernel."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {**instead, "application/vnd.jupyter.widget-view+json": view}
