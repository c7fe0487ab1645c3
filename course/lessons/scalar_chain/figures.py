"""Figures of notebook 01 that do not move: what a recurrent unit remembers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import style


def memory(influences: Mapping[float, NDArray[np.float64]]) -> tuple[Figure, str]:
    """How much an input counts at the end, against how long ago it came, with its words.

    influences: weight -> (T,), for the inputs from the first to the last. The closed form is drawn
    as a line, what was measured as markers.
    """
    fig, ax = style.figure(8.0, 3.4)
    ends = []
    for k, (weight, values) in enumerate(influences.items()):
        ago = np.arange(len(values))
        ax.plot(ago, weight ** ago.astype(float), **style.formula())
        dots = {**style.line(k), "linestyle": "", "label": f"w = {weight:g}"}
        ax.plot(ago[::5], values[::-1][::5], **dots)
        ends.append(f"w = {weight:g}: {values[0]:.0e}")
    ax.set(xlabel="steps ago", ylabel="$dh_T/dx_t$", yscale="log")
    style.legend_beside(ax)
    return fig, (
        "How much an input counts at the end, on a log axis against how many steps ago it came:"
        f" straight lines. {len(ago) - 1} steps ago: {'; '.join(ends)}. The markers, measured, lie"
        " on the black lines, the closed form."
    )
