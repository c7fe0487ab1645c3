"""A figure drawn once, and again only where it changed: PNG bytes by matplotlib without pyplot."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class Canvas:
    """Draws `fig` in three sheets: what lies below the moving artists, these, what lies above.

    An artist inside the axes counts as moving from its first change on. The sheets below (frame,
    ticks, grid, bands) and above (legend, notes) are kept; texts are what costs most. Matplotlib
    marks what has changed as stale: where that is more than moving artists (limits, ticks, a new
    artist, the size), all is drawn anew.

    full_draws: how often all was drawn.
    """

    # One drawing at a time, whichever thread asks: matplotlib has one parser of formulas.
    _turn = threading.RLock()

    def __init__(self, fig: Figure) -> None:
        if "matplotlib.pyplot" in sys.modules:  # else the inline backend shows it a second time
            sys.modules["matplotlib.pyplot"].close(fig)
        self.figure = fig
        self.full_draws = 0
        self._canvas = FigureCanvasAgg(fig)
        self._below: Any = None
        self._moving: set[Artist] = set()
        self._middle: list[Artist] = []
        self._above: list[Artist] = []
        self._sheet: tuple[Image.Image, tuple[int, int]] | None = None
        self._layout: Any = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._canvas.get_width_height()

    def render(self) -> bytes:
        """The figure as PNG bytes."""
        with self._turn:
            return self._render()

    def _render(self) -> bytes:
        for ax in self.figure.axes:
            ax.viewLim  # noqa: B018  carries out an autoscaling that was asked for
        if self._below is None or self.figure.stale or any(artist.stale for artist in self._above):
            self._draw_all()
        else:
            self._canvas.restore_region(self._below)
        renderer = self._canvas.get_renderer()
        for artist in self._middle:
            artist.draw(renderer)
        self.figure.stale = False  # a legend that is drawn moves its parts, and says so
        return self._png()

    def _draw_all(self) -> None:
        groups = [list(group) for group in self._groups()]
        if self._below is not None:
            self._moving = {a for group in groups for a in group if a.stale or a in self._moving}
        self._middle, self._above = [], []
        for group in groups:
            places = [k for k, artist in enumerate(group) if artist in self._moving]
            first, last = (places[0], places[-1]) if places else (len(group), len(group))
            self._middle += group[first : last + 1]
            self._above += group[last + 1 :]
            for k, artist in enumerate(group):
                artist.set_animated(k >= first)
        self._draw_below()
        self._below = self._canvas.copy_from_bbox(self.figure.bbox)
        self._draw_above()
        for group in groups:
            for artist in group:
                artist.stale = False  # invisible ones are left stale by drawing
        self.full_draws += 1

    def _groups(self) -> Iterator[list[Artist]]:
        """What is inside each of the axes, and beside them, in the order in which it is drawn."""
        for ax in sorted(self.figure.axes, key=lambda ax: ax.get_zorder()):
            if ax.get_visible():
                frame = {ax.patch, *ax.spines.values(), ax.xaxis, ax.yaxis}
                inside = [artist for artist in ax.get_children() if artist not in frame]
                yield sorted(inside, key=lambda artist: artist.get_zorder())
        yield [*self.figure.texts, *self.figure.legends]

    def _draw_below(self) -> None:
        """Without arranging the axes anew, unless labels have grown or shrunk: it takes a third of
        the time, and axes that tremble while one drags are hard to read."""
        engine = self.figure.get_layout_engine()
        if engine is None or self._layout is None:
            self._canvas.draw()
        else:
            self.figure.set_layout_engine("none")
            self._canvas.draw()
            self.figure.set_layout_engine(engine)
            if self._layout != self._extents():
                self._canvas.draw()
        self._layout = self._extents()

    def _extents(self) -> tuple[Any, ...]:
        """What the room around the axes depends on; reads the labels that were drawn last."""
        found: list[Any] = [self.size, *(text.get_text() for text in self.figure.texts)]
        for ax in self.figure.axes:
            if not ax.get_visible():
                continue
            found += [ax.get_title().count("\n"), bool(ax.get_title()), ax.get_subplotspec()]
            for axis in (ax.xaxis, ax.yaxis):
                ticks = [len(tick.label1.get_text()) for tick in axis.majorTicks]
                found += [axis.get_label_text(), max(ticks, default=0)]
        return tuple(found)

    def _draw_above(self) -> None:
        self._sheet = None
        if not self._above:
            return
        renderer = self._canvas.get_renderer()
        renderer.clear()
        for artist in self._above:
            artist.draw(renderer)
        sheet = self._pixels()
        box = sheet.getchannel("A").getbbox()
        if box is not None:
            self._sheet = sheet.crop(box), box[:2]
        self._canvas.restore_region(self._below)

    def _pixels(self) -> Image.Image:
        return Image.frombuffer("RGBA", self.size, self._canvas.buffer_rgba())

    def _png(self) -> bytes:
        picture = self._pixels()
        if self._sheet is not None:
            picture.alpha_composite(*self._sheet)
        stream = BytesIO()
        picture.convert("RGB").save(stream, "PNG", compress_level=1)
        return stream.getvalue()
