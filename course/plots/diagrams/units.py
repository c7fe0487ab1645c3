"""The curves of units, their slopes, and where on the curve units sit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from course.arguments import one_of, reject
from course.plots import style
from course.plots.diagrams.strokes import Drawing

Array = NDArray[Any]


@dataclass(frozen=True)
class Curve:
    """A unit's function in words, as a function of its sum z, and its slope."""

    formula: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _normal(z: Array) -> Array:
    """The probability that a standard normal number is below z."""
    return np.array([math.erfc(-one / math.sqrt(2)) / 2 for one in z.flat]).reshape(z.shape)


def _bell(z: Array) -> Array:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def _exponential(z: Array) -> Array:
    return np.exp(np.minimum(z, 0))  # of the negative half alone: the other one would overflow


SCALE, DEPTH = 1.0507009873554805, 1.7580993408473766
"""SELU's lambda, and its lambda alpha: Klambauer, Unterthiner, Mayr and Hochreiter (2017)."""

CURVES = {
    "sigmoid": Curve("1 / (1 + exp(-z))", _sigmoid, lambda z: _sigmoid(z) * _sigmoid(-z)),
    "tanh": Curve("tanh(z)", np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "hard-tanh": Curve(
        "z, cut off at -1 and 1", lambda z: np.clip(z, -1, 1), lambda z: 1.0 * (abs(z) < 1)
    ),
    "relu": Curve("z if z > 0, else 0", lambda z: np.maximum(z, 0), lambda z: 1.0 * (z > 0)),
    "leaky-relu": Curve(
        "z if z > 0, else 0.01 z",
        lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01),
    ),
    "elu": Curve(
        "z if z > 0, else exp(z) - 1",
        lambda z: np.where(z > 0, z, _exponential(z) - 1),
        lambda z: np.where(z > 0, 1, _exponential(z)),
    ),
    "gelu": Curve(
        "z P(normal < z)", lambda z: z * _normal(z), lambda z: _normal(z) + z * _bell(z)
    ),
    "selu": Curve(
        "1.05 z if z > 0, else 1.76 (exp(z) - 1)",
        lambda z: np.where(z > 0, SCALE * z, DEPTH * (_exponential(z) - 1)),
        lambda z: np.where(z > 0, SCALE, DEPTH * _exponential(z)),
    ),
}  # fmt: skip
"""In the order in which the course meets them; the same functions as `networks.activations`."""

FLAT = 0.1
"""A slope of less than this in size is shaded: little of a gradient passes."""


def curves(*names: str) -> Drawing:
    """A picture for each unit: its curve, its slope, and shaded where it is nearly flat.

    names: of CURVES, all if none is given. Raises ValueError for others.
    """
    chosen = [one_of("names", name, CURVES) for name in names or CURVES]
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    fig, axes = style.figure(
        2.5 * columns, 2.3 * rows + 0.4,
        nrows=rows, ncols=columns, sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    for ax, name in zip(axes.flat, chosen, strict=False):
        _curve(ax, name, 4.0)
        ax.set_title(name, fontsize=11, pad=18)
        ax.text(0.5, 1.03, CURVES[name].formula, transform=ax.transAxes, ha="center", fontsize=8)
    for ax in axes.flat[len(chosen) :]:
        ax.set_visible(False)
    for ax in axes[-1]:
        ax.set_xlabel("sum z")
    handles = [*axes[0, 0].lines[-2:], axes[0, 0].collections[0]]
    style.legend_below(fig, handles, ncols=3 if columns > 1 else 1)
    described = "; ".join(f"{name}: {CURVES[name].formula}" for name in chosen)
    flat = ", ".join(filter(None, map(_flat, chosen)))
    return fig, f"Curves of units with their slopes. {described}. Nearly flat: {flat or 'none'}."


def _flat(name: str) -> str:
    """On which side the curve is nearly flat, in words; nothing if on neither."""
    low, high = (abs(CURVES[name].slope(np.array([z]))[0]) < FLAT for z in (-6.0, 6.0))
    sides = {(True, True): "far out on both sides", (True, False): "on the left"}
    return f"{name} {sides[low, high]}" if low or high else ""


def _curve(ax: Axes, name: str, reach: float) -> None:
    z = np.linspace(-reach, reach, 801)
    value, slope = CURVES[name].value(z), CURVES[name].slope(z)
    span = dict(color=style.tint(style.PALETTE[4], 0.3), linewidth=0, zorder=0)
    low, high = -2.0, 2.5
    ax.fill_between(z, low, high, where=list(abs(slope) < FLAT), label=f"slope below {FLAT}",
                    step="mid", **span)  # type: ignore[arg-type]  # fmt: skip
    ax.axhline(0, color=style.GREY, linewidth=0.8)
    ax.plot(z, value, color=style.PALETTE[0], linewidth=2, label="output f(z)")
    ax.plot(z, slope, color=style.PALETTE[1], linewidth=1.5, linestyle="--", label="slope f'(z)")
    ax.set(xlim=(-reach, reach), ylim=(low, high))


def positions(name: str, sums: ArrayLike) -> Drawing:
    """A unit's curve, and below it how many of the `sums` lie where on it.

    name: of CURVES. sums: z, numbers of any shape, such as all units of a layer for all examples.
    What is not finite is counted in words; what lies beyond the picture stands in its outer bars.
    Raises ValueError for another name or no number.
    """
    curve = CURVES[one_of("name", name, CURVES)]
    z = np.asarray(sums, dtype=float).ravel()
    finite = z[np.isfinite(z)]
    if not finite.size:
        raise reject("sums", f"{z.size} numbers", "at least one finite number")
    reach = float(np.clip(1.1 * np.quantile(abs(finite), 0.995), 4, 12))
    fig, (top, bottom) = style.figure(
        6.5, 4.2, nrows=2, sharex=True, gridspec_kw={"height_ratios": (2, 1)}
    )
    _curve(top, name, reach)
    shaded = abs(curve.slope(finite)) < FLAT
    edges = np.linspace(-reach, reach, 61)
    inside = np.clip(finite, -reach, reach)
    parts = [inside[~shaded], inside[shaded]]
    shares = [np.full(len(part), 100 / finite.size) for part in parts]
    bottom.hist(
        parts, edges, stacked=True, weights=shares, color=[style.PALETTE[0], style.PALETTE[4]],
    )  # fmt: skip
    top.set_title(f"{name}: {curve.formula}", fontsize=11)
    bottom.set(xlabel="sum z", ylabel="% of sums")
    style.legend_beside(top)
    lost = f" {z.size - finite.size} are not finite." if finite.size < z.size else ""
    return fig, (
        f"The curve of {name}, {curve.formula}, and where {z.size} sums lie on it: half of them"
        f" between {np.quantile(finite, 0.25):.2g} and {np.quantile(finite, 0.75):.2g}."
        f" {100 * shaded.mean():.0f} % sit where the slope is below {FLAT}.{lost}"
    )
