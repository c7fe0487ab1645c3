"""What a saved notebook shows of a widget: a picture with its words, or a question.

JupyterLab writes "Error displaying widget: model not found" where a widget was, whatever else the
output holds. So a widget of ours, a column (`ipywidgets.VBox`), has two outputs: before it stands
plain HTML, with rules that show it, and hide that message, exactly where it does not come to life.
"""

from __future__ import annotations

import base64
import html
import sys
import uuid

import ipywidgets

from course.live.cells import watched

LONG_REST = 2.0  # seconds after the last change of a figure until a saved notebook shows it
AGAIN = "Run this cell to bring the sliders back."
HIDDEN = "display:none"
RULES = """
.jp-OutputArea-child:has(.course-stored):not(:has(+ .jp-OutputArea-child .widget-vbox))
  .course-stored { display: block !important; }
.jp-OutputArea-child:has(.course-stored) + .jp-OutputArea-child:not(:has(.widget-vbox))
  { display: none; }
.jp-OutputArea-child:has(.course-stored):has(+ .jp-OutputArea-child .widget-vbox)
  { display: none; }
.course-stored img { max-width: 100%; }
body[data-jp-theme-light="false"] .course-stored img
  { filter: invert(0.9333) hue-rotate(180deg); }
.course-stored p { margin: 4px 6px; max-width: 920px; white-space: pre-line; }
"""


def picture(png: bytes, text: str, width: int) -> str:
    """HTML of a picture, `width` pixels of the page wide, and its words."""
    source = base64.b64encode(png).decode()
    words = html.escape(text, quote=True)
    return f'<img width="{width}" alt="{words}" src="data:image/png;base64,{source}"><p>{words}</p>'


def stored(content: str, again: str = AGAIN) -> str:
    """HTML that is seen where the widget is not alive; again: how that comes to life."""
    return (
        f'<div class="course-stored" style="{HIDDEN}"><style>{RULES}</style>'
        f"{content}<p><em>{again}</em></p></div>"
    )


def publish(widget: ipywidgets.Widget, content: str, again: str = AGAIN, name: str = "") -> None:
    """Show a widget in the running cell, and `content`, HTML, where it is not alive.

    again: how it comes to life. name: by which `Kept` finds the content. Raises
    NotImplementedError where nobody watches: then a widget is an output like any other.
    """
    if not watched():
        raise NotImplementedError
    from IPython import display  # there is a kernel, so it is there

    display.publish_display_data(
        {"text/html": stored(content, again), "text/plain": ""}, transient=_transient(name)
    )
    bundle = widget._repr_mimebundle_()  # type: ignore[no-untyped-call]
    display.publish_display_data(bundle)


def _renew(content: str, name: str) -> None:
    """Replace the content called `name`: a run that has ended is seen as it ended."""
    if "IPython" in sys.modules:
        from IPython import display

        display.publish_display_data(
            {"text/html": stored(content), "text/plain": ""},
            transient=_transient(name), update=True,
        )  # fmt: skip


class Kept:
    """What a saved notebook shows of a widget whose content changes."""

    def __init__(self) -> None:
        self._name = uuid.uuid4().hex
        self._shown: int | None = None  # the hash of what was published last

    def publish(self, widget: ipywidgets.Widget, content: str) -> None:
        """`publish`; from then on the content can be renewed, also from a thread."""
        self._shown = hash(content) if watched() else None
        publish(widget, content, name=self._name)

    def renew(self, content: str) -> None:
        """Have a saved notebook show this content, if it shows another."""
        if self._shown not in (None, hash(content)):
            self._shown = hash(content)
            _renew(content, self._name)


def _transient(name: str) -> dict[str, str]:
    return {"display_id": name} if name else {}
