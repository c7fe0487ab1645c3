"""A figure drawn once, and again only where it changed: PNG bytes by matplotlib without pyplot."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.spines import Spine
from matplotlib.transforms import Bbox

from course.live.encoding import png
from course.live.layers import Layers
from course.live.lettering import LetteringCanvas, lay_out_one, rehearse_one
from course.live.parts import FRAME, Unsure, sequence, unsure
from course.live.scales import drawn_by, signatures, stands_alone
from course.plots import arrange

PAPER = 255  # white: below a figure whose own ground is transparent


class Canvas:
    """Draws `fig`; from its second change on only what has moved, over what is kept as pixels.

    What is on the figure is listed at each drawing and compared with what was there. Where limits
    or ticks have changed, what they concern is drawn anew; where anything else but moving artists
    has (a new artist, the order, the size), all is. So are figures with axes of other kinds, such
    as 3-D ones, whose changes nobody announces.

    full_draws: how often all was drawn. room: how wide the page is in pixels, 0 while unknown.
    ratio: pixels of the screen per pixel of the page.
    """

    def __init__(self, fig: Figure) -> None:
        if "matplotlib.pyplot" in sys.modules:  # else the inline backend shows it a second time
            sys.modules["matplotlib.pyplot"].close(fig)
        self.figure, self.room, self.ratio = fig, 0, 1.0
        self.full_draws = 0
        self._canvas = LetteringCanvas(fig)
        self._dpi, self._wide = fig.dpi, arrange.arrangement(fig)
        self._axes: list[Axes] = list(fig.axes)
        self._parts: list[Artist] | None = None  # as drawn last; None: not sure
        self._layers: Layers | None = None
        self._latest: set[Axis] = set()  # whose limits changed last
        self._ever: set[Axis] = set()  # whose limits have changed, and may again
        self._bases: list[tuple[set[Axis], Layers]] = []  # without what these axes draw
        self._measured: dict[Axis, Bbox] = {}  # see `Layers`
        self._laid_out: set[Any] = set()  # labels, see `lay_out_one`
        self._moving: set[Artist] = set()
        self._changed: set[Artist] = set()
        self._drawing = False
        self._signatures: dict[Axis, list[Any]] = {}
        self._texts: tuple[Any, ...] = ()
        self._extent: tuple[Any, ...] | None = None
        self._listen(fig.findobj())  # what changes before the first drawing will do so again

    def fit(self, width: int, ratio: float) -> bool:
        """Arrange the figure in so many pixels of the page (0: all it needs); if it has changed.

        ratio: pixels of the screen per pixel of the page.
        """
        with arrange.turn:
            sharper, self.room, self.ratio = ratio != self.ratio, width, ratio
            return arrange.fit(self.figure, self._wide, width, self._dpi) or sharper

    @property
    def needs(self) -> tuple[int, int, int]:
        """Pixels of the page: its width where there is room, its height there, and in a column."""
        sizes = self._wide.width, *arrange.heights(self.figure, self._wide)
        width, row, column = (int(inches * self._dpi + 1e-6) for inches in sizes)
        return width, row, column

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the page."""
        width, height = self.figure.get_size_inches() * self._dpi
        return int(width + 1e-6), int(height + 1e-6)

    def render(self) -> bytes:
        """The figure as PNG bytes."""
        with arrange.turn:
            if self.figure.canvas is not self._canvas:  # another drew the same figure
                self.figure.set_canvas(self._canvas)
                self._parts = None
            if self.figure.dpi != self._dpi * self.ratio:
                self.figure.set_dpi(self._dpi * self.ratio)
            for ax in self._axes:
                ax.viewLim  # noqa: B018  carries out an autoscaling that was asked for
            self._drawing = True
            try:
                self._draw()
            except BaseException:
                self._parts = None  # half drawn
                raise
            finally:
                self._changed.clear()
                self._drawing = False
            return png(self._pixels())

    def prepare(self) -> bool:
        """While nobody waits: make what the next drawing may need; whether there was any."""
        with arrange.turn:
            parts = self._parts
            if self.figure.canvas is not self._canvas or parts is None or self._changed:
                return False
            self._drawing = True
            try:
                return sequence(self.figure) == parts and self._build_one(parts)
            except Unsure:
                return False
            except BaseException:
                self._parts = None
                raise
            finally:
                self._drawing = False

    def _build_one(self, parts: list[Artist]) -> bool:
        """Layers for limits as they are, or for those that changed last, or ever; then labels."""
        if self._layers is None or not self._layers.hold(self._moving):
            self._build(parts)
            return True
        wanted = [axes for axes in (self._latest, self._ever) if axes]
        self._bases = [
            (left_out, layers)
            for left_out, layers in self._bases
            if left_out in wanted and layers.hold(self._moving | drawn_by(left_out, parts))
        ]
        missing = [axes for axes in wanted if all(axes != base[0] for base in self._bases)]
        if missing:
            self._leave_out(missing[0], parts)
            return True
        renderer, known = self._canvas.get_renderer(), self._laid_out
        return rehearse_one(renderer, self._ever) or lay_out_one(renderer, self._ever, known)

    def _draw(self) -> None:
        try:
            parts = sequence(self.figure)
        except Unsure:
            parts = None
        rescaled = None if parts is None or parts != self._parts else self._only_scales(parts)
        if parts is None or rescaled is None:
            self._draw_all()
            return
        self._moving = self._moving | {part for part in self._changed if _alone(part)}
        if rescaled:
            self._latest, self._ever = rescaled, self._ever | rescaled
            for axis in rescaled:
                self._measured.pop(axis, None)
            self._without(rescaled, parts).compose()
            self._layers = None  # built when limits stay: they may change at each step of a slider
            self._signatures = signatures(self._axes)  # ticks stand elsewhere, and some are new
            self._listen(part for axis in rescaled for part in axis.findobj())
            return
        self._build(parts).compose()

    def _build(self, parts: list[Artist]) -> Layers:
        """The layers for limits as they are; in place of those that are no longer right."""
        if self._layers is None or not self._layers.hold(self._moving):
            self._layers = self._made(parts, self._moving)
        return self._layers

    def _made(self, parts: list[Artist], moving: set[Artist]) -> Layers:
        below = self._layers or (self._bases[0][1] if self._bases else None)
        return Layers(self._canvas, parts, moving, self._measured, below)

    def _only_scales(self, parts: list[Artist]) -> set[Axis] | None:
        """Each axis whose limits or ticks have changed; None where more has than they and parts.

        Parts: what can be drawn anew without the others.
        """
        if self._texts != self._room():
            return None
        new, old = signatures(self._axes), self._signatures
        rescaled = {axis for axis in new if new[axis] != old.get(axis)}
        rescaled |= {part for part in self._changed if isinstance(part, Axis)}
        frames = {part for part in self._changed if isinstance(part, Spine)}
        if frames or not self._changed <= {*parts, *(axis.axes for axis in rescaled)}:
            return None
        alone = all(map(self._stands_alone, rescaled))
        return rescaled if alone and rescaled <= set(parts) else None

    def _stands_alone(self, axis: Axis) -> bool:
        return arrange.frozen(self.figure) and stands_alone(axis)

    def _without(self, rescaled: set[Axis], parts: list[Artist]) -> Layers:
        """The picture without what new limits of these axes change: they may change again."""
        for left_out, layers in self._bases:  # the one that leaves out least comes first
            if rescaled <= left_out and layers.hold(self._moving | drawn_by(left_out, parts)):
                return layers
        more = self._bases[0][0] if self._bases and self._layers is None else set()
        return self._leave_out(rescaled | more, parts)

    def _leave_out(self, axes: set[Axis], parts: list[Artist]) -> Layers:
        """Layers without what these axes draw, kept beside those without the most."""
        layers = self._made(parts, self._moving | drawn_by(axes, parts))
        others = [base for base in self._bases if base[0] != axes]
        most = sorted(others, key=lambda base: len(base[0]))[-1:]
        self._bases = sorted([*most, (axes, layers)], key=lambda base: len(base[0]))
        return layers

    def _draw_all(self) -> None:
        """Draw as matplotlib does, and listen from then on to what changes."""
        self._layers, self._bases, self._measured = None, [], {}
        self._draw_figure()
        self.full_draws += 1
        everything = self.figure.findobj()
        self._axes = [artist for artist in everything if isinstance(artist, Axes)]
        try:
            self._parts = sequence(self.figure)
        except Unsure:
            self._parts, self._moving = None, set()
            return
        changed = {part for part in self._changed if _alone(part)} | self._moving
        alone = {p for p in self._parts if isinstance(p, Axis) and self._stands_alone(p)}
        self._latest = alone & self._changed
        self._ever = alone & (self._changed | self._ever)
        self._moving = changed & set(self._parts) | unsure(self.figure, self._axes, self._parts)
        self._texts, self._signatures = self._room(), signatures(self._axes)
        self._listen(everything)

    def _listen(self, parts: Iterable[Artist]) -> None:
        for part in parts:
            part.stale_callback = self._hear

    def _hear(self, artist: Artist, stale: bool) -> None:
        if stale and not self._drawing:
            self._changed.add(artist)

    def _draw_figure(self) -> None:
        """Draw all; arrange the axes anew only where labels have grown or shrunk.

        That takes a third of the time, and axes that tremble while one drags are hard to read.
        """
        engine = self.figure.get_layout_engine()
        if engine is None or self._extent is None:
            self._canvas.draw()
        else:
            self.figure.set_layout_engine("none")
            self._canvas.draw()
            self.figure.set_layout_engine(engine)
            if self._extent != self._extents():
                self._canvas.draw()
        self._extent = self._extents()

    def _room(self) -> tuple[Any, ...]:
        """What the room around the axes depends on, but for their ticks."""
        texts: list[Any] = [self.size, *(text.get_text() for text in self.figure.texts)]
        for ax in self._axes:
            titles = [ax.get_title(loc) for loc in ("left", "center", "right")]
            texts += [ax.get_visible(), ax.axison, ax.get_xlabel(), ax.get_ylabel()]
            texts += [ax.bbox.bounds, *((bool(title), title.count("\n")) for title in titles)]
        return tuple(texts)

    def _extents(self) -> tuple[Any, ...]:
        """What the room around the axes depends on, as it was drawn last."""
        longest = []
        for ax in self._axes:
            for axis in (ax.xaxis, ax.yaxis):
                low, high = sorted(axis.get_view_interval())
                ticks = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
                longest.append(max((len(tick.label1.get_text()) for tick in ticks), default=0))
        return (self._room(), *longest)

    def _pixels(self) -> np.ndarray:
        """Height x width x RGBA; the canvas's own memory, if nothing is transparent."""
        pixels = np.asarray(self._canvas.buffer_rgba())
        if self._parts is not None or pixels[..., 3].min() == 255:
            return pixels
        alpha = pixels[..., 3:] / 255
        return np.rint(pixels * alpha + PAPER * (1 - alpha)).astype(np.uint8)


def _alone(part: Artist) -> bool:
    """Whether a part that has changed can be drawn anew without others of its axes."""
    return not isinstance(part, (*FRAME, Axes))
