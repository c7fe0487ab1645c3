"""A hint where `draw` uses pyplot: its figures are others than the one on the page."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

HINT = (
    "draw has used plt, and with it another figure than the one on the page. Change the artists of "
    "your figure: line.set_ydata(y) for plt.plot(x, y), ax.set_title(...) for plt.title(...), "
    "ax.set_ylim(...) for plt.ylim(...), with fig, ax = plt.subplots() and line, = ax.plot(x, y) "
    "before live.live(fig, draw, ...)."
)


@contextlib.contextmanager
def no_pyplot() -> Iterator[None]:
    """Raise ValueError, with what to use, if a figure of pyplot is made or changed inside.

    A figure that was made is closed, or each move of a slider would leave one behind.
    """
    before = _figures()
    untouched = {number: not figure.stale for number, figure in before.items()}
    yield
    after = _figures()
    made = after.keys() - before.keys()
    for number in made:
        sys.modules["matplotlib.pyplot"].close(number)
    if made or any(untouched.get(number) and figure.stale for number, figure in after.items()):
        raise ValueError(HINT)


def _figures() -> dict[int, Any]:
    """Pyplot's open figures by their numbers."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    managers = helpers.Gcf.figs if helpers else {}
    return {number: manager.canvas.figure for number, manager in managers.items()}
