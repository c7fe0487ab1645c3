"""Text that is drawn again where it was: its letters are kept as pixels.

To lay out a word and to draw its letters takes matplotlib some milliseconds, and to put down their
pixels a tenth of that. A text has the same letters as before where all that they depend on is the
same: words, font, place, angle, and how edges are smoothed. Colour and clipping do not count.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.text import Text

MOST = 600  # texts that are kept, the latest used: a few kilobytes each
Letters = list[tuple[np.ndarray, tuple[Any, ...]]]  # how much of each pixel is covered, and where


class LetteringCanvas(FigureCanvasAgg):
    """A canvas whose renderer keeps letters."""

    def get_renderer(self) -> LetteringRenderer:
        renderer = super().get_renderer()  # another one where size or density has changed
        if not isinstance(renderer, LetteringRenderer):
            renderer = LetteringRenderer(renderer.width, renderer.height, renderer.dpi)
            self.renderer = renderer
        return renderer


class LetteringRenderer(RendererAgg):
    """Draws as matplotlib's own, pixel by pixel; a text that it has drawn before, more quickly.

    kept: how many texts.
    """

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__(width, height, dpi)
        self._letters: OrderedDict[Any, Letters] = OrderedDict()
        # The limits of each axis with which it has been drawn, see `rehearse_one`.
        self.rehearsed: WeakKeyDictionary[Axis, set[tuple[float, float]]] = WeakKeyDictionary()

    @property
    def kept(self) -> int:
        return len(self._letters)

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float,
        ismath: Any = False, mtext: Any = None,
    ) -> None:  # fmt: skip
        """See `matplotlib.backend_bases.RendererBase.draw_text`."""
        options = ("get_fontfeatures", "get_language")  # of a text; older versions have neither
        own = [str(getattr(mtext, name)()) for name in options if hasattr(mtext, name)]
        smooth = gc.get_antialiased(), get_hinting_flag()
        key = (s, x, y, angle, ismath, *smooth, prop, *own)
        letters = self._letters.get(key)
        if letters is None:
            self._draw_new(key, gc, x, y, s, prop, angle, ismath, mtext)
            return
        self._letters.move_to_end(key)
        for image, place in letters:
            self._renderer.draw_text_image(image, *place, gc)

    def _draw_new(self, key: Any, gc: Any, *text: Any) -> None:
        agg = self._renderer
        self._renderer = notes = _Notes(agg)
        try:
            super().draw_text(gc, *text)
        finally:
            self._renderer = agg
        if notes.complete:
            prop = text[3].copy()  # it can be changed
            self._letters[tuple(prop if part is text[3] else part for part in key)] = notes.letters
            if len(self._letters) > MOST:
                self._letters.popitem(last=False)


def lay_out_one(renderer: RendererAgg, axes: Iterable[Axis], known: set[Any]) -> bool:
    """While nobody waits: lay out a label that one of these axes may get; if one was missing.

    Matplotlib takes 10 ms for a power of ten, which it reads as a formula, and keeps what it finds.
    A locator may say in `every` where it ever puts a tick. known: labels that were laid out.
    """
    for axis in axes:
        places = getattr(axis.get_major_locator(), "every", ())
        font = axis.majorTicks[0].label1.get_fontproperties() if len(places) else None
        for words in map(axis.get_major_formatter(), places):
            key = words, hash(font), renderer.dpi
            if key not in known:
                known.add(key)
                label = Text(0, 0, words, fontproperties=font)
                label.set_figure(axis.axes.figure)
                label.get_window_extent(renderer)
                return True
    return False


def rehearse_one(renderer: LetteringRenderer, axes: Iterable[Axis]) -> bool:
    """While nobody waits: draw an axis with limits that it may get next; if one was missing.

    That leaves its letters with the renderer; for those of six powers of ten matplotlib takes
    20 ms. A locator may say in `beside` which limits come next.
    """
    for axis in axes:
        low, high = axis.get_view_interval()
        for least, most in getattr(axis.get_major_locator(), "beside", _nowhere)(low, high):
            rehearsed = renderer.rehearsed.setdefault(axis, set())
            if (least, most) not in rehearsed:
                rehearsed.add((least, most))
                axis.set_view_interval(least, most, ignore=True)
                try:
                    axis.draw(renderer)
                finally:
                    axis.set_view_interval(low, high, ignore=True)
                    axis.get_tightbbox(renderer)  # puts the ticks back, too
                return True
    return False


def _nowhere(*_: float) -> tuple[tuple[float, float], ...]:
    return ()


class _Notes:
    """Takes down the letters that are drawn; `complete` unless something else is drawn as well."""

    def __init__(self, agg: Any) -> None:
        self._agg, self.letters, self.complete = agg, Letters(), True

    def draw_text_image(self, image: Any, *place: Any) -> None:
        *where, gc = place
        kept = np.array(image)  # a copy: the font uses its memory again
        self.complete &= kept.ndim == 2 and kept.dtype == np.uint8
        self.letters.append((kept, tuple(where)))
        self._agg.draw_text_image(image, *where, gc)

    def __getattr__(self, name: str) -> Any:  # lines of fractions and roots
        self.complete = False
        return getattr(self._agg, name)
