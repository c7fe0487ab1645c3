"""Figures of networks whose loss was sliced: training, galleries of maps, roughness by depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from course.lessons.loss_landscapes.pictures import Colours, LossMap, Path
from course.plots import curves, style

Array = NDArray[Any]

LINES = {
    **{name: style.architecture(name) for name in ("plain", "resnet", "looks-linear")},
    "small weights": style.line(2),
    "plain, batch norm": {**style.architecture("plain"), "markerfacecolor": "none"},
    "resnet, batch norm": {**style.architecture("resnet"), "markerfacecolor": "none"},
}
"""Plain with small weights has the colour of no other here; hollow marks: with batch norm."""


class Losses:
    """Losses of several runs against the step: colour by kind, the deeper the stronger."""

    def __init__(
        self, fig: Figure, ax: Axes, names: Mapping[str, tuple[str, int]], steps: int
    ) -> None:
        most = max(depth for _, depth in names.values())
        self.ax = ax
        lines = {
            name: {**LINES[kind], "marker": "", "alpha": 0.35 + 0.65 * depth / most}
            for name, (kind, depth) in names.items()
        }
        self.bands = curves.empty_bands(ax, lines)
        ax.set(xlabel="step", ylabel="loss of the batch", xlim=(0, steps), ylim=(1e-3, 10))
        ax.set_yscale("log")
        fig.legend(loc="outside right center", frameon=False, fontsize=9)

    def show(self, name: str, steps: Sequence[int], loss: Array) -> None:
        """Move one line: steps (N,), loss (N, R). What lies below a thousandth is on the edge."""
        curves.move_band(self.bands[name], steps, np.maximum(loss, 1e-3))


def gallery(fig: Figure, axes: Any, slices: Mapping[str, Mapping[str, Any]]) -> None:
    """Maps in rows, each of replica 0, all in the same colours.

    Losses above 100 have the colour of 100.

    slices: surfaces with alphas, betas and loss (R, A, B), by row and by what to call each.
    """
    colours = Colours(fig, list(np.ravel(axes)))
    colours.fit(*[s.loss[0] for row in slices.values() for s in row.values()], most=100.0)
    for row, (name, surfaces) in zip(axes, slices.items(), strict=True):
        for ax, (which, surface) in zip(row, surfaces.items(), strict=True):
            LossMap(ax, colours).show(surface.alphas, surface.betas, surface.loss[0])
            ax.set(xlabel="", ylabel="", title=f"{name}, {which}")
    for ax in axes[-1]:
        ax.set_xlabel("first direction")
    for ax in axes[:, 0]:
        ax.set_ylabel("second direction")


def roughness(fig: Figure, axes: Sequence[Axes], counts: Mapping[str, Mapping[int, Any]]) -> None:
    """Share of non-convex points, minima, and accuracy, against depth: mean and band over runs.

    counts: by network and depth, with nonconvex, minima and accuracy (R,) as attributes.
    """
    panels = (
        ("nonconvex", 100, "bends downward (%)"),
        ("minima", 1, "minima of the slice"),
        ("accuracy", 100, "training accuracy (%)"),
    )
    for ax, (value, factor, label) in zip(axes, panels, strict=True):
        for name, by_depth in counts.items():
            values = np.array([factor * getattr(r, value) for r in by_depth.values()], dtype=float)
            curves.mean_band(ax, list(by_depth), values, label=name, **LINES[name])
            if len(by_depth) == 1:  # no line, so no band
                mean, error = curves.mean_and_error(values)
                colour = LINES[name]["color"]
                ax.errorbar(list(by_depth), mean, error, fmt="none", ecolor=colour, capsize=3)
        ax.set(xlabel="depth (hidden blocks)", ylabel=label)
        style.whole_numbers(ax, 5)
    axes[0].set_ylim(-2, 102)
    axes[1].set_ylim(bottom=0)
    axes[2].set_ylim(-2, 102)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside right center", frameon=False)


def beside_the_plane(ax: Axes, steps: Array, true: Array, flat: Array) -> None:
    """The loss along a path (T,) and along its picture on the plane, against the step."""
    for k, (name, values) in enumerate((("the path itself", true), ("on the plane", flat))):
        ax.plot(steps, values, label=name, **{**style.line(k), "marker": ""})
    ax.set(xlabel="step", ylabel="loss", yscale="log")
    ax.legend(frameon=False)


def two_planes(fig: Figure, axes: Sequence[Axes], surfaces: Mapping[str, Any]) -> None:
    """A map of each surface (replica 0), by its title, with dots where it bends downward."""
    colours = Colours(fig, list(axes))
    colours.fit(*[surface.loss[0] for surface in surfaces.values()])
    for ax, (title, surface) in zip(axes, surfaces.items(), strict=True):
        panel = LossMap(ax, colours, title)
        panel.show(surface.alphas, surface.betas, surface.loss[0], surface.bends_down()[0])


def descents(ax: Axes, losses: Array, middle: float) -> None:
    """Losses (steps + 1, M) on the way down from M places, and that of the trained weights."""
    for k, loss in enumerate(losses.T):
        line = {**style.line(k), "marker": "", "label": f"from minimum {k + 1} of the slice"}
        ax.plot(range(len(loss)), loss, **line)
    ax.axhline(middle, color=style.GREY, linestyle=(0, (2, 2)), label="the trained weights")
    ax.set(xlabel="step", ylabel="loss", yscale="log", xlim=(0, len(losses) - 1))
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def path_on_map(fig: Figure, ax: Axes, surface: Any, path: Any) -> None:
    """The first replica's path over the loss on its plane.

    surface: alphas, betas, loss (R, A, B); path: coordinates (R, T, 2), explained (R, 2).
    """
    colours = Colours(fig, [ax])
    colours.fit(surface.loss[0])
    LossMap(ax, colours).show(surface.alphas, surface.betas, surface.loss[0])
    ax.set_aspect("auto")
    _path(ax, path)


def beside_a_walk(fig: Figure, axes: Sequence[Axes], surface: Any, path: Any, walk: Any) -> None:
    """`path_on_map` on the left, and on the right a walk on its own plane."""
    path_on_map(fig, axes[0], surface, path)
    axes[0].set_title("training")
    _path(axes[1], walk).make_room()
    axes[1].set_title("random walk")
    axes[1].locator_params(axis="x", nbins=5)


def _path(ax: Axes, path: Any) -> Path:
    line = Path(ax)
    line.show(path.coordinates[0])
    line.name(path.explained[0])
    return line
