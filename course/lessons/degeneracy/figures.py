"""Figures that are drawn once: gradients of outputs and weights, what units answer, remedies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course.plots import curves, style

Array = NDArray[Any]


def by_layer(
    ax: Axes, measured: Mapping[str, Array], formulas: Mapping[str, Array], title: str
) -> None:
    """Sizes of gradients by layer on a log axis: geometric mean over runs, and closed forms.

    measured: (L, R) by name; formulas: (L,) by the same names, or some of them.
    """
    for k, (name, values) in enumerate(measured.items()):
        layers = np.arange(1, len(values) + 1)
        shown = {**style.line(k), "markersize": 4, "linestyle": ""}
        ax.plot(layers, np.exp(np.log(values).mean(axis=1)), label=name, **shown)
        if name in formulas:
            form = {**style.line(k), "marker": "", "linewidth": 1.2}
            ax.plot(layers, formulas[name], label=f"{name}, formula", **form)
    ax.set(title=title, xlabel="layer", ylabel="size", yscale="log")
    style.whole_numbers(ax)


def answers(fig: Figure, axes: Any, units: Mapping[str, ArrayLike]) -> None:
    """What each unit of a layer (rows) answers to each input (columns), as shades.

    units: (inputs, units) by title; each picture has its own scale, the largest answer in it.
    """
    image: Any = None
    for ax, (title, values) in zip(axes, units.items(), strict=True):
        table = np.asarray(values, dtype=float).T
        image = ax.imshow(table / abs(table).max(), cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
        ax.grid(False)
        ax.set(title=title, xlabel="input", xticks=[], yticks=[])
    axes[0].set_ylabel("unit")
    fig.colorbar(image, ax=list(axes), label="share of the largest", shrink=0.9)


def remedies(ax: Axes, losses: Mapping[str, Mapping[str, Array]]) -> None:
    """A table of losses (R,), {remedy: {start: losses}}: a column for each remedy, shaded.

    In each field stands mean ± standard error, or that it breaks down, where a run did.
    """
    columns, rows = list(losses), list(next(iter(losses.values())))
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            values = np.asarray(losses[column][row], dtype=float)
            whole = bool(np.isfinite(values).all())
            mean, error = curves.mean_and_error(values[None])
            text = f"{mean[0]:.2f} ± {error[0]:.2f}" if whole else "breaks down"
            shade = style.tint(style.PALETTE[1], 0.55 * min(mean[0], 1.0) if whole else 0.9)
            ax.fill_between([x, x + 1], y, y + 1, color=shade, linewidth=0)
            ax.text(x + 0.5, y + 0.5, text, ha="center", va="center")
    for x in range(1, len(columns)):
        ax.axvline(x, color=style.paper(), linewidth=2)
    for y in range(1, len(rows)):
        ax.axhline(y, color=style.paper(), linewidth=2)
    ax.grid(False)
    ax.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    for edge in ax.spines.values():
        edge.set_visible(False)
