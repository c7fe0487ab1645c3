"""Axes that stay while sliders move: layers in two lengths, sizes in few steps, and shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.live import Canvas
from course.live.layers import Layers
from course.live.scales import put_back, signatures, stands_alone
from course.plots import curves, style
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


def test_what_has_no_place_on_the_axis_is_called_what_it_is() -> None:
    _, ax = style.figure()
    levels = Levels(Decades(ax), "some", 0)
    said = []
    for options in ({}, {"below": 0.1}, {"nothing": "lost"}):
        levels.show([1.0, 0.0], **options)
        said.append(levels.notes[0].get_text())
    assert said == ["exactly 0", "0 but for rounding", "lost"]


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


def test_no_scale_narrows_before_what_it_shows_is_settled() -> None:
    _, ax = style.figure()
    axis = Decades(ax, low=1, high=1)
    levels = Levels(axis, "some", 0)
    ends = []
    for settled, exponent in ((True, 27), (False, 1), (False, 81), (False, 1), (True, 1)):
        axis.settled = settled
        levels.show([1.0, 10.0**exponent])
        ends.append(round(np.log10(ax.get_ylim()[1])))
    assert ends == [27, 27, 81, 81, 1]


def _held() -> tuple[Canvas, Any, Levels, Levels]:
    """A figure of two axes of decades, arranged, and drawn for two widths of the page."""
    fig, axes = style.figure(8.0, 3.0, ncols=2)
    left, right = (Levels(Decades(ax), "some", 0) for ax in axes)
    style.hold(fig, lambda: [levels.show([1e-200, 1e200]) for levels in (left, right)])
    canvas = Canvas(fig)
    for width in (700, 600):
        left.show([1.0, 2.0])
        right.show([1.0, 2.0])
        canvas.fit(width, 1.0)
        canvas.render()
    while canvas.prepare():
        pass
    return canvas, axes, left, right


def test_the_first_new_scale_finds_its_layers_built(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas, _, left, right = _held()
    built = []
    make = Layers.__init__
    monkeypatch.setattr(Layers, "__init__", lambda *a, **k: (built.append(1), make(*a, **k))[1])
    full = canvas.full_draws
    left.show([1e-8, 1.0])
    drawn = canvas.render()
    assert not built and canvas.full_draws == full
    right.show([1.0, 1e8])
    assert canvas.render() != drawn and canvas.full_draws == full


def test_a_mark_on_the_frame_that_has_gone_is_no_reason_to_build_anew() -> None:
    fig, ax = style.figure()
    band = curves.empty_band(ax)
    ax.set(xlim=(0, 3), ylim=(0, 3))
    style.hold(fig, lambda: None)
    canvas = Canvas(fig)
    for value in (1.0, 2.0, np.nan, 1.0):  # NaN: a cross on the upper edge
        curves.move_band(band, [0.0, 1.0], [[1.0], [value]])
        canvas.render()
        while canvas.prepare():
            pass
    layers = canvas._layers
    for value in (np.nan, 2.0):
        curves.move_band(band, [0.0, 1.0], [[1.0], [value]])
        drawn = canvas.render()
        assert canvas._layers is layers is not None
    fresh = Canvas(fig)
    assert fresh.render() == drawn


def test_limits_that_stay_are_not_drawn_again() -> None:
    _, ax = style.figure()
    ax.set(xlim=(0.0, 3.0), ylim=(1.0, 2.0))
    heard: list[Any] = []
    for axis in (ax.xaxis, ax.yaxis):
        axis.stale_callback = lambda artist, stale: heard.append(artist)
    put_back(ax, (0.0, 3.0), (1.0, 5.0))
    assert ax.get_ylim() == (1.0, 5.0) and {*heard} == {ax.yaxis}


def test_a_y_axis_is_not_taken_for_changed_where_x_has_changed() -> None:
    _, ax = style.figure()
    ax.set_title("one")
    ax.figure.draw_without_rendering()
    before = signatures([ax])[ax.yaxis]
    assert stands_alone(ax.xaxis)
    assert signatures([ax])[ax.yaxis] == before
