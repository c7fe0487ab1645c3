"""The picture and its words in a saved notebook, seen when the live figure is gone.

JupyterLab writes "Error displaying widget: model not found" where a widget was, whatever else the
output holds. So a live figure has two outputs: before the widget stands the picture as plain HTML,
with rules that show it, and hide that message, exactly where the widget does not come to life.
"""

from __future__ import annotations

import base64
import html
import sys

import ipywidgets

from course.live.cells import watched

AGAIN = "Run this cell to bring the sliders back."
HIDDEN = "display:none"
RULES = """
.jp-OutputArea-child:has(.course-stored):not(:has(+ .jp-OutputArea-child .course-live))
  .course-stored { display: block !important; }
.jp-OutputArea-child:has(.course-stored) + .jp-OutputArea-child:not(:has(.course-live))
  { display: none; }
.jp-OutputArea-child:has(.course-stored):has(+ .jp-OutputArea-child .course-live)
  { display: none; }
.course-stored img { max-width: 100%; }
body[data-jp-theme-light="false"] .course-stored img
  { filter: invert(0.9333) hue-rotate(180deg); }
.course-stored p { margin: 4px 6px; max-width: 920px; white-space: pre-line; }
"""


def stored(png: bytes, text: str, width: int) -> str:
    """HTML of a picture, `width` pixels of the page wide, its words, and how it comes to life."""
    picture = base64.b64encode(png).decode()
    words = html.escape(text, quote=True)
    return (
        f'<div class="course-stored" style="{HIDDEN}"><style>{RULES}</style>'
        f'<img width="{width}" alt="{words}" src="data:image/png;base64,{picture}">'
        f"<p>{words}</p><p><em>{AGAIN}</em></p></div>"
    )


def publish(widget: ipywidgets.Widget, png: bytes, text: str, width: int, name: str = "") -> None:
    """Show a live figure in the running cell, with what is seen of it once it is gone.

    name: by which `renew` finds the stored picture. Raises NotImplementedError where nobody
    watches: then a widget is an output like any other.
    """
    if not watched():
        raise NotImplementedError
    from IPython import display  # there is a kernel, so it is there

    display.publish_display_data(
        {"text/html": stored(png, text, width), "text/plain": ""}, transient=_transient(name)
    )
    bundle = widget._repr_mimebundle_()  # type: ignore[no-untyped-call]
    display.publish_display_data(bundle)


def renew(png: bytes, text: str, width: int, name: str) -> None:
    """Replace the stored picture called `name`: a run that has ended is seen as it ended."""
    if "IPython" in sys.modules:
        from IPython import display

        display.publish_display_data(
            {"text/html": stored(png, text, width), "text/plain": ""},
            transient=_transient(name), update=True,
        )  # fmt: skip


def _transient(name: str) -> dict[str, str]:
    return {"display_id": name} if name else {}
