"""Pictures of skips that leave, and of the multipliers that push them out, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import curves, style

Array = NDArray[Any]


POINTS, DOTS = 400, 24  # of a line, and of the closed form


class Phases:
    """Two axes against the step: what is left of the skips, and their multipliers."""

    def __init__(self, fig: Figure, axes: Sequence[Axes]) -> None:
        self.axes = left, right = tuple(axes)
        left.set(title="What is left of the skips", ylabel=r"$1 - \alpha$", ylim=(-0.03, 1.05))
        right.set(title="Their multipliers", ylabel=r"$\lambda$", ylim=(-2.75, 0.75))
        simulated = {**style.line(0), "marker": ""}
        (self.left,) = left.plot([], [], label="simulated", **simulated)
        (self.multiplier,) = right.plot([], [], **simulated)
        (self.form,) = left.plot(
            [], [], color="black", linestyle="", marker="o", markerfacecolor="none",
            markersize=5, label="closed form",
        )  # fmt: skip
        measured = {**style.line(1), "marker": ""}
        self.measured = curves.empty_band(left, label="measured", **measured)
        self.measured_multiplier = curves.empty_band(right, **measured)
        self.predicted = left.axvline(
            np.nan, color=style.GREY, linewidth=1.2, label="predicted: gone"
        )
        (self.against,) = right.plot(
            [0, 1], [0, 0], transform=right.get_yaxis_transform(), label="skips leave below this",
            color=style.GREY, linewidth=1.2, linestyle=(0, (4, 2)),
        )  # fmt: skip
        for ax in axes:
            ax.set_xlabel("step")
        lines = [self.left, self.form, self.measured[0], self.predicted, self.against]
        style.legend_below(fig, lines)

    def show(
        self, left: Array, multiplier: Array, form: Array, predicted: float, resistance: float
    ) -> None:
        """left, multiplier and form (steps + 1,); predicted: when skips are gone, or infinity."""
        steps = np.arange(len(left))
        thin = slice(None, None, max(1, len(left) // POINTS))
        few = np.unique(np.linspace(0, len(left) - 1, DOTS).astype(int))
        self.left.set_data(steps[thin], left[thin])
        self.multiplier.set_data(steps[thin], multiplier[thin])
        self.form.set_data(few, form[few])
        self.predicted.set_xdata([predicted if np.isfinite(predicted) else np.nan] * 2)
        self.against.set_ydata([-resistance, -resistance])
        for ax in self.axes:
            style.limits(ax, xlim=(0, _end(len(left) - 1, ax.get_xlim()[1])))

    def show_measured(self, left: Array | None, multiplier: Array | None) -> None:
        """left and multiplier (steps + 1, curves) of a training run, or None for none."""
        for band, values in ((self.measured, left), (self.measured_multiplier, multiplier)):
            shown = curves.NOTHING if values is None else (np.arange(len(values)), values)
            curves.move_band(band, *shown)


def _end(steps: int, now: float) -> float:
    """Where an axis of so many steps ends: as now while a fifth of it or more is used.

    Else the least of 10, 20, 50, 100, 200, ... that holds them.
    """
    if now / 5 <= steps <= now:
        return now
    return next(k * 10.0**n for n in range(1, 9) for k in (1, 2, 5) if k * 10**n >= steps)


class Steps:
    """Three axes against the step for runs side by side: skips left, multipliers, accuracy."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], names: Sequence[str]) -> None:
        self.axes = left, middle, right = tuple(axes)
        left.set(title="What is left of the skips", ylabel=r"mean of $1 - \alpha$")
        left.set(ylim=(-0.03, 1.05))
        middle.set(title="Their multipliers", ylabel=r"mean of $\lambda$", ylim=(-1.5, 0.1))
        right.set(title="Accuracy in training", ylabel="last ten batches (%)", ylim=(0, 103))
        lines = {name: {**style.line(k), "marker": ""} for k, name in enumerate(names)}
        self.bands = [curves.empty_bands(ax, lines) for ax in axes]
        for ax in axes:
            ax.set(xlabel="step", xlim=(0, 100))
        style.legend_below(fig, [self.bands[0][name][0] for name in names], ncols=4)

    def show(self, name: str, left: Array, multiplier: Array, accuracy: Array) -> None:
        """Run `name`: left, multiplier (steps + 1, R), accuracy (steps, R) as shares.

        The axes grow by the hundred.
        """
        steps = np.arange(len(left))
        shown = (steps, left), (steps, multiplier), (steps[1:], 100 * accuracy)
        for bands, (x, values) in zip(self.bands, shown, strict=True):
            curves.move_band(bands[name], x, values)
        low, end = float(multiplier.min()), 100.0 * np.ceil(steps[-1] / 100)
        if low < self.axes[1].get_ylim()[0]:
            self.axes[1].set_ylim(np.floor(2 * low - 0.2) / 2, 0.1)
        for ax in self.axes:
            if end > ax.get_xlim()[1]:
                ax.set_xlim(0, end)
