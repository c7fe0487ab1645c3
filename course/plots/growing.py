"""Curves of runs that are still training: they grow in place, and the axes change in steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from course.plots import curves, style
from course.plots.numbers import with_error

POINTS = 300  # of a curve that are drawn
PALE = "earlier try"


class GrowingCurves:
    """What records say of `value`, against the step: a mean line with a band for each run.

    names: of the runs; a network's name gives its line of the course's palette. log: whether the
    axis is logarithmic, where zeros are gaps. Several curves get a legend beside the axes, with the
    words of `heading` above it. Records have step, steps, and `value` as an array
    (R,) or None (passed over). What is not finite is marked with a cross at the upper edge.
    """

    def __init__(
        self, ax: Axes, names: Sequence[str], value: str, *, log: bool, heading: str = ""
    ) -> None:
        self.ax, self.value, self.log = ax, value, log
        known = style.ARCHITECTURES
        lines = {
            name: {**(style.architecture(name) if name in known else style.line(k)), "marker": ""}
            for k, name in enumerate(names)
        }
        self._bands = curves.empty_bands(ax, lines)
        ax.set(xlabel="step", ylabel=value.replace("_", " "))
        if log:
            ax.set_yscale("log")
        self.clear()
        if len(names) > 1:
            # Beside the axes: inside, it would lie on a curve sooner or later.
            handles = [curve for curve, _, _ in self._bands.values()]
            ax.figure.legend(
                handles=handles, title=heading or None, loc="outside right upper", frameon=False,
                fontsize=9, title_fontsize=9,
            )  # fmt: skip

    def clear(self) -> None:
        """Axes as they are before there is anything to draw."""
        self.ax.set(xlim=(0, 1), ylim=(0.1, 1))

    def show_widest(self) -> None:
        """Axes with the widest labels that are likely; see `style.hold`."""
        self.ax.set(xlim=(0, 1e5), ylim=(1e-12, 1) if self.log else (0, 0.01))

    def show(self, history: Mapping[str, Sequence[Any]]) -> str:
        """Draw the records so far, by the name of their run; returns what they show in words."""
        words, drawable = [], [np.empty(0)]
        for name, records in history.items():
            measured = [record for record in records if getattr(record, self.value) is not None]
            if not measured:
                continue
            last = measured[-1]
            thinned = measured[:: max(1, len(measured) // POINTS)]
            if thinned[-1] is not last:
                thinned.append(last)
            values = np.array([getattr(record, self.value) for record in thinned])
            curves.move_band(self._bands[name], [record.step for record in thinned], values)
            drawable.append(values[np.isfinite(values) & ((values > 0) | (not self.log))])
            self._make_room(last.step, last.steps)
            words.append(f"{name}: {self._words(values[-1])}{_breakdown(records[-1])}")
        self._fit(np.concatenate(drawable))
        return "\n".join(words)

    def _words(self, last: np.ndarray) -> str:
        mean, error = curves.mean_and_error(last)
        what, size = self.value.replace("_", " "), with_error(float(mean), float(error))
        return f"{what} {size} over {len(last)} run{'s' * (len(last) != 1)}."

    def _make_room(self, step: int, steps: int) -> None:
        """The axis begins with a 16th of all steps and doubles, so that a beginning is seen."""
        end = float(steps)
        for _ in range(4):
            end = end / 2 if step <= end / 2 else end
        if end > self.ax.get_xlim()[1]:
            self.ax.set_xlim(0, end)

    def _fit(self, values: np.ndarray) -> None:
        """Limits that hold all values, in whole steps: the axis must not tremble meanwhile."""
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        if self.log:
            low, high = 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high * 1.0001))
        else:
            step = 10 ** np.floor(np.log10(max(high - low, 1e-6)))
            low, high = step * np.floor(low / step), step * np.ceil(high / step + 0.05)
        style.limits(self.ax, ylim=(float(low), float(high)))


def keep_pale(fig: Figure, tries: int = 3) -> None:
    """Leave a pale copy of each curve on `fig`, to be compared; so many copies at most."""
    for ax in fig.axes:
        earlier = [line for line in ax.lines if line.get_gid() == PALE]
        curves_now = [line for line in ax.lines if line.get_gid() != PALE and _is_curve(line)]
        for line in earlier[: max(len(earlier) - (tries - 1) * len(curves_now), 0)]:
            line.remove()
        for line in curves_now:
            ax.plot(
                *line.get_data(), color=line.get_color(), alpha=0.25, linewidth=1.0, zorder=1,
                label="_earlier", gid=PALE,
            )  # fmt: skip


def _is_curve(line: Line2D) -> bool:
    own = line.get_transform() == line.axes.transData if line.axes else False
    return own and line.get_linestyle() != "None" and np.size(line.get_xdata()) > 1


def _breakdown(record: Any) -> str:
    """Which replicas broke down, and where the first did; '' if none."""
    broken = [place for place in record.first_nonfinite if place is not None]
    if not broken:
        return ""
    first = min(broken, key=lambda place: place.step)
    return (
        f" Not finite in {len(broken)}, first at step {first.step}:"
        f" the {first.what} of {first.layer}."
    )
