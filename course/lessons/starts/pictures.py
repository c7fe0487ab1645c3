"""Pictures of starts and remedies: moments by layer, a whole map's spectrum, and accuracies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import curves, style
from course.plots.decades import Decades, Formula, Levels, length, places

Array = NDArray[Any]


class Moments:
    """Two axes by layer: the mean as a share of the size, and the variance; measured and form."""

    def __init__(self, fig: Figure, axes: Sequence[Axes]) -> None:
        left, right = axes
        left.set(title="Mean, as a share of the size", xlabel="layer", ylim=(-1.05, 1.05))
        left.set_ylabel("mean / root mean square")
        right.set(title="Variance", xlabel="layer", ylabel="variance of the units")
        style.whole_numbers(left)
        self.left = left
        decades = Decades(right, low=2, high=2, layers=True)
        (self.mean,) = left.plot([], [], label="measured", **style.line(0))
        (self.mean_form,) = left.plot([], [], label="closed form", **style.formula())
        self.variance, self.variance_form = Levels(decades, "measured", 0), Formula(decades)
        style.legend_below(fig, [self.mean, self.mean_form])

    def show(self, mean: Array, variance: Array, form: Array, variance_form: Array) -> None:
        """All (L,), of the layers 1 to L; the means as shares."""
        layers = np.arange(1, len(mean) + 1)
        self.mean.set_data(layers, mean)
        self.mean.set_markevery(places(len(mean)))
        self.mean_form.set_data(layers, form)
        self.variance.show(variance)
        self.variance_form.show(variance_form)
        style.limits(self.left, xlim=(0, 1.02 * length(len(mean))))


class Stretching:
    """Two axes: what is left of the input's length, layer by layer, and the singular values."""

    def __init__(self, fig: Figure, axes: Sequence[Axes]) -> None:
        left, right = axes
        left.set(title="Forward: the signal", xlabel="layer $l$", ylabel="length, over the input's")
        right.set(title="The whole network", xlabel="rank", ylabel="singular value")
        decades = Decades(left, layers=True), Decades(right, low=9)  # most laws need that much
        self.sizes, self.singular = (Levels(axis, "measured", 0) for axis in decades)
        self.powers, self.power = (Formula(axis, r"$w^l$ and $w^L$") for axis in decades)
        style.legend_below(fig, [self.sizes.line, self.powers.line])

    def show(self, sizes: Array, singular: Array, powers: Array) -> None:
        """sizes and powers w^l (n,) of layers 1 to n; singular values (m,), largest first."""
        self.sizes.show(sizes)
        self.powers.show(powers)
        self.singular.show(singular, below=1e-15 * float(singular[0]))
        self.power.show(np.full(len(singular), powers[-1]))


class Remedies:
    """An accuracy of every remedy (a row) at every depth (a marker), to be moved.

    Thin dots are runs, the marker is their mean, a bar reaches one standard error to each side.
    skips: the names of those with skip connections, which stand below a line. last: whether it is
    the rightmost of its row, which has the legend.
    """

    def __init__(
        self,
        ax: Axes,
        names: Sequence[str],
        depths: Sequence[int],
        skips: Sequence[str],
        classes: int,
        accuracy: str = "training accuracy (%)",
        last: bool = True,
    ) -> None:
        self.names, self.depths = list(names), list(depths)
        self.means, self.bars, self.runs = {}, {}, {}
        for k, depth in enumerate(depths):
            line = style.line(k)
            colour = line["color"]
            (self.means[depth],) = ax.plot(
                [], [], linestyle="", color=colour, marker=line["marker"], markersize=7,
                label=f"{depth} blocks" if depth else "no block", zorder=3,
            )  # fmt: skip
            (self.runs[depth],) = ax.plot(
                [], [], linestyle="", color=colour, marker=".", markersize=5, alpha=0.45
            )
            self.bars[depth] = ax.hlines([], [], [], color=colour, linewidth=2.5, alpha=0.5)
        guessing_at = 100 / classes
        ax.axvline(guessing_at, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        ax.text(guessing_at + 0.6, -0.62, "guessing", color=style.GREY, fontsize=8, va="center")
        ax.set(xlim=(0, 102), ylim=(len(names) - 0.4, -0.85), xlabel=accuracy)
        ax.set_yticks(range(len(names)), self.names)
        ax.grid(False, axis="y")
        for row in range(len(names)):
            ax.axhspan(row - 0.42, row + 0.42, color=style.LIGHT, alpha=0.35, linewidth=0, zorder=0)
        first = min((self.names.index(name) for name in skips), default=None)
        if first is not None:
            ax.axhline(first - 0.5, color=style.ink(), linewidth=0.8)
        if first is not None and last:
            middles = (first - 1) / 2, (first + len(names) - 1) / 2
            for words, middle in zip(("without skips", "with skips"), middles, strict=True):
                ax.text(
                    1.012, middle, words, transform=ax.get_yaxis_transform(), rotation=270,
                    color=style.GREY, fontsize=9, va="center",
                )  # fmt: skip
        if last:
            ax.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.08, 1.0))

    def show(self, values: Mapping[tuple[str, int], Array]) -> None:
        """values: accuracies (R,) as shares, by remedy and depth."""
        for k, depth in enumerate(self.depths):
            measured = [name for name in self.names if (name, depth) in values]
            if not measured:
                continue
            offset = 0.26 * (k - (len(self.depths) - 1) / 2)
            rows = np.array([self.names.index(name) + offset for name in measured])
            runs = 100 * np.array([values[name, depth] for name in measured])  # (N, R)
            mean, error = curves.mean_and_error(runs)
            self.means[depth].set_data(mean, rows)
            self.runs[depth].set_data(runs.ravel(), np.repeat(rows, runs.shape[1]))
            ends = [np.stack([mean + side * error, rows], -1) for side in (-1, 1)]
            self.bars[depth].set_segments(list(np.stack(ends, axis=1)))
