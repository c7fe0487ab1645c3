"""Figures that are drawn once: what a kernel sees in a picture, and gradients unit by unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import curves, experiments, style

Array = NDArray[Any]


def seen(picture: Array, kernels: Mapping[str, Array], maps: Mapping[str, Array]) -> Figure:
    """The picture, and for each kernel by its name the kernel above the map that it makes.

    Pictures are dark where they are large; kernels and maps are blue below 0 and red above.
    """
    fig, axes = style.figure(
        1.9 * (len(kernels) + 1), 3.4, nrows=2, ncols=len(kernels) + 1, squeeze=False
    )
    for ax in axes.flat:
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
        ax.spines[:].set(color=style.GREY, linewidth=0.5)
    first, below = axes[:, 0]
    first.set_visible(False)
    below.imshow(picture, cmap="gray_r", interpolation="nearest")
    below.set_xlabel("picture")
    for (above, below), (name, kernel) in zip(axes[:, 1:].T, kernels.items(), strict=True):
        for ax, values, room in ((above, kernel, 3.0), (below, maps[name], 1.0)):
            most = room * np.abs(values).max()  # kernels pale, so that one can read the numbers
            ax.imshow(values, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
        above.set_title(name, fontsize=10)
        below.set_xlabel("map")
        for row, column in np.ndindex(kernel.shape):
            above.text(column, row, f"{kernel[row, column]:g}", ha="center", va="center",
                       fontsize=8, color="black")  # fmt: skip
    return fig


def growth(
    ax: Axes, sizes: Mapping[str, Array], sides: Sequence[int], forms: Mapping[str, Array]
) -> None:
    """Gradients by unit, with closed forms, on a logarithmic axis; a line where maps shrink.

    sizes: (K, R) by the name of an architecture. sides: rows of the maps of each unit. forms: (K,)
    by name, sizes by a formula, drawn for each size of maps on its own.
    """
    units = np.arange(1, len(sides) + 1)
    for name, values in sizes.items():
        line = {**style.architecture(name), "markersize": 3}
        middle, error = curves.mean_and_error(np.log10(values))
        ax.plot(units, 10**middle, label=name, **line)
        ax.fill_between(
            units, 10 ** (middle - error), 10 ** (middle + error),
            color=line["color"], alpha=curves.BAND, linewidth=0,
        )  # fmt: skip
    for (name, values), dash in zip(forms.items(), ((0, (1, 2)), (0, (5, 2))), strict=False):
        form = {**style.formula(), "linestyle": dash}
        for part in np.split(units, np.flatnonzero(np.diff(sides)) + 1):
            label = name if part[0] == 1 else None
            ax.plot(part, values[part - 1], label=label, **form)
    for k in np.flatnonzero(np.diff(sides)) + 1:
        ax.axvline(k + 0.5, color=style.GREY, linewidth=0.8)
    for k in np.unique(sides, return_index=True)[1]:
        ax.text(k + 0.7, 0.02, f"{sides[k]} x {sides[k]}", fontsize=8, color=style.GREY,
                transform=ax.get_xaxis_transform())  # fmt: skip
    style.whole_numbers(ax)
    ax.set(xlabel="residual unit", ylabel="size of the gradient", yscale="log")
    style.legend_beside(ax)


def record(
    axes: Sequence[Axes], lines: Mapping[str, tuple[Mapping[str, Array], str]], guessing: float
) -> None:
    """Training and test accuracy in percent against depth, mean and standard error over seeds.

    lines: by its name the columns of a table, only the last rows of each run, and the network of
    it that is drawn. A name that is no network's takes the line of one that is not drawn.
    guessing: the percentage of right answers by chance.
    """
    free = iter([name for name in style.ARCHITECTURES if name not in lines])
    styles = {n: style.architecture(n if n in style.ARCHITECTURES else next(free)) for n in lines}
    for ax, (measure, title) in zip(axes, experiments.PANELS, strict=True):
        for name, (columns, network) in lines.items():
            depths, values = experiments.by_depth(columns, network, measure)
            curves.mean_band(ax, depths, 100 * values, label=name, **styles[name])
        ax.set(title=title, xlabel="depth (layers)")
        ax.set_ylim(0)
        below = guessing - 0.06 * ax.get_ylim()[1]
        style.guide(ax, guessing, "guessing", at=(0.3, below))
    axes[0].set_ylabel("accuracy (%)")
    style.legend_beside(axes[-1])
