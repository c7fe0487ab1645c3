"""What a matrix does: to a circle, to its singular values, and many of them to a cloud of points.

Matrices act from the right, y = x W, as everywhere in the course.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from course.arguments import reject
from course.plots import style
from course.plots.diagrams.strokes import FORWARD, Drawing, arrow, node, sheet, write

Array = NDArray[Any]
ANGLES = np.linspace(0, 2 * np.pi, 361)
CIRCLE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def _matrix(name: str, values: ArrayLike, side: int | None = None) -> Array:
    matrix = np.asarray(values, dtype=float)
    square = matrix.ndim == 2 and (side is None or matrix.shape == (side, side))
    if not square or not matrix.size or not np.isfinite(matrix).all():
        shape = f"({side}, {side})" if side else "(rows, columns)"
        raise reject(name, matrix.shape, f"a matrix of finite numbers, shape {shape}")
    return matrix


def circles(matrices: Mapping[str, ArrayLike]) -> Drawing:
    """What each 2 x 2 matrix makes of a circle: an ellipse with its singular values as half axes.

    matrices: {title: (2, 2)}. Dashed: the circle x, and the two directions that W only stretches.
    Raises ValueError for another shape, or what is not finite.
    """
    values = {name: _matrix(name, one, 2) for name, one in matrices.items()}
    svd = {name: np.linalg.svd(one) for name, one in values.items()}
    reach = 1.15 * max([1.0, *(s[0] for _, s, _ in svd.values())])
    fig, axes = style.figure(3.2 * len(values), 3.5, ncols=len(values), squeeze=False)
    words = []
    for ax, (name, matrix) in zip(axes[0], values.items(), strict=True):
        u, s, vt = svd[name]
        ax.plot(*CIRCLE.T, color=style.GREY, linestyle="--", linewidth=1, label="circle x")
        ax.plot(*(CIRCLE @ matrix).T, color=FORWARD, linewidth=2, label="x W")
        for k, color in enumerate((style.PALETTE[1], style.PALETTE[2])):
            ax.plot(*np.array([(0, 0), u[:, k]]).T, color=color, linestyle=":", linewidth=1.5)
            if s[k] > 1e-9:
                arrow(ax, (0, 0), tuple(s[k] * vt[k]), color, linewidth=2)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        ax.set_title(f"{name}\nsingular values {s[0]:.2f}, {s[1]:.2f}", fontsize=10)
        words.append(f"{name}: an ellipse with half axes {s[0]:.2f} and {s[1]:.2f}")
    return fig, (
        "A circle, dashed, and what a matrix makes of it. Two directions of the circle, dotted,"
        f" arrive at right angles, stretched by the singular values. {'; '.join(words)}."
    )


def circle(matrix: ArrayLike, title: str = "x W") -> Drawing:
    """What one 2 x 2 matrix makes of a circle, see `circles`."""
    return circles({title: matrix})


def starts(matrices: Mapping[str, ArrayLike]) -> Drawing:
    """The entries of each matrix as shades, and below its singular values.

    matrices: {title: (rows, columns)}, such as a Gaussian, a folded and an orthogonal one.
    Raises ValueError for what is not a matrix of finite numbers.
    """
    values = {name: _matrix(name, one) for name, one in matrices.items()}
    spectra = {name: np.linalg.svd(one, compute_uv=False) for name, one in values.items()}
    largest = max(abs(one).max() for one in values.values())
    fig, axes = style.figure(
        2.7 * len(values), 4.4, nrows=2, ncols=len(values), squeeze=False,
        gridspec_kw={"height_ratios": (1.6, 1)},
    )  # fmt: skip
    image: Any = None
    for top, bottom, (name, matrix) in zip(*axes, values.items(), strict=True):
        image = top.imshow(matrix, cmap="PuOr", vmin=-largest, vmax=largest)
        top.grid(False)
        top.set(title=name, xticks=[], yticks=[], xlabel="to unit", ylabel="from unit")
        s = spectra[name]
        bottom.bar(np.arange(1, len(s) + 1), s, color=FORWARD)
        top_value = 1.1 * max(spectrum[0] for spectrum in spectra.values())
        bottom.set(ylim=(0, top_value or 1), xlabel="number k", ylabel="singular value")
        style.whole_numbers(bottom)
    fig.colorbar(image, ax=list(axes[0]), label="entry", shrink=0.8)
    said = "; ".join(
        f"{name}: from {s[0]:.2f} to {s[-1]:.2f}, {_rank(s)} of {len(s)} above 0"
        for name, s in spectra.items()
    )
    return fig, f"Matrices as shades, and below each its singular values. {said}."


def _rank(s: Array) -> int:
    return int((s > 1e-9 * max(s[0], 1e-300)).sum())


def fold() -> Drawing:
    """A layer as it is drawn and once folded: its inputs come in pairs, seen only as a sum."""
    fig, axes = sheet(5.4, 3.9, columns=2)
    _joined(axes[0], "Gaussian", "4 inputs, 4 numbers get through", pairs=False)
    _joined(axes[1], "folded once", "4 inputs, 2 sums get through", pairs=True)
    return fig, (
        "Left: a layer in which each of 4 inputs has its own weights. Right: the same, folded: the"
        " weights of inputs 3 and 4 are copies of those of inputs 1 and 2, so the layer sees only"
        " the sums x_1 + x_3 and x_2 + x_4, and half of the directions are lost."
    )


def _joined(ax: Axes, name: str, below: str, pairs: bool) -> None:
    """Four inputs and four outputs: all joined, or the inputs first added in pairs."""
    heights = [3.0 - 0.7 * k for k in range(4)]
    colors = [style.PALETTE[k] for k in ((1, 2, 1, 2) if pairs else (1, 2, 3, 4))]
    dashes = ["-", "--", "-", "--"] if pairs else ["-", "--", "-.", ":"]
    middle = [(2.5, 2.55), (2.5, 1.35)]
    for k, (y, color, dash) in enumerate(zip(heights, colors, dashes, strict=True)):
        node(ax, (0.7, y), rf"$x_{k + 1}$", 0.28, color)
        if pairs:
            arrow(ax, (0.98, y), (middle[k % 2][0] - 0.5, middle[k % 2][1]), color, linestyle=dash)
    sources = middle if pairs else [(0.5, y) for y in heights]
    for (x, y), color, dash in zip(sources, colors, dashes, strict=False):
        for end in heights:
            arrow(ax, (x + 0.5, y), (4.4, end), color, linewidth=0.9, linestyle=dash)
    if pairs:
        for at, text, color in zip(middle, ("$x_1+x_3$", "$x_2+x_4$"), colors, strict=False):
            node(ax, at, "", 0.5, color)
            write(ax, at, text, 9)
    for k, y in enumerate(heights):
        node(ax, (4.7, y), rf"$y_{k + 1}$", 0.28, FORWARD)
    write(ax, (2.7, 3.65), name, 12, weight="bold")
    write(ax, (2.7, 0.25), below)


def clouds(points: Mapping[str, ArrayLike]) -> Drawing:
    """A cloud of points at several depths, each point in the colour of its place in the first one.

    points: {title: (N, 2)}, the same N points in each, such as a circle after 0, 5, 20 layers. Each
    picture has its own scale, printed above. Raises ValueError for other shapes.
    """
    values = {name: _matrix(name, one) for name, one in points.items()}
    shapes = {one.shape for one in values.values()}
    if len(shapes) != 1 or next(iter(shapes))[1] != 2:
        raise reject("points", sorted(shapes), "the same number of points in each, shape (N, 2)")
    first = next(iter(values.values()))
    hue = np.arctan2(*(first - first.mean(0)).T[::-1])
    fig, axes = style.figure(2.7 * len(values), 3.2, ncols=len(values), squeeze=False)
    words = []
    for ax, (name, cloud) in zip(axes[0], values.items(), strict=True):
        centred = cloud - cloud.mean(0)
        s = np.linalg.svd(centred, compute_uv=False)
        reach = 1.1 * abs(centred).max() or 1.0
        ax.scatter(*centred.T, c=hue, cmap="hsv", s=14, edgecolors="none")
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        ratio = s[1] / s[0] if s[0] else 0.0
        ax.set_title(f"{name}\nlong : short = 1 : {ratio:.1g}", fontsize=10)
        words.append(f"{name}: {ratio:.1g}")
    return fig, (
        "A cloud of points, drawn at several depths, each to its own scale. Its short axis over"
        f" its long one: {'; '.join(words)}."
    )
