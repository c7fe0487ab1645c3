"""Which cell a live figure belongs to: one that runs again lets go of what it made before."""

from __future__ import annotations

import functools
import gc
import os
import sys
from typing import Any, Protocol

import ipywidgets

_claims: dict[str, tuple[str, list[Closable]]] = {}


class Closable(Protocol):
    """What `claim` keeps."""

    def close(self) -> None:
        """Let go of everything."""


def claim(made: Closable) -> None:
    """Close what the running cell made when it ran before, and keep `made` until it runs again."""
    cell = running()
    if not cell:
        return
    run = str(_parent().get("header", {}).get("msg_id", ""))
    before, others = _claims.get(cell, ("", []))
    if before != run:
        for other in others:
            other.close()
        others = []
    _claims[cell] = run, [*others, made]


def running() -> str:
    """The id of the running cell, "" where there is none."""
    return str(_parent().get("metadata", {}).get("cellId", ""))


def source() -> str:
    """The code of the running cell, "" where there is none."""
    return str(_parent().get("content", {}).get("code", ""))


def watched() -> bool:
    """Whether somebody may be looking: a notebook's kernel that doesn't run to be validated."""
    return bool(_parent()) and os.environ.get("COURSE_WAIT") != "1"


def _parent() -> dict[str, Any]:
    """The message that made the running cell run; empty outside of a kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return dict(getattr(shell, "get_parent", dict)() or {})


def discard(widget: ipywidgets.Widget, keep: frozenset[ipywidgets.Widget] = frozenset()) -> None:
    """Close a widget with all that belongs to it, except those in `keep`."""
    if widget in keep:
        return
    for child in getattr(widget, "children", ()):
        discard(child, keep)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, ipywidgets.Widget):
            part.close()
    widget.unobserve_all()
    widget.close()


@functools.cache
def calm() -> None:
    """Once: what the imports have made is no garbage; to look through it can take 0.4 s.

    Only the youngest is looked through: the first picture waits for this.
    """
    gc.collect(1)
    gc.freeze()
