"""Pictures of a loss on a plane: a map with contours, the same as a relief, and paths on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from contourpy import contour_generator  # matplotlib needs it, so it is there
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from course.plots import style

Array = NDArray[Any]
COLOURS = colormaps["viridis"].with_extremes(bad=style.LIGHT)
POINT: dict[str, Any] = {"color": "black", "markeredgecolor": "white", "zorder": 4}
STEP = 0.25
"""From one contour to the next, in powers of ten of the loss."""
PIXELS = 240


def decades(loss: Array) -> Array:
    """log10 of the losses; NaN where one is not finite or not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log10(np.asarray(loss, dtype=float))
    return np.where(np.isfinite(log), log, np.nan)


def _power(exponent: float, _: int) -> str:
    return f"{10.0**exponent:g}" if abs(exponent) < 4 else f"$10^{{{exponent:.0f}}}$"


class Colours:
    """One colour scale for several pictures, in whole powers of ten of the loss, and its bar."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], low: int = -2, high: int = 1) -> None:
        self.least = (low, high)
        self.norm = Normalize(low, high)
        scale = ScalarMappable(self.norm, COLOURS)
        self.bar = fig.colorbar(
            scale, ax=axes, label="loss", shrink=0.9, aspect=30, pad=0.02,
            ticks=MaxNLocator(6, integer=True), format=FuncFormatter(_power),
        )  # fmt: skip

    def fit(self, *losses: Array, most: float = np.inf) -> None:
        """Make room for all of these losses up to `most`, and for no less than at first."""
        log = np.concatenate([decades(loss).ravel() for loss in losses])
        finite = log[np.isfinite(log)]
        low, high = self.least
        if finite.size:
            low, high = min(low, int(np.floor(finite.min()))), max(high, int(np.ceil(finite.max())))
            high = int(min(high, np.log10(most)))
        if (self.norm.vmin, self.norm.vmax) != (low, high):
            self.norm.vmin, self.norm.vmax = low, high
            self.bar.update_normal(self.bar.mappable)


class LossMap:
    """The loss on a square in bands of colour, lines at whole powers of ten, dots where it bends.

    To bend means that the slice curves downward in some direction.
    """

    def __init__(self, ax: Axes, colours: Colours, title: str = "") -> None:
        self.ax, self.colours = ax, colours
        ax.grid(False)
        ax.set(title=title, xlabel="first direction", ylabel="second direction", aspect="equal")
        self.image = ax.imshow(
            np.full((2, 2), np.nan), origin="lower", cmap=COLOURS, norm=colours.norm, zorder=1,
            extent=(-1, 1, -1, 1), interpolation="nearest",
        )  # fmt: skip
        self.lines = LineCollection([], colors="white", linewidths=0.5, antialiaseds=False)
        ax.add_collection(self.lines)
        (self.dots,) = ax.plot(
            [], [], linestyle="", marker=".", markersize=3, color=style.PALETTE[1],
            label="_bends downward",
        )  # fmt: skip
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(3, symmetric=True))

    def show(self, first: Array, second: Array, loss: Array, bends: Array | None = None) -> None:
        """first (A,), second (B,), loss (A, B); bends (A - 2, B - 2): at which inner points."""
        extent = (first[0], first[-1], second[0], second[-1])
        log = decades(loss)
        self.image.set_data(_bands(log).T)
        self.lines.set_segments(_contours(first, second, log))
        if tuple(self.image.get_extent()) != extent:
            self.image.set_extent(extent)
            self.ax.set(xlim=extent[:2], ylim=extent[2:])
        places = np.zeros((0, 2), dtype=int) if bends is None else np.argwhere(bends) + 1
        self.dots.set_data(first[places[:, 0]], second[places[:, 1]])


def _contours(first: Array, second: Array, log: Array) -> list[Array]:
    """Lines where the loss is a whole power of ten: lists of points (N, 2)."""
    finite = log[np.isfinite(log)]
    if not finite.size:
        return []
    make = contour_generator(first, second, np.ma.masked_invalid(log.T))
    levels = np.arange(np.ceil(finite.min()), np.floor(finite.max()) + 1)
    return [np.asarray(line) for level in levels for line in make.lines(level)]


def _bands(log: Array) -> Array:
    """The logarithms on a grid (PIXELS, PIXELS), each value that of its band between contours."""
    low, part = zip(*(_between(n) for n in log.shape), strict=True)
    rows, columns = part[0][:, None], part[1]
    corners = [
        (rows if i else 1 - rows) * (columns if j else 1 - columns)
        * log[np.ix_(low[0] + i, low[1] + j)]
        for i in (0, 1) for j in (0, 1)
    ]  # fmt: skip
    return STEP * (np.floor(sum(corners) / STEP) + 0.5)


def _between(points: int) -> tuple[Array, Array]:
    """For PIXELS places along an axis: the grid point before each, and how far beyond it lies."""
    at = np.linspace(0, points - 1, PIXELS)
    low = np.minimum(at.astype(int), points - 2)
    return low, at - low


class Relief:
    """The loss on a square as a surface, seen from a side; its height is the power of ten."""

    HEIGHT = 1.4

    def __init__(self, ax: Axes, colours: Colours, title: str = "") -> None:
        self.ax, self.colours = ax, colours
        ax.grid(False)
        ax.set(title=title, xlim=(-1.6, 1.6), ylim=(-1.55, 2.0), aspect="equal")
        ax.set_axis_off()
        self.floor = LineCollection([], colors=style.GREY, linewidths=0.8)
        self.faces = PolyCollection([], cmap=COLOURS, norm=colours.norm, linewidths=0.3)
        self.faces.set_edgecolor((1, 1, 1, 0.5))
        ax.add_collection(self.floor)
        ax.add_collection(self.faces)
        self.labels = [
            ax.text(0, 0, name, ha="center", va="center", fontsize=8, color=style.GREY)
            for name in ("first direction", "second direction")
        ]

    def show(self, loss: Array, turn: float, tilt: float) -> None:
        """loss (A, B); turn: degrees around the height; tilt: 0 from the side, 90 from above."""
        log = decades(loss)
        low, high = self.colours.norm.vmin, self.colours.norm.vmax
        assert low is not None and high is not None
        u, v = (np.linspace(-1, 1, n) for n in log.shape)
        height = self.HEIGHT * (log - low) / (high - low)
        x, y, depth = self._project(*np.meshgrid(u, v, indexing="ij"), height, turn, tilt)
        corners = np.stack([x, y], -1)
        quads = np.stack(
            [corners[:-1, :-1], corners[1:, :-1], corners[1:, 1:], corners[:-1, 1:]], -2
        ).reshape(-1, 4, 2)
        middle = (
            sum(log[i : i + len(u) - 1, j : j + len(v) - 1] for i in (0, 1) for j in (0, 1)) / 4
        )
        far = depth[:-1, :-1] + depth[1:, 1:]
        order = np.argsort(-far.ravel(), kind="stable")
        order = order[np.isfinite(quads[order]).all((1, 2))]
        self.faces.set_verts(quads[order])
        self.faces.set_array(np.asarray(middle).ravel()[order])
        self._frame(turn, tilt)

    def _frame(self, turn: float, tilt: float) -> None:
        square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)], dtype=float)
        x, y, _ = self._project(square[:, 0], square[:, 1], np.zeros(5), turn, tilt)
        self.floor.set_segments([np.stack([x, y], -1)])
        sides = (((0, -1.25), (0, 1.25)), ((-1.25, 0), (1.25, 0)))
        for label, both, along in zip(self.labels, sides, ((1, 0), (0, 1)), strict=True):
            ends = [np.array(side, dtype=float) for side in both]
            places = [self._project(u, v, np.zeros(()), turn, tilt) for u, v in ends]
            across, up, _ = min(places, key=lambda place: float(place[2]))  # the nearer side
            u, v = np.array(along, dtype=float)
            right, rise, _ = self._project(u, v, np.zeros(()), turn, tilt)
            angle = float(np.rad2deg(np.arctan2(rise, right)))
            label.set(
                position=(float(across), float(up) - 0.1),
                rotation=(angle + 90) % 180 - 90,  # along its side, and never upside down
            )

    @staticmethod
    def _project(
        u: Array, v: Array, height: Array, turn: float, tilt: float
    ) -> tuple[Array, Array, Array]:
        """Across and up on the page, and distance from the eye: an orthographic view."""
        around, above = np.deg2rad(turn), np.deg2rad(tilt)
        across = u * np.cos(around) - v * np.sin(around)
        away = u * np.sin(around) + v * np.cos(around)
        return across, away * np.sin(above) + height * np.cos(above), away


class Path:
    """A path of training on its principal plane, from a cross to a circle, that grows in place."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        (self.line,) = ax.plot(
            [], [], marker=".", markersize=4, color=style.PALETTE[1], linewidth=1.6, zorder=3
        )
        (self.start,) = ax.plot([], [], linestyle="", marker="X", markersize=10, **POINT)
        (self.end,) = ax.plot([], [], linestyle="", marker="o", markersize=9, **POINT)
        self.name([np.nan, np.nan])

    def name(self, explained: Sequence[float]) -> None:
        """Label the axes with the share of the movement along each, (2,)."""
        axes = zip((self.ax.xaxis, self.ax.yaxis), ("first", "second"), explained, strict=True)
        for axis, which, share in axes:
            percent = f" ({share:.0%} of the movement)" if np.isfinite(share) else ""
            axis.set_label_text(f"{which} direction{percent}")

    def show(self, coordinates: Array) -> None:
        """The path so far, (T, 2); nothing is shown of a path that is not finite."""
        x, y = coordinates[np.isfinite(coordinates).all(axis=1)].T
        for artist, part in (
            (self.line, slice(None)), (self.start, slice(0, 1)), (self.end, slice(-1, None)),
        ):  # fmt: skip
            artist.set_data(x[part], y[part])

    def make_room(self) -> None:
        """Limits that hold the path, in whole steps, so that the axes don't tremble meanwhile."""
        points = np.asarray(self.line.get_data(), dtype=float)
        if not points.size:
            return
        across, up = (_reach(values) for values in points)
        self.ax.set(xlim=(-across, across / 4), ylim=(-up, up))


def _reach(values: Array) -> float:
    """A round number beyond the largest size in `values`."""
    most = float(np.abs(values).max())
    unit = 10.0 ** np.floor(np.log10(most)) if most > 0 else 1.0
    return float(unit * np.ceil(1.1 * most / unit))
