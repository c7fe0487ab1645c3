"""Axes that stay while sliders move: layers in two lengths, sizes in few steps, and shared."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from course.live import Canvas
from course.plots import style
from course.plots.decades import LADDER, LENGTHS, MARKERS, Decades, Levels, length, places


@given(st.integers(1, 100))
def test_an_axis_of_layers_holds_them_and_ends_at_few_places(depth: int) -> None:
    assert depth <= length(depth) and length(depth) in LENGTHS
    assert depth > 10 or length(depth) == 10  # so that three layers are seen as well


@given(st.integers(0, 100))
def test_markers_stand_apart_and_the_last_layer_has_one(count: int) -> None:
    marked = places(count)
    assert marked == sorted(set(marked)) and len(marked) <= MARKERS + 2
    assert count == 0 or (marked[0], marked[-1]) == (0, count - 1)


def test_a_scale_widens_at_once_and_narrows_where_less_than_a_third_would_do() -> None:
    _, ax = style.figure()
    levels = Levels(Decades(ax, low=1, high=1), "some", 0)
    ends = []
    for exponent in (0, 5, 9, 5, 3, 2, 1, 27, 1):
        levels.show([1.0, 10.0**exponent])
        ends.append(round(np.log10(ax.get_ylim()[1])))
    assert ends == [1, 9, 9, 9, 9, 9, 1, 27, 1]


def test_a_walk_over_all_depths_draws_few_pictures_in_full() -> None:
    fig, (left, right) = style.figure(8.0, 3.0, ncols=2)
    forward = Decades(left, layers=True)
    backward = Decades(right, layers=True, beside=forward)
    lines = Levels(forward, "signal", 0), Levels(backward, "gradient", 1)
    style.hold(fig, lambda: lines[0].show([1e-300, 1e300]))
    canvas = Canvas(fig)
    for depth in range(1, 101):
        lines[0].show(1.3 ** np.arange(depth))
        lines[1].show(0.9 ** np.arange(depth))
        assert left.get_ylim() == right.get_ylim()
        low, high = left.get_ylim()
        assert (
            low <= 0.9 ** (depth - 1) and high >= 1.3 ** (depth - 1) and left.get_xlim()[1] >= depth
        )
        canvas.render()
    # One at first, and one for each new length or scale.
    assert canvas.full_draws <= 1 + (len(LENGTHS) - 1) + len(LADDER)
