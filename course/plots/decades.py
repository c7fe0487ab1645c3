"""Log axes over many decades, shared by the pictures of several lessons.

A `Decades` axis widens by whole decades when it must, and narrows where less than a third of it
would do, if what it shows is `settled`. What has no place on a log axis lies on its edge: zeros and
rounding at the bottom, infinity at the top.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import Locator, NullLocator
from numpy.typing import ArrayLike, NDArray

from course.plots import arrange, style

Array = NDArray[np.float64]
LADDER = (1, 3, 9, 27, 81, 300)
"""An axis reaches up to 10^h, and down to 10^-h, with h from here: few steps, for each is slow."""
LENGTHS = (10, 100)
"""An axis of layers ends at one of these: it stays where it is while the depth changes."""
MARKERS = 12
"""So many along an axis of layers: more would merge into a band."""
NOTE = 0.03
"""Where what lies on the edge of an axis stands, as a share of its height."""


class Decades:
    """Artists on a log axis which holds whatever they show; see the head of this module.

    low, high: it reaches from 10^-low to 10^high at least. layers: the x axis ends at one of
    `LENGTHS`, and not where what is shown does. beside: an axis to be compared with, which has the
    same limits. settled: set it to False while a training goes on, whose beginning needs little
    room and whose end needs much: until it is True again the axis only widens.
    """

    settled = True

    def __init__(
        self, ax: Axes, *, low: int = 2, high: int = 1, layers: bool = False,
        beside: Decades | None = None,
    ) -> None:  # fmt: skip
        self.ax, self.least, self.layers = ax, (low, high), layers
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(_Powers())
        ax.yaxis.set_minor_locator(NullLocator())
        ax.set(xlim=(0, 1), ylim=(10.0 ** -_rung(low), 10.0 ** _rung(high)))
        style.whole_numbers(ax)
        self.notes = 0  # lines of words at its edges
        self._positive: dict[Any, Array] = {}  # by the name of the line
        self._together = [self]
        self.arranged = False  # whether the figure was at the last fit, see `style.hold`
        if beside is not None:
            self._together, self._positive = beside._together, beside._positive
            self._together.append(self)

    def fit(self, name: str, values: ArrayLike, x: ArrayLike) -> None:
        """Make room for the values of the line called `name`, and for x from 0 to its largest."""
        first, arranged = self._together[0], arrange.held(self.ax.figure)
        fresh = arranged and not first.arranged  # what was shown before was there to make room
        first.arranged = arranged
        if fresh:
            self._positive.clear()
        y = np.asarray(values, dtype=float)
        self._positive[id(self), name] = y[np.isfinite(y) & (y > 0)].ravel()
        every = np.concatenate(list(self._positive.values()))
        ends = self.least
        if every.size:
            ends = (max(ends[0], -np.log10(every.min())), max(ends[1], np.log10(every.max())))
        now = (0, 0) if fresh else first._ends()
        low, high = (
            _hold(end, at) if self.settled else max(_rung(end), at)
            for end, at in zip(ends, now, strict=True)
        )
        style.limits(self.ax, xlim=(0, 1.02 * self.end(x)))
        for axis in self._together:
            style.limits(axis.ax, ylim=(10.0**-low, 10.0**high))

    def _ends(self) -> tuple[int, int]:
        """The rungs that the axis reaches to now, down and up."""
        low, high = np.log10(self.ax.get_ylim())
        return round(-low), round(high)

    def end(self, x: ArrayLike) -> float:
        """Where the x axis ends that has room for these."""
        end = max(float(np.max(x, initial=0.0)), 1.0)
        return float(length(end)) if self.layers else end


class _Powers(Locator):
    """Ticks at powers of ten, a round number of decades apart, 1 among them; six at most.

    Matplotlib's own also asks for a power beyond each end, which float64 does not have at 1e300.
    """

    APART = (1, 2, 3, 4, 5, 10, 20, 25, 50, 100, 200)

    def __call__(self) -> list[float]:
        return self.tick_values(*self.axis.get_view_interval())  # type: ignore[union-attr]

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        low, high = np.log10([vmin, vmax])
        apart = next(apart for apart in self.APART if high - low <= 5 * apart)
        powers = apart * np.arange(np.ceil(low / apart), np.floor(high / apart) + 1)
        return [float(10.0**power) for power in powers]

    def beside(self, vmin: float, vmax: float) -> list[tuple[float, float]]:
        """Limits of a `Decades` axis a rung away, at an end or both: `live` draws them beforehand.

        None where these are not on rungs.
        """
        ends = [_near(round(power)) for power in (-np.log10(vmin), np.log10(vmax))]
        return [(10.0**-low, 10.0**high) for low, high in itertools.product(*ends)][1:]

    @property
    def every(self) -> list[float]:
        """Where a tick ever is on a `Decades` axis: `live` lays out their labels beforehand."""
        return _every()


@cache
def _every() -> list[float]:
    ends, locator = itertools.product(LADDER, LADDER), _Powers()
    ticks = {tick for low, high in ends for tick in locator.tick_values(10.0**-low, 10.0**high)}
    return sorted(ticks, key=lambda tick: abs(np.log10(tick)))  # the likely ones first


def _rung(exponent: float) -> int:
    return next((h for h in LADDER if exponent <= h), LADDER[-1])


def _near(rung: int) -> list[int]:
    """A rung, the next and the one before, so far as there are."""
    if rung not in LADDER:
        return []
    k = LADDER.index(rung)
    return [*LADDER[k : k + 2], *LADDER[max(k - 1, 0) : k]]


def _hold(exponent: float, now: int) -> int:
    """The rung for this exponent, or the one now where less than a third of it would not do."""
    rung = _rung(exponent)
    return now if rung < now <= 3 * rung else rung


def length(depth: float) -> int:
    """Where an axis for so many layers ends: the least of `LENGTHS` that holds them."""
    return next((end for end in LENGTHS if depth <= end), LENGTHS[-1])


def places(count: int) -> list[int]:
    """Which of so many points have a marker: the first, the last, and those well between them."""
    every = max(1, length(count) // MARKERS)
    return sorted({*range(0, count - every // 2 - 1, every), 0, count - 1} & {*range(count)})


class Levels:
    """A line of one number per place (layer, rank) on a `Decades` axis.

    under: wide and pale, for it may have the same values as one that is drawn after it. What has no
    place on the axis stands at its edge, with a word that says what it is.
    """

    WIDE: ClassVar[dict[str, Any]] = {"linewidth": 3.5, "markersize": 7, "alpha": 0.4}

    def __init__(self, axis: Decades, name: str, k: int, *, under: bool = False) -> None:
        self.axis, self.name = axis, name
        line = {**style.line(k), **(self.WIDE if under else {})}
        (self.line,) = axis.ax.plot([], [], label=name, **line)
        edge: dict[str, Any] = {
            "linestyle": "", "color": line["color"], "transform": axis.ax.get_xaxis_transform(),
            "clip_on": False, "markersize": 5,
        }  # fmt: skip
        (self.low,) = axis.ax.plot([], [], marker="v", label="_nothing", **edge)
        (self.high,) = axis.ax.plot([], [], marker="^", label="_not finite", **edge)
        at = 2 * NOTE * (1 + axis.notes)  # a line for each, so that they do not meet
        self.notes = [
            axis.ax.text(
                0, height, "", transform=axis.ax.get_xaxis_transform(), color=line["color"],
                fontsize=9, va=side, clip_on=True,
            )
            for height, side in ((at, "bottom"), (1 - at, "top"))
        ]  # fmt: skip
        axis.notes += 1
        for artist in (self.low, self.high, *self.notes):
            artist.set_in_layout(False)

    def show(self, values: ArrayLike, below: float = 0.0, nothing: str = "") -> None:
        """values: (N,), for the places 1 to N; what is at most `below` is called `nothing`.

        By itself that is "exactly 0", or "0 but for rounding" with a `below`.
        """
        y = np.asarray(values, dtype=float)
        x = np.arange(1, len(y) + 1)
        broken, low = ~np.isfinite(y), np.isfinite(y) & (y <= below)
        shown = np.where(broken | low, np.nan, y)
        self.line.set_data(x, shown)
        self.line.set_markevery(places(len(y)))
        words = nothing or ("0 but for rounding" if below else "exactly 0")
        for artist, note, mask, height, word in (
            (self.low, self.notes[0], low, NOTE, words),
            (self.high, self.notes[1], broken, 1 - NOTE, "not finite"),
        ):
            at = x[mask][places(int(mask.sum()))]
            artist.set_data(at, np.full(len(at), height))
            note.set_text(word if len(at) else "")
            if len(at):
                right = at[0] > 0.6 * self.axis.end(x)
                note.set(x=at[-1] if right else at[0], ha="right" if right else "left")
        self.axis.fit(self.name, shown, x)


class Formula:
    """A closed form on a `Decades` axis: a black line, with gaps where it is 0 or not finite."""

    def __init__(self, axis: Decades, label: str = "closed form") -> None:
        self.axis = axis
        (self.line,) = axis.ax.plot([], [], label=label, **style.formula())

    def show(self, values: ArrayLike) -> None:
        """values: (N,), for the places 1 to N."""
        y = np.asarray(values, dtype=float)
        shown = np.where(np.isfinite(y) & (y > 0), y, np.nan)
        x = np.arange(1, len(y) + 1)
        self.line.set_data(x, shown)
        self.axis.fit("closed form", shown, x)
