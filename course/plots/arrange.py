"""Figures in the room that a page has: as wide as it, in a column where it is narrow."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.transforms import ScaledTranslation

turn = threading.RLock()
"""Held by whoever draws: matplotlib has one parser of formulas, and a notebook draws in threads."""
NARROW = 900
"""Pixels of the page below which panels that stand in a row are put in a column."""
LEAST = 320
LOWER = 0.75
"""Of a panel in a column, against one in a row: sliders and picture are to be seen together."""
GAP = 0.8
"""Inches between panels in a column: a title, and the labels of an axis."""
LEGEND_ROW, BAR = 0.2, 0.9
"""Inches more below a column: for each row of a legend, for one that stood beside a bar."""


@dataclass(frozen=True)
class Arrangement:
    """Size in inches, margins as shares (left, right, bottom, top, between), and panels in a row.

    row: empty where the panels are not in one row. bars: axes that were put by hand, as that of
    colours below all panels or beside them, and their places (left, bottom, width, height) as
    shares. label: inches that the widest label needs left of its panel.
    """

    width: float
    height: float
    margins: tuple[float, float, float, float, float]
    row: tuple[Axes, ...]
    grid: GridSpec | None
    bars: tuple[tuple[Axes, tuple[float, float, float, float]], ...] = ()
    label: float = 0.0

    def below(self, place: tuple[float, float, float, float]) -> bool:
        """Whether a bar at this place lies on its side: then it stands below the panels."""
        return place[2] * self.width > place[3] * self.height


def arrangement(fig: Figure) -> Arrangement:
    """How `fig` is arranged now."""
    width, height = map(float, fig.get_size_inches())
    pars = fig.subplotpars
    margins = pars.left, pars.right, pars.bottom, pars.top, pars.wspace
    specs = {ax: spec for ax in fig.axes if (spec := ax.get_subplotspec())}
    bars = tuple((ax, ax.get_position().bounds) for ax in fig.axes if ax not in specs)
    grids = {spec.get_gridspec() for spec in specs.values()}
    grid = grids.pop() if len(grids) == 1 else None
    if isinstance(grid, GridSpec) and grid.nrows == 1 and grid.ncols == len(specs):
        label = getattr(fig, "course_label", 0.0)
        return Arrangement(width, height, margins, tuple(specs), grid, bars, label)
    return Arrangement(width, height, margins, (), None)


def heights(fig: Figure, wide: Arrangement) -> tuple[float, float]:
    """Inches of `fig`, which is `wide`: with its panels in a row, and in a column.

    The same twice where panels are not in one row.
    """
    if len(wide.row) < 2:
        return wide.height, wide.height
    return wide.height, LOWER * wide.height * len(wide.row) + _below(fig, wide)


def _below(fig: Figure, wide: Arrangement) -> float:
    """Inches more below a column: for the rows of a legend, or one that stood beside a bar."""
    rows = getattr(fig, "course_rows", None)  # see `style.legend_below`
    bar = any(wide.below(place) for _, place in wide.bars)
    return LEGEND_ROW * rows if rows else BAR if bar else 0.0


def fit(fig: Figure, wide: Arrangement, pixels: int, dpi: float = 100.0) -> bool:
    """Arrange `fig`, which was `wide`, in a page with so many pixels; 0: with all it needs.

    Text keeps its size: the axes give way. Panels in a row stand in a column on a page below
    `NARROW`. Returns whether anything has changed.
    """
    width = min(wide.width, max(pixels, LEAST) / dpi) if pixels else wide.width
    column = len(wide.row) > 1 and 0 < pixels < NARROW and width < wide.width
    height = heights(fig, wide)[column]
    more = _below(fig, wide) if column else 0.0
    if np.allclose(fig.get_size_inches(), (width, height)):
        return False
    fig.set_size_inches(width, height)
    legend = getattr(fig, "course_legend", None)
    if legend is not None:
        legend(column)
    if wide.grid is not None:
        grid = fig.add_gridspec(len(wide.row), 1) if column else wide.grid
        for k, ax in enumerate(wide.row):
            ax.set_subplotspec(grid[k])
            if k and ax.get_shared_y_axes().joined(ax, wide.row[0]):
                ax.tick_params(labelleft=column)  # in a row the first one's numbers serve all
    if fig.get_layout_engine() is None:
        fig.subplots_adjust(**_margins(wide, width, height, column, more))
    for ax, place in wide.bars:
        ax.set_position(_bar(fig, wide, place, more) if column else place)
    return True


def _bar(
    fig: Figure, wide: Arrangement, place: tuple[float, float, float, float], more: float
) -> tuple[float, float, float, float]:
    """Where a bar goes when the panels are in a column: below them, or right of all of them."""
    (left, bottom, across, up), (width, height) = place, fig.get_size_inches()
    if not wide.below(place):
        return 1 - (1 - left) * wide.width / width, bottom, across * wide.width / width, up
    low, thick = (bottom * wide.height + more) / height, up * wide.height / height
    edges = fig.subplotpars
    return edges.left, low, edges.right - edges.left, thick


def _margins(
    wide: Arrangement, width: float, height: float, column: bool, more: float
) -> dict[str, float]:
    """The margins that the wide figure had, in inches, as shares of the new size."""
    left, right, bottom, top, _ = wide.margins
    edges = {
        "left": left * wide.width / width,
        "right": 1 - (1 - right) * wide.width / width,
        "bottom": (bottom * wide.height + more) / height,
        "top": 1 - (1 - top) * wide.height / height,
    }
    if column:
        edges["left"] = max(edges["left"], wide.label / width)
        count = len(wide.row)
        panel = (height * (edges["top"] - edges["bottom"]) - (count - 1) * GAP) / count
        return {**edges, "hspace": GAP / max(panel, 0.2)}
    if wide.row:
        edges["wspace"] = _between(wide, width, edges)
    return edges


def _between(wide: Arrangement, width: float, edges: dict[str, float]) -> float:
    """The same inches between panels, as a share of a panel's width."""
    count = len(wide.row)
    left, right, _, _, between = wide.margins
    old = wide.width * (right - left) / (count + between * (count - 1))
    new = (width * (edges["right"] - edges["left"]) - (count - 1) * between * old) / count
    return between * old / max(new, 0.2)


