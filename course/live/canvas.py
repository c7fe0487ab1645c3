"""A figure drawn once, and again only where it changed: PNG bytes by matplotlib without pyplot."""

from __future__ import annotations

import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.spines import Spine


class Canvas:
    """Draws `fig` in three layers: what lies below the moving artists, these, what lies above.

    An artist counts as moving from its first change on. The layers below (ticks, grid, bands) and
    above (frame, legend, notes) are kept: texts are what costs most. Matplotlib marks what has
    changed as stale: where that is more than moving artists (limits, ticks, a new artist, the
    size), all is drawn anew.

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
        self._still: list[Artist] = []
        self._above: list[_Sheet] = []
        self._layout: tuple[Any, ...] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._canvas.get_width_height()

    def render(self) -> bytes:
        """The figure as PNG bytes."""
        with self._turn:
            for ax in self.figure.axes:
                ax.viewLim  # noqa: B018  carries out an autoscaling that was asked for
            if (
                self._below is None
                or self.figure.stale
                or any(artist.stale for artist in self._still)
            ):
                self._draw_all()
            else:
                self._canvas.restore_region(self._below)
            self._draw(self._middle)
            self.figure.stale = False  # a legend that is drawn moves its parts, and says so
            return self._png()

    def _draw_all(self) -> None:
        groups = [list(group) for group in self._groups()]
        if self._below is not None:
            changed = {artist for group in groups for artist in group if artist.stale}
            self._moving = {a for a in self._moving | changed if not isinstance(a, Axis | Spine)}
        self._middle, above = [], []
        for group in groups:
            places = [k for k, artist in enumerate(group) if artist in self._moving]
            first, last = (places[0], places[-1]) if places else (len(group), len(group))
            self._middle += group[first : last + 1]
            above += group[last + 1 :]
            for k, artist in enumerate(group):
                # Such are left out, and don't make the figure stale.
                artist.set_animated(k >= first)
        self._still = above + [artist for artist in self._middle if artist not in self._moving]
        self._draw_below()
        self._below = self._canvas.copy_from_bbox(self.figure.bbox)
        self._above = [self._sheet(artist) for artist in above if artist.get_visible()]
        self._canvas.restore_region(self._below)
        for group in groups:
            for artist in group:
                artist.stale = False  # invisible ones are left stale by drawing
        self.full_draws += 1

    def _groups(self) -> Iterator[list[Artist]]:
        """What is inside each of the axes, and beside them, in the order in which it is drawn."""
        for ax in sorted(self.figure.axes, key=lambda ax: ax.get_zorder()):
            if ax.get_visible():
                hidden: set[Artist] = {ax.patch}
                if not ax.axison:
                    hidden |= {ax.xaxis, ax.yaxis}
                if not (ax.axison and ax.get_frame_on()):
                    hidden |= set(ax.spines.values())
                inside = [artist for artist in ax.get_children() if artist not in hidden]
                yield sorted(inside, key=lambda artist: artist.get_zorder())
        yield [*self.figure.texts, *self.figure.legends]

    def _draw_below(self) -> None:
        """Draw the lowest layer; arrange the axes anew only where labels have grown or shrunk.

        That takes a third of the time, and axes that tremble while one drags are hard to read.
        """
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
        """What the room around the axes depends on, as it was drawn last."""
        extents: list[Any] = [self.size, *(text.get_text() for text in self.figure.texts)]
        for ax in self.figure.axes:
            title = ax.get_title()
            extents += [ax.get_visible(), ax.axison, bool(title), title.count("\n")]
            for axis in (ax.xaxis, ax.yaxis):
                low, high = sorted(axis.get_view_interval())
                ticks = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
                longest = max((len(tick.label1.get_text()) for tick in ticks), default=0)
                extents += [axis.get_label_text(), longest]
        return tuple(extents)

    def _draw(self, artists: list[Artist]) -> None:
        renderer = self._canvas.get_renderer()
        for artist in artists:
            artist.draw(renderer)

    def _sheet(self, artist: Artist) -> _Sheet:
        self._canvas.get_renderer().clear()
        empty = self._pixels().view(np.uint32)[0, 0, 0]
        self._draw([artist])
        return _Sheet(self._pixels(), empty)

    def _pixels(self) -> np.ndarray:
        """Height x width x RGBA, the canvas's own memory."""
        return np.asarray(self._canvas.buffer_rgba())

    def _png(self) -> bytes:
        pixels = self._pixels()
        for sheet in self._above:
            sheet.lay_on(pixels)
        return png(pixels)


class _Sheet:
    """What one artist draws on an empty canvas: the pixels it touches, to be laid on others.

    The formula is that of Agg (fixed_blender_rgba_plain on an opaque pixel), so that the picture is
    the same as if all had been drawn at once.
    """

    def __init__(self, pixels: np.ndarray, empty: np.uint32) -> None:
        self._places = np.flatnonzero(pixels.view(np.uint32) != empty)
        drawn = pixels.reshape(-1, 4)[self._places].astype(np.int32)
        self._colour, self._alpha = drawn[:, :3], drawn[:, 3:]

    def lay_on(self, pixels: np.ndarray) -> None:
        flat = pixels.reshape(-1, 4)  # the same memory
        touched = flat[self._places].astype(np.int32)
        below = 255 * touched[:, :3]
        mixed = (256 * self._colour - below) * self._alpha + 256 * below
        touched[:, :3] = mixed // (256 * 255 + self._alpha)
        flat[self._places] = touched


def png(pixels: np.ndarray) -> bytes:
    """The red, green and blue of `pixels` (height, width, RGBA bytes) in the PNG format.

    Without the filters of section 9 of the format, which an encoder would try on every row: on a
    plot they save a sixth of the bytes, and take as long as drawing it.
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:].reshape(height, width, 3)[:] = pixels[..., :3]
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, colours without alpha
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
