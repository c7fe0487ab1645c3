"""Which entries of a layer's outputs a norm averages: over the batch, or over the units."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course.arguments import whole
from course.plots import style
from course.plots.diagrams.strokes import Drawing, sheet, write


def averages(batch: int = 4, units: int = 6) -> Drawing:
    """The table (batch, units) twice: what batch norm averages, and what layer norm averages.

    batch, units: 2 to 8 each. Raises ValueError for others.
    """
    batch = whole("batch", batch, least=2, most=8)
    units = whole("units", units, least=2, most=8)
    fig, axes = sheet(0.5 * units + 2.3, 0.5 * batch + 2.1, columns=2)
    column = {(row, 1) for row in range(batch)}
    row = {(1, k) for k in range(units)}
    _table(axes[0], "batch norm", "one unit, all examples", batch, units, column, style.PALETTE[1])
    _table(axes[1], "layer norm", "one example, all units", batch, units, row, style.PALETTE[0])
    return fig, (
        f"Twice a table of {batch} examples (rows) and {units} units (columns). Batch norm takes"
        " mean and variance of a column, one unit over all examples. Layer norm takes them of a"
        " row, one example over all its units."
    )


def _table(
    ax: Axes, name: str, over: str, batch: int, units: int, chosen: set[tuple[int, int]], color: str
) -> None:
    left, top = 1.5, 0.5 * batch + 0.75
    for row in range(batch):
        for k in range(units):
            one = (row, k) in chosen
            patch = Rectangle(
                (left + 0.5 * k, top - 0.5 * (row + 1)), 0.5, 0.5, linewidth=1.0,
                facecolor=style.tint(color, 0.55) if one else style.paper(),
                edgecolor=style.GREY, hatch="//" if one else None,
            )  # fmt: skip
            ax.add_patch(patch)
    middle = left + 0.25 * units
    write(ax, (middle, top + 0.95), name, 12, weight="bold")
    write(ax, (middle, top + 0.55), f"mean and variance of {over}", 9)
    write(ax, (middle, top + 0.2), "units", 9)
    write(ax, (left - 0.25, top - 0.25 * batch), "examples", 9, rotation=90)
    write(ax, (middle, 0.35), "then the mean becomes 0 and the variance 1", 9)
