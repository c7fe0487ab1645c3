"""A picture in layers: what stays is kept as pixels, what moves is drawn anew, in its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis, YAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox, BboxBase

EDGE = 12.0  # pixels around a frame or a legend for shadows and thick lines
SLACK = 16.0  # pixels that an artist without a clip box may move before the layers are built anew


class Layers:
    """The picture of `parts`, of which those in `moving` are drawn anew by each `compose`.

    What stays is kept as pixels, the ground; what stays but is drawn above something that moves is
    drawn again with it. So each pixel is the one that drawing everything would give.

    below: layers of the same picture, of which other artists moved: what stands apart from those
    that begin or cease to move is taken over. measured: how far the ticks of an axis reach, where
    that is known; who draws forgets it when the axis changes. To measure takes 10 ms an axis.
    """

    def __init__(
        self,
        canvas: FigureCanvasAgg,
        parts: Sequence[Artist],
        moving: set[Artist],
        measured: dict[Axis, Bbox],
        below: Layers | None = None,
    ) -> None:
        self.moving, self._measured = moving, measured
        self._canvas, self._renderer = canvas, canvas.get_renderer()
        self._steps: list[Artist] = []
        self._ground: np.ndarray
        self._renderer.clear()
        self._empty = self._pixels.view(np.uint32)[0, 0, 0]
        before = {} if below is None else below._reach  # where it was once it may be again
        self._reach: dict[Artist, BboxBase] = {
            artist: _united(self._place(artist), before.get(artist))
            for artist in parts
            if artist in moving
        }
        boxes = {} if below is None else below._boxes
        self._boxes: dict[Artist, tuple[slice, slice]] = {
            artist: boxes.get(artist) or self._box(artist)
            for artist in parts
            if artist not in moving
        }
        shape = self._pixels.shape[:2]
        anew = np.ones(shape, bool) if below is None else self._altered(parts, below)
        touched = np.zeros(shape, bool)  # by what is drawn again
        again = set() if below is None else {*below._steps} - below.moving
        for artist in parts:
            if artist in moving:
                for place in self._places(artist, self._reach[artist]):
                    touched[place] = True
                self._steps.append(artist)
                continue
            around = self._boxes[artist]
            if not anew[around].any():
                self._steps += [artist] if artist in again else []
            elif not touched[around].any():
                artist.draw(self._renderer)
            elif (above := self._pixels_of(artist, around)) is None:
                continue
            elif (above & touched[around]).any():
                touched[around] |= above
                self._steps.append(artist)
            else:
                artist.draw(self._renderer)
        if below is not None:
            np.copyto(self._pixels, below._ground, where=~anew[..., None])
        self._ground = self._pixels.copy()

    def _altered(self, parts: Sequence[Artist], below: Layers) -> np.ndarray:
        """Which pixels of the ground may not be those of `below`: True and False by pixel.

        Those of what moves here and stays there, or the other way round, or moves farther; and all
        pixels of what may lie above one of these, for it may be drawn again.
        """
        mask = np.zeros(self._pixels.shape[:2], bool)
        for artist, reach in self._reach.items():
            before = below._reach.get(artist)
            if artist in below._boxes:
                mask[below._boxes[artist]] = True
            if before is None or not _contains(before, reach):
                for place in self._places(artist, reach):
                    mask[place] = True
        for artist in below.moving & self._boxes.keys():
            mask[self._boxes[artist]] = True
        first = min((k for k, artist in enumerate(parts) if artist in self.moving), default=0)
        above = {artist for artist in parts[first:] if artist in self._boxes}
        while wider := {artist for artist in above if mask[self._boxes[artist]].any()}:
            for artist in wider:
                mask[self._boxes[artist]] = True
            above -= wider
        return mask

    def _places(self, artist: Artist, reach: BboxBase) -> list[tuple[slice, slice]]:
        boxes = [reach, artist.axes.bbox] if isinstance(artist, Axis) else [reach]  # its grid
        return [self._rectangle(box) for box in boxes]

    def _pixels_of(self, artist: Artist, box: tuple[slice, slice]) -> np.ndarray | None:
        """Which pixels of the box, outside of which it draws nothing, the artist draws.

        True and False by pixel; None for no pixel at all.
        """
        if not artist.get_visible() or (type(artist) is Text and not artist.get_text()):
            return None
        part = self._pixels[box]
        ground = part.copy()
        part.view(np.uint32)[:] = self._empty
        artist.draw(self._renderer)
        drawn = part.view(np.uint32)[..., 0] != self._empty
        part[:] = ground
        return np.asarray(drawn) if drawn.any() else None

    def _box(self, artist: Artist) -> tuple[slice, slice]:
        """Pixels outside of which an artist that stays draws nothing: all, where that is unknown.

        Text that is measured costs less than text that is drawn, and most of it lies beside the
        axes in which something moves.
        """
        if isinstance(artist, Axis):
            return self._rectangle(Bbox.union([artist.axes.bbox, self._ticks(artist)]))
        if type(artist) in (Spine, Legend):
            return self._rectangle(artist.get_window_extent(self._renderer).padded(EDGE))
        framed = isinstance(artist, Text) and artist.get_bbox_patch() is not None
        extent = None if framed else self._extent(artist)
        return self._rectangle(self._canvas.figure.bbox if extent is None else extent)

    def _ticks(self, axis: Any) -> Bbox:
        """What the ticks of an axis with their labels may cover: beside its axes, not within."""
        if axis not in self._measured:
            self._measured[axis] = self._measure(axis)
        return self._measured[axis]

    def _measure(self, axis: Any) -> Bbox:
        bbox, dpi = axis.axes.bbox, self._canvas.figure.dpi
        ticks = (*axis.majorTicks[:1], *axis.minorTicks[:1])
        longest = max((tick.tick1line.get_markersize() for tick in ticks), default=0.0)
        edge = 2 + longest * dpi / 72
        sides = {
            "left": Bbox.from_extents(bbox.x0 - edge, bbox.y0 - SLACK, bbox.x0, bbox.y1 + SLACK),
            "bottom": Bbox.from_extents(bbox.x0 - SLACK, bbox.y0 - edge, bbox.x1 + SLACK, bbox.y0),
        }
        beside = sides.get(axis.get_ticks_position(), bbox.padded(edge))
        labels = axis.get_tightbbox(self._renderer)
        return Bbox.union([beside, labels.padded(2)]) if labels else beside

    def hold(self, moving: set[Artist]) -> bool:
        """Whether they are right where these artists move: each is where it may be."""
        return moving == self.moving and all(
            place is None or _contains(reach, place)
            for artist, reach in self._reach.items()
            for place in (self._extent(artist),)
        )

    def compose(self) -> None:
        """Draw the picture on the canvas."""
        self._pixels[:] = self._ground
        for artist in self._steps:
            artist.draw(self._renderer)

    @property
    def _pixels(self) -> np.ndarray:
        """Height x width x RGBA, the canvas's own memory."""
        return np.asarray(self._canvas.buffer_rgba())

    def _place(self, artist: Artist) -> Bbox:
        """Where the artist may draw: its clip box, or around where it is now, or anywhere."""
        extent = self._extent(artist)
        if extent is None:
            return self._canvas.figure.bbox.frozen()
        if isinstance(artist, Axis):
            if isinstance(artist, YAxis):
                return Bbox.union([extent, extent.translated(-SLACK, 0.0)])
            wider = extent.padded(SLACK, 0.0)  # the last label stands out by half its length
            return Bbox.union([wider, wider.translated(0.0, -SLACK)])
        if _clip(artist) is not None or type(artist) is Legend:
            return extent
        boxes = [] if extent.width < 0 else [extent.padded(SLACK)]
        boxes += [] if artist.axes is None else [artist.axes.bbox]
        return Bbox.union(boxes) if boxes else extent

    def _extent(self, artist: Artist) -> Bbox | None:
        """What an artist may cover as it is now; None where that is unknown."""
        if (box := _clip(artist)) is not None:
            return Bbox(box.get_points())
        if type(artist) is Legend and getattr(artist, "_loc", 1) == 0:  # where there is room for it
            if artist.axes is None or artist.get_bbox_to_anchor() is not artist.axes.bbox:
                return None
            frame = artist.get_frame().get_window_extent(self._renderer)
            return Bbox.union([artist.axes.bbox, frame])
        if isinstance(artist, Axis):
            return self._ticks(artist)
        if not isinstance(artist, Line2D | Text) or type(artist) not in (Line2D, Text):
            return None
        if artist.get_path_effects():
            return None
        if isinstance(artist, Line2D):
            length, width = np.size(artist.get_xdata()), artist.get_linewidth()
        else:
            length, width = len(artist.get_text()), 0.0
        if not artist.get_visible() or not length:
            return Bbox.null()
        extent = artist.get_window_extent(self._renderer)
        return Bbox(extent.padded(3 + width * self._canvas.figure.dpi / 72).get_points())

    def _rectangle(self, box: BboxBase) -> tuple[slice, slice]:
        height, width = self._pixels.shape[:2]
        if not np.isfinite(box.extents).all():
            return (slice(0), slice(0)) if box.width < 0 else (slice(None), slice(None))
        left, right = max(math.floor(box.x0) - 1, 0), min(math.ceil(box.x1) + 1, width)
        top, bottom = max(math.floor(height - box.y1) - 1, 0), math.ceil(height - box.y0) + 1
        return slice(top, max(bottom, 0)), slice(left, max(right, 0))


def _clip(artist: Artist) -> BboxBase | None:
    """The box outside of which nothing of the artist is drawn, if there is one."""
    kind = type(artist)
    clips = issubclass(kind, Line2D | Text | Patch | Collection | AxesImage)
    own = clips and kind.__module__.startswith("matplotlib.") and kind is not Annotation
    return artist.get_clip_box() if own and artist.get_clip_on() else None


def _united(one: BboxBase, other: BboxBase | None) -> BboxBase:
    known = [box for box in (one, other) if box is not None and np.isfinite(box.extents).all()]
    return Bbox.union(known) if known else one


def _contains(outer: BboxBase, inner: BboxBase) -> bool:
    if not np.isfinite(inner.extents).all():
        return inner.width < 0  # nothing is drawn
    return bool(
        outer.x0 <= inner.x0 and outer.y0 <= inner.y0
        and outer.x1 >= inner.x1 and outer.y1 >= inner.y1
    )  # fmt: skip
