"""Pictures of skips that leave: what is left of them, their multipliers, and the accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course.plots import curves, style

Array = NDArray[Any]
Band = tuple[Line2D, PolyCollection, Line2D]
NOTHING = np.full((1, 1), np.nan)
POINTS, DOTS = 400, 24  # of a line, and of the closed form

RUNS: dict[str, dict[str, Any]] = {
    "plain": style.architecture("plain"), "resnet": style.architecture("resnet"),
    "van": style.architecture("van"), "van0": style.architecture("van0"),
    "published": style.architecture("van"), "slow": style.line(3), "ramp": style.line(4),
    "cut": style.line(6),
}  # fmt: skip
"""Lines of the networks and schedules by name."""


def _empty(ax: Axes, **line: Any) -> Band:
    """A line with its band, and nothing in it yet."""
    band = curves.mean_band(ax, [0], NOTHING, **line)
    band[2].set_visible(False)  # the cross which says that a value is not finite
    return band


def _move(band: Band, x: Any, values: Array | None) -> None:
    """Give the band new values (N, R), or None for nothing."""
    curves.move_band(band, *(([0], NOTHING) if values is None else (x, values)))
    band[2].set_visible(values is not None)


class Phases:
    """Two axes against the step: what is left of the skips, and their multipliers."""

    def __init__(self, fig: Figure, axes: Sequence[Axes]) -> None:
        self.axes = left, right = tuple(axes)
        left.set(title="What is left of the skips", ylabel=r"$1 - \alpha$", ylim=(-0.03, 1.05))
        right.set(title="Their multipliers", ylabel=r"$\lambda$")
        simulated = {**style.line(0), "marker": ""}
        (self.left,) = left.plot([], [], label="simulated", **simulated)
        (self.multiplier,) = right.plot([], [], **simulated)
        dots: dict[str, Any] = {
            "color": "black",
            "linestyle": "",
            "marker": "o",
            "markerfacecolor": "none",
        }
        (self.form,) = left.plot([], [], markersize=5, label="closed form", **dots)
        measured = {**style.line(1), "marker": ""}
        self.measured = _empty(left, label="measured", **measured)
        self.measured_multiplier = _empty(right, **measured)
        self.when = left.axvline(np.nan, color=style.GREY, linewidth=1.2, label="predicted: gone")
        (self.against,) = right.plot(
            [0, 1], [0, 0], transform=right.get_yaxis_transform(), label="skips leave below this",
            color=style.GREY, linewidth=1.2, linestyle=(0, (4, 2)),
        )  # fmt: skip
        for ax in axes:
            ax.set_xlabel("step")
        handles = [self.left, self.form, self.measured[0], self.when, self.against]
        fig.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=9)

    def show(
        self, left: Array, multiplier: Array, form: Array, when: float, resistance: float
    ) -> None:
        """left, multiplier and form (steps + 1,); when: the predicted step, or infinity."""
        steps = np.arange(len(left))
        thin = slice(None, None, max(1, len(left) // POINTS))
        few = np.unique(np.linspace(0, len(left) - 1, DOTS).astype(int))
        self.left.set_data(steps[thin], left[thin])
        self.multiplier.set_data(steps[thin], multiplier[thin])
        self.form.set_data(few, form[few])
        self.when.set_xdata([when if np.isfinite(when) else np.nan] * 2)
        self.against.set_ydata([-resistance, -resistance])
        seen = np.append(multiplier, -resistance)
        room = max(0.08 * float(np.ptp(seen)), 0.05)
        self.axes[1].set_ylim(float(seen.min()) - room, float(seen.max()) + room)
        for ax in self.axes:
            ax.set_xlim(0, max(len(left) - 1, 1))

    def show_measured(self, left: Array | None, multiplier: Array | None) -> None:
        """left and multiplier (steps + 1, curves) of a training run, or None for none."""
        for band, values in ((self.measured, left), (self.measured_multiplier, multiplier)):
            _move(band, None if values is None else np.arange(len(values)), values)


class Steps:
    """Three axes against the step for runs side by side: skips left, multipliers, accuracy."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], names: Sequence[str]) -> None:
        self.axes = left, middle, right = tuple(axes)
        left.set(title="What is left of the skips", ylabel=r"mean of $1 - \alpha$")
        left.set(ylim=(-0.03, 1.05))
        middle.set(title="Their multipliers", ylabel=r"mean of $\lambda$", ylim=(-1.5, 0.1))
        right.set(title="Accuracy in training", ylabel="last ten batches (%)", ylim=(0, 103))
        looks = [{**style.line(k), "marker": ""} for k in range(len(names))]
        self.bands = [
            {name: _empty(ax, label=name, **look) for name, look in zip(names, looks, strict=True)}
            for ax in axes
        ]
        for ax in axes:
            ax.set(xlabel="step", xlim=(0, 100))
        handles = [self.bands[0][name][0] for name in names]
        fig.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9)

    def show(self, name: str, left: Array, multiplier: Array, accuracy: Array) -> None:
        """Run `name`: left, multiplier (steps + 1, R), accuracy (steps, R) as shares.

        The axes grow by the hundred.
        """
        steps = np.arange(len(left))
        _move(self.bands[0][name], steps, left)
        _move(self.bands[1][name], steps, multiplier)
        _move(self.bands[2][name], steps[1:], 100 * accuracy)
        low, end = float(multiplier.min()), 100.0 * np.ceil(steps[-1] / 100)
        if low < self.axes[1].get_ylim()[0]:
            self.axes[1].set_ylim(np.floor(2 * low - 0.2) / 2, 0.1)
        for ax in self.axes:
            if end > ax.get_xlim()[1]:
                ax.set_xlim(0, end)


class Schedules:
    """Three axes against the epoch: skips left, accuracy with running and with batch statistics."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], names: Sequence[str], most: int) -> None:
        left, middle, right = axes
        left.set(title="What is left of the skips", ylabel=r"mean of $1 - \alpha$")
        left.set(ylim=(-0.03, 1.05))
        middle.set(title="Running statistics", ylabel="training accuracy (%)", ylim=(0, 103))
        right.set(title="Statistics of each batch", ylabel="training accuracy (%)", ylim=(0, 103))
        self.bands = []
        for ax in axes:
            ax.set(xlabel="epoch", xlim=(0, most + 0.3))
            self.bands.append({name: _empty(ax, label=name, **RUNS[name]) for name in names})
        handles = [self.bands[1][name][0] for name in names]
        fig.legend(handles=handles, loc="outside right center", frameon=False)

    def show(
        self, name: str, epochs: Array, left: Array | None, running: Array, batches: Array | None
    ) -> None:
        """left (N, R), or None without skips to remove; the two accuracies (N, R) as shares."""
        if left is not None:
            _move(self.bands[0][name], [0.0, *epochs], np.stack([np.ones(left.shape[1]), *left]))
        for bands, accuracy in zip(self.bands[1:], (running, batches), strict=True):
            _move(bands[name], epochs, None if accuracy is None else 100 * accuracy)