def frozen(fig: Figure | SubFigure) -> bool:
    """Whether nothing moves the axes of `fig` when it is drawn."""
    engine = fig.get_layout_engine()
    return engine is None or isinstance(engine, PlaceHolderLayoutEngine)


def held(fig: Figure | SubFigure) -> bool:
    """Whether `freeze` has arranged `fig`."""
    return hasattr(fig.get_figure(root=True), "course_label")


def freeze(fig: Figure) -> None:
    """Keep the axes of one row where they are now, by margins in place of a layout engine.

    And the labels of all axes. Those whose margins are given have none to keep but these.
    """
    with turn:
        fig.draw_without_rendering()
    flat = [
        ax for ax in fig.axes if type(ax) is Axes
    ]  # in three dimensions labels go with the view
    setattr(fig, "course_label", max(map(_freeze_labels, flat), default=0.0))  # noqa: B010
    if fig.get_layout_engine() is None:
        return
    now = arrangement(fig)
    boxes = [ax.get_position() for ax in now.row]
    fig.set_layout_engine(None if now.row else "none")
    if not boxes:
        return
    gaps = [right.x0 - left.x1 for left, right in itertools.pairwise(boxes)]
    panel = float(np.mean([box.width for box in boxes]))
    fig.subplots_adjust(
        left=boxes[0].x0, right=boxes[-1].x1, bottom=boxes[0].y0, top=boxes[0].y1,
        wspace=max(gaps, default=0.0) / panel,
    )  # fmt: skip


def _freeze_labels(ax: Axes) -> float:
    """Keep the labels of both axes as far away as they are: to look for room each time is slow.

    Returns the inches that ticks and label need left of the axes.
    """
    (left, _), (_, low) = (axis.label.get_position() for axis in (ax.yaxis, ax.xaxis))
    for axis, place, away in (
        (ax.yaxis, (0.0, 0.5), (left - ax.bbox.x0, 0.0)),
        (ax.xaxis, (0.5, 0.0), (0.0, low - ax.bbox.y0)),
    ):
        if axis.get_label_position() in ("left", "bottom"):
            right, up = (pixels / ax.figure.dpi for pixels in away)
            shift = ScaledTranslation(right, up, ax.figure.dpi_scale_trans)
            axis.set_label_coords(*place, transform=ax.transAxes + shift)
    label = ax.yaxis.label
    if ax.yaxis.get_label_position() != "left" or not label.get_text():
        return 0.0
    return float(ax.bbox.x0 - left) / ax.figure.dpi + 1.6 * float(label.get_fontsize()) / 72
