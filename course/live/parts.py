"""The parts of a figure in the order in which they are drawn, and which of them change unsaid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, FigureBase
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text

FRAME = (Axis, Spine)
"""Where one of these changes, others do with it."""


class Unsure(Exception):
    """A figure with parts of which nobody knows when they change, or how they are drawn."""


def sequence(fig: Figure) -> list[Artist]:
    """All that is drawn of `fig`, in the order in which matplotlib draws it; `Unsure` if unknown.

    Axes come as their parts, also those inside of other axes.
    """
    paper = to_rgba(fig.patch.get_facecolor())[3] if fig.get_frameon() else 0
    if type(fig) is not Figure or not fig.get_visible() or paper < 1:
        raise Unsure
    return [fig.patch, *_in_order(child for child in fig.get_children() if child is not fig.patch)]


def _in_order(artists: Iterable[Artist]) -> list[Artist]:
    order: list[Artist] = []
    for artist in sorted(artists, key=lambda artist: artist.get_zorder()):
        if artist.get_animated():
            continue
        if not hasattr(artist, "viewLim") and not isinstance(artist, FigureBase):
            order.append(artist)
        elif type(artist) is not Axes:  # 3-D and polar axes, axes of one's own, a part of a figure
            raise Unsure
        elif artist.get_visible():
            order += _inside(artist)
    return order


def _inside(ax: Axes) -> list[Artist]:
    hidden: set[Artist] = {ax.patch}
    if not ax.axison:
        hidden |= {ax.xaxis, ax.yaxis}
    framed = ax.axison and ax.get_frame_on()
    if not framed:
        hidden |= set(ax.spines.values())
    parts = _in_order(artist for artist in ax.get_children() if artist not in hidden)
    return [ax.patch, *parts] if framed else parts


def unsure(fig: Figure, axes: Iterable[Axes], parts: Iterable[Artist]) -> set[Artist]:
    """The parts that may change without a word: they are drawn anew each time.

    Sure are lines, text, patches, legends, axes' ticks and frames, in matplotlib's own classes and
    the transforms of their own axes; a table, an image, or a collection changes its cells, values,
    or norm in silence, and a legend in the best place looks for it at each drawing.
    """
    known = {id(fig.transFigure), id(fig.transSubfigure)}
    own: dict[Any, set[int]] = {}
    grounds: dict[Artist, Any] = {ax.patch: ax for ax in axes}
    titles = set()
    for ax in axes:
        its = ax.transData, ax.transAxes, ax.get_xaxis_transform(), ax.get_yaxis_transform()
        own[ax] = known | {id(transform) for transform in its}
        titles |= {child for child in ax.get_children() if type(child) is Text} - {*ax.texts}
    return {
        artist
        for artist in parts
        if artist not in titles
        and not _sure(artist, own.get(grounds.get(artist, artist.axes), known))
    }


def _sure(artist: Artist, transforms: set[int]) -> bool:
    if type(artist) is Legend:
        return getattr(artist, "_loc", 0) != 0  # 0: the best place
    if isinstance(artist, FRAME):
        return True
    if not (type(artist) in (Line2D, Text) or isinstance(artist, Patch)):
        return False
    if not type(artist).__module__.startswith("matplotlib."):
        return False
    own = Artist.get_transform(artist)
    return id(own) in transforms or not artist.is_transform_set()
