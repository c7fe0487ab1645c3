"""A figure drawn once, and again only where it changed: PNG bytes by matplotlib without pyplot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class Canvas:
    """Draws `fig` with a kept background.

    Whatever lies inside the axes (lines, texts, images, legends, titles) is marked animated; the
    rest (frame, ticks, grid, labels) is the background. Matplotlib calls a figure stale when
    anything that is not animated has changed: then, and only then, all of it is drawn.
    """

    def __init__(self, fig: Figure) -> None:
        if "matplotlib.pyplot" in sys.modules:  # else the inline backend shows it a second time
            sys.modules["matplotlib.pyplot"].close(fig)
        self.figure = fig
        self.full_draws = 0
        self._canvas = FigureCanvasAgg(fig)
        self._background: Any = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._canvas.get_width_height()

    def render(self) -> bytes:
        """The figure as PNG bytes."""
        for ax in self.figure.axes:
            ax.viewLim  # noqa: B018  carries out an autoscaling that was asked for
        if self._background is None or self.figure.stale:
            for artist in self._moving():
                artist.set_animated(True)
            self._canvas.draw()
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
            self.full_draws += 1
        else:
            self._canvas.restore_region(self._background)
        renderer = self._canvas.get_renderer()
        for artist in self._moving():
            artist.draw(renderer)
        return self._png()

    def _moving(self) -> Iterator[Artist]:
        """Every artist that is not background, in the order in which matplotlib draws."""
        for ax in sorted(self.figure.axes, key=lambda ax: ax.get_zorder()):
            yield from _inside(ax)
        yield from self.figure.texts
        yield from self.figure.legends

    def _png(self) -> bytes:
        stream = BytesIO()
        picture = Image.frombuffer("RGBA", self.size, self._canvas.buffer_rgba())
        picture.convert("RGB").save(stream, "PNG", compress_level=1)
        return stream.getvalue()


def _inside(ax: Axes) -> Iterator[Artist]:
    if not ax.get_visible():
        return
    frame = {ax.patch, *ax.spines.values(), *ax.child_axes, ax.xaxis, ax.yaxis}
    inside = [artist for artist in ax.get_children() if artist not in frame]
    yield from sorted(inside, key=lambda artist: artist.get_zorder())
    for child in ax.child_axes:
        if isinstance(child, Axes):  # always; its declared type is wider
            yield from _inside(child)
