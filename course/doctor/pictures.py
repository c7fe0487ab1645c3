"""The figure by layer: sizes of signals and gradients, and cosines, with the place marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from course.doctor.words import number
from course.plots import style

if TYPE_CHECKING:
    from course.doctor.verdict import LayerRecord


def by_layer(layers: Sequence[LayerRecord], place: Sequence[str] = ()) -> Figure:
    """Three panels over the layers, input first: size, gradient (logarithmic), mean cosine.

    place: names of layers to be marked in grey.
    """
    fig, axes = style.figure(9.0, 2.8, ncols=3)
    at = list(range(1, len(layers) + 1))
    series = [
        ("size of the output", [one.size for one in layers], True),
        ("gradient", [one.gradient for one in layers], True),
        ("mean cosine of examples", [one.cosine for one in layers], False),
    ]
    for ax, (title, values, logarithmic) in zip(axes, series, strict=True):
        drawn = [v if math.isfinite(v) and (v > 0 or not logarithmic) else math.nan for v in values]
        ax.plot(at, drawn, **style.line(0))
        for number_, one in zip(at, layers, strict=True):
            if one.name in place:
                ax.axvspan(number_ - 0.5, number_ + 0.5, color=style.LIGHT, zorder=0)
        if logarithmic and any(map(math.isfinite, drawn)):
            ax.set_yscale("log")
        ax.set(title=title, xlabel="layer")
        style.whole_numbers(ax)
    return fig


def in_words(layers: Sequence[LayerRecord]) -> str:
    """The figure in words: first, last, least and largest of each panel."""
    parts = []
    for name in ("size", "gradient", "cosine"):
        values = [getattr(one, name) for one in layers if not math.isnan(getattr(one, name))]
        if values:
            ends = f"from {number(values[0])} in the first to {number(values[-1])} in the last"
            parts.append(f"{name} {ends}, between {number(min(values))} and {number(max(values))}")
    return f"{len(layers)} layers: " + "; ".join(parts) + "."
