"""Pictures of what skip connections pass on: signal, gradients and neighbours, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.lessons.degradation.pictures import neighbours_axes
from course.plots import curves, style
from course.plots.decades import Decades, Formula, Levels, length

Array = NDArray[Any]


class Passage:
    """Three axes for one network: what is kept of the signal, gradients, nearest neighbours."""

    def __init__(self, fig: Figure, axes: Sequence[Axes], classes: int) -> None:
        left, middle, right = axes
        left.set(title="Forward: kept of the signal", xlabel="block", ylabel="share of $h_0$")
        middle.set(title="Backward: gradients", xlabel="block", ylabel="size of the gradient")
        decades = Decades(left, low=2, layers=True)
        self.signal, self.formula = Levels(decades, "measured", 0), Formula(decades)
        self.gradients = Levels(Decades(middle, low=2, high=2, layers=True), "gradient", 1)
        self.right = right
        self.neighbours = curves.empty_band(right, **style.line(2))
        neighbours_axes(right, classes)
        style.whole_numbers(right)
        style.legend_below(fig, [self.signal.line, self.formula.line])

    def show(
        self, signal: Array, form: Array, gradients: Array, places: Array, neighbours: Array
    ) -> None:
        """signal, form and gradients (L,) of blocks 1 to L; places (P,) and neighbours (P, R)."""
        self.signal.show(signal, below=1e-30)
        self.formula.show(form)
        self.gradients.show(gradients)
        curves.move_band(self.neighbours, places, 100 * neighbours)
        end = length(max(places))
        style.limits(self.right, xlim=(-0.02 * end, 1.02 * end))
