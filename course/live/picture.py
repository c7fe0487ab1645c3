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
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from course.live import stored
from course.live.canvas import Canvas
from course.live.caption import Caption, cells
from course.live.controls import reachable
from course.live.modules import bundle
from course.plots.arrange import NARROW


class Picture(anywidget.AnyWidget):
    """PNG bytes of what is on `canvas`, with words.

    png: the encoded picture, `width` x `height` CSS pixels on a page that is `fits` pixels wide.
    alt: what a screen reader says in its place. caption: shown below, announced politely; line
    `seen` is always seen, the others unfold. badge, rows: see `Caption`.
    failure: shown in place of the caption, as an alert, while it is not empty.
    room, ratio: the page's width in pixels, 0 while unknown, and its pixel ratio; set by the page.
    needs: the width and height of the figure where there is room, its height in a column, and the
    width below which it is one: the page keeps that room until the picture for it has come.
    """

    _esm = bundle(Path(__file__).with_name("picture.js"))
    _css = Path(__file__).with_name("picture.css")
    _page: ClassVar[dict[str, Any]] = {}  # as it was said last: the next picture is drawn for it

    png = traitlets.Bytes(b"").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)
    fits = traitlets.Int(0).tag(sync=True)
    needs: Any = traitlets.List().tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    badge = traitlets.Unicode("").tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    seen = traitlets.Int(0).tag(sync=True)
    failure = traitlets.Unicode("").tag(sync=True)
    room = traitlets.Int(0).tag(sync=True)
    ratio = traitlets.Float(1.0).tag(sync=True)

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(needs=[*canvas.needs, NARROW], **self._page)
        self.canvas = canvas
        self.fit()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """What the page says."""
        super().set_state(sync_data)
        Picture._page = {"room": self.room, "ratio": self.ratio}

    @property
    def page(self) -> str:
        """HTML of the picture and its words, for `stored.publish`."""
        return stored.picture(self.png, self.caption, self.width)

    def fit(self) -> bool:
        """Arrange the figure for the page; whether it has to be drawn anew."""
        changed = self.canvas.fit(self.room, self.ratio)
        if not changed:
            self.fits = self.room
            reachable(self)
        return changed

    def show(self, words: Caption | str) -> None:
        """Replace picture, size, caption, badge, row and alternative text in one message."""
        caption = words if isinstance(words, Caption) else Caption(words)
        png = self.canvas.render()
        with self.hold_sync():
            self.png, self.alt, self.caption, self.failure = png, caption.text, caption.text, ""
            self.badge, self.rows, self.seen = caption.badge, cells(caption.rows), caption.seen
            self.width, self.height = self.canvas.size
            self.fits = self.canvas.room
        reachable(self)  # what was written last decides where the page's answer arrives


def output(widget: ipywidgets.Widget, instead: dict[str, Any]) -> dict[str, Any]:
    """A widget as the output of a cell; `instead` stands in, by type, where there is no kernel."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {**instead, "application/vnd.jupyter.widget-view+json": view}
