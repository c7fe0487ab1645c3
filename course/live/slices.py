"""Training inside a live figure, a slice of time at each drawing: sliders stay quick meanwhile."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable

SLICE = 0.06
"""Seconds of training between two drawings."""
PAUSE = 0.002


def seconds() -> float:
    """How long to train before this drawing: a slice, or to the end where nobody watches."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return math.inf
    return math.inf if os.environ.get("COURSE_WAIT") == "1" else SLICE


def go_on(again: Callable[[], None]) -> None:
    """Call `again` soon: ``go_on(lambda: panel.again())`` in a `draw` that is not at its end.

    A lambda, for in its first drawing a panel has no name yet.
    """
    asyncio.get_running_loop().call_later(PAUSE, again)
