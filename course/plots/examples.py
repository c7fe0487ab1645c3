"""Pictures of the data: examples, their neighbours in a layer, what is confused, what a unit sees.

Images are arrays (N, rows, columns) or (N, rows, columns, 3), as `Dataset.pictures` returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course.arguments import reject, whole
from course.plots import style

Array = NDArray[Any]
Drawing = tuple[Figure, str]
SIDE = 0.72
"""Inches of one picture in a grid."""


def _images(images: ArrayLike) -> Array:
    pictures = np.asarray(images)
    if pictures.ndim not in (3, 4) or not len(pictures) or pictures.shape[3:] not in ((), (3,)):
        allowed = "(N, rows, columns) or (N, rows, columns, 3)"
        raise reject("shape of images", pictures.shape, allowed)
    return pictures


def _names(labels: ArrayLike, classes: Sequence[str] | None) -> list[str]:
    return [classes[int(k)] if classes else str(int(k)) for k in np.asarray(labels)]


def _picture(ax: Axes, image: Array, text: str = "", color: str | None = None) -> None:
    """One image, with a word below it and a frame of that colour."""
    ax.imshow(image, cmap="gray_r", interpolation="nearest")
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
    ax.spines[:].set(color=color or style.GREY, linewidth=2.5 if color else 0.5)
    ax.set_xlabel(text, fontsize=9, labelpad=2)


def _grid(rows: int, columns: int, left: float = 0.0) -> tuple[Figure, Any]:
    """Axes for rows x columns pictures; left: inches kept for words at the left."""
    size = (SIDE * columns + left + 0.1, (SIDE + 0.22) * rows + 0.1)
    return style.figure(*size, nrows=rows, ncols=columns, squeeze=False)


def gallery(
    images: ArrayLike, labels: ArrayLike, classes: Sequence[str] | None = None, columns: int = 10
) -> Drawing:
    """The images in rows, each with its label below.

    labels: (N,) whole numbers; classes: what they mean, the numbers themselves if None.
    """
    pictures, names = _images(images), _names(labels, classes)
    columns = min(whole("columns", columns, least=1), len(pictures))
    fig, axes = _grid(-(-len(pictures) // columns), columns)
    for ax, image, name in zip(axes.flat, pictures, names, strict=False):
        _picture(ax, image, name)
    for ax in axes.flat[len(pictures) :]:
        ax.set_visible(False)
    return fig, f"{len(pictures)} pictures, in rows: {', '.join(names)}."


def neighbours(
    images: ArrayLike,
    labels: ArrayLike,
    example: int,
    nearest: Mapping[str, Mapping[Any, Sequence[int]]],
    classes: Sequence[str] | None = None,
) -> Drawing:
    """An example and its nearest neighbours, a row for each depth, networks side by side.

    images, labels: all N of them. example: its index. nearest: {network: {depth: indices of the
    nearest, nearest first}}, the same depths and as many indices for each. A neighbour of the same
    class has a green frame and its label below, another one an orange frame and "not" before it.
    """
    pictures, truth = _images(images), np.asarray(labels)
    names = _names(truth, classes)
    depths = list(next(iter(nearest.values())))
    counts = {len(found) for rows in nearest.values() for found in rows.values()}
    if len(counts) != 1 or any(list(rows) != depths for rows in nearest.values()):
        raise reject("nearest", counts, "the same depths and as many indices for each network")
    (count,) = counts
    fig = Figure(
        figsize=((SIDE * (count + 1) + 0.75) * len(nearest), (SIDE + 0.24) * len(depths) + 0.5),
        dpi=100, layout="constrained",
    )  # fmt: skip
    panels = fig.subfigures(1, len(nearest), wspace=0.04, squeeze=False)[0]
    lines = []
    for panel, (network, rows) in zip(panels, nearest.items(), strict=True):
        panel.suptitle(network, fontsize=11, fontweight="bold")
        axes = panel.subplots(len(depths), count + 1, squeeze=False)
        for line, (depth, found) in zip(axes, rows.items(), strict=True):
            _picture(line[0], pictures[example], names[example], style.ink())
            line[0].set_ylabel(f"after {depth}", fontsize=9)
            for ax, k in zip(line[1:], found, strict=True):
                same = truth[k] == truth[example]
                color = style.PALETTE[2] if same else style.PALETTE[1]
                _picture(ax, pictures[k], names[k] if same else f"not: {names[k]}", color)
            same = int((truth[list(found)] == truth[example]).sum())
            lines.append(f"{network}, after {depth}: {same} of {count} are of its class")
    return fig, f"A {names[example]} and its {count} nearest neighbours. {'; '.join(lines)}."


def confusion(labels: ArrayLike, answers: ArrayLike, classes: Sequence[str] | int = 10) -> Drawing:
    """How often each class is taken for each other one: a table of counts.

    labels, answers: (N,) whole numbers from 0. classes: their names, or how many there are.
    """
    truth, given = np.asarray(labels, dtype=int), np.asarray(answers, dtype=int)
    names = [str(k) for k in range(classes)] if isinstance(classes, int) else list(classes)
    if truth.shape != given.shape or truth.ndim != 1 or not truth.size:
        raise reject("shape of answers", given.shape, f"as labels: {truth.shape}, and not empty")
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (truth, given), 1)
    wrong = counts - np.diag(np.diag(counts))
    fig, ax = style.figure(0.42 * len(names) + 1.3, 0.38 * len(names) + 1.1)
    ax.grid(False)
    ax.imshow(wrong, cmap="Oranges", vmin=0, vmax=max(1, wrong.max()))
    for (row, column), n in np.ndenumerate(counts):
        right = row == column
        dark = not right and n > 0.6 * wrong.max()
        color = style.GREY if right else "white" if dark else "black"
        ax.text(column, row, n or "", ha="center", va="center", fontsize=8, color=color)
    places = range(len(names))
    ax.set(xlabel="answer", ylabel="label", xticks=places, yticks=places)
    ax.set_xticklabels(names, rotation=0 if max(map(len, names)) < 4 else 60)
    ax.set_yticklabels(names)
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    worst = f"; most often {names[row]} is taken for {names[column]}, {wrong[row, column]} times"
    return fig, (
        f"Of {truth.size} examples {int(np.trace(counts))} are answered rightly"
        f"{worst if wrong.any() else ''}."
    )


def confused(
    images: ArrayLike,
    labels: ArrayLike,
    answers: ArrayLike,
    classes: Sequence[str] | None = None,
    most: int = 20,
) -> Drawing:
    """The pictures that are answered wrongly, the first `most` of them: "label, taken for answer".

    images: N of them; labels, answers: (N,) whole numbers.
    """
    pictures, truth, given = _images(images), np.asarray(labels), np.asarray(answers)
    wrong = np.flatnonzero(truth != given)
    shown = wrong[: whole("most", most, least=1)]
    columns = min(10, max(1, len(shown)))
    fig, axes = _grid(-(-max(1, len(shown)) // columns), columns)
    pairs = list(zip(_names(truth[shown], classes), _names(given[shown], classes), strict=True))
    for ax, k, (name, answer) in zip(axes.flat, shown, pairs, strict=False):
        _picture(ax, pictures[k], f"{name} → {answer}", style.PALETTE[1])
    for ax in axes.flat[len(shown) :]:
        ax.set_visible(False)
    said = ", ".join(f"{name} taken for {answer}" for name, answer in pairs)
    return fig, f"{len(wrong)} of {len(pictures)} pictures are answered wrongly. {said}".strip()


def unit(images: ArrayLike, sums: ArrayLike, count: int = 6) -> Drawing:
    """What one unit sees: the pictures with its largest and smallest sums, and all sums as bars.

    sums: (N,), the unit's sum z for each picture. A ReLU unit with no sum above 0 is dead.
    """
    pictures, z = _images(images), np.asarray(sums, dtype=float)
    if z.shape != (len(pictures),) or not np.isfinite(z).all():
        raise reject("shape of sums", z.shape, f"{len(pictures)} finite numbers, one a picture")
    order = np.argsort(-z, kind="stable")
    count = min(whole("count", count, least=1), len(z) // 2 or 1)
    fig = Figure(figsize=(SIDE * count + 4.2, 2 * (SIDE + 0.4)), dpi=100, layout="constrained")
    widths = (SIDE * count + 0.3, 3.9)
    left, right = fig.subfigures(1, 2, width_ratios=widths, squeeze=False)[0]
    axes = left.subplots(2, count, squeeze=False)
    chosen = (("largest sums", order[:count]), ("smallest sums", order[::-1][:count]))
    for line, (name, found) in zip(axes, chosen, strict=True):
        for ax, k in zip(line, found, strict=True):
            _picture(ax, pictures[k], f"{z[k]:.1f}")
        line[0].set_ylabel(name, fontsize=9)
    ax = style.tidy(right.subplots())
    edges = list(np.histogram_bin_edges(np.append(z, 0.0), 40))
    for part, color, name in (
        (z[z <= 0], style.PALETTE[4], "off: sum 0 or less"),
        (z[z > 0], style.PALETTE[0], "on: sum above 0"),
    ):
        ax.hist(part, edges, color=color, label=name)
    ax.axvline(0, color=style.ink(), linewidth=1)
    ax.set(xlabel="sum z of the unit", ylabel="pictures")
    ax.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    share = (z > 0).mean()
    dead = " It is dead: no picture switches it on." if share == 0 else ""
    return fig, (
        f"A unit's sums for {len(z)} pictures, from {z.min():.2g} to {z.max():.2g}."
        f" It is on for {share:.0%} of them.{dead}"
    )
