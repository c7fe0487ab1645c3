"""Figures in the room of a page: narrower, in a column, denser, and back again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from course.live import Canvas, LivePanel, live
from course.plots import arrange, style
from course_tests.live.pixels import pixels


def plain() -> Figure:
    return row()[0]


def held() -> Figure:
    fig, axes = row()
    style.hold(fig, lambda: axes[0].set_ylim(0, 1e6))
    return fig


def by_margins() -> Figure:
    fig, _ = row()
    style.margins(fig, left=0.065, right=0.985, bottom=0.225, top=0.92, wspace=0.33)
    return fig


def row() -> tuple[Figure, Any]:
    fig, axes = style.figure(11.0, 4.0, ncols=3)
    lines = [ax.plot([0, 1], [0, 1], label="line")[0] for ax in axes]
    for ax in axes:
        ax.set(title="Title", xlabel="layer", ylabel="size")
    style.legend_below(fig, lines)
    return fig, axes


def boxes(fig: Figure) -> list[Any]:
    """Where axes with their labels are, in pixels."""
    fig.draw_without_rendering()
    return [ax.get_tightbbox() for ax in fig.axes]


@pytest.mark.parametrize("make", [plain, held, by_margins])
@pytest.mark.parametrize("room", [1400, 1000, 800, 500])
def test_panels_fit_the_page_and_do_not_overlap(make: Callable[[], Figure], room: int) -> None:
    fig = make()
    canvas = Canvas(fig)
    canvas.render()
    canvas.fit(room, 1.0)
    height, width, _ = pixels(canvas.render()).shape
    assert (width, height) == canvas.size and width == min(room, 1100)
    places = boxes(fig)
    for box in places:
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
    for one, other in itertools.combinations(places, 2):
        assert not one.padded(-2).overlaps(other.padded(-2))
    column = len({round(ax.get_position().x0, 2) for ax in fig.axes}) == 1
    assert column == (room < 900)
    text = fig.axes[0].xaxis.get_ticklabels()[0]
    assert text.get_fontsize() * fig.dpi / 72 >= 11  # pixels of the page


def test_panels_that_share_an_axis_each_have_its_numbers_in_a_column() -> None:
    fig, axes = style.figure(11.0, 4.0, ncols=2, sharey=True)
    canvas = Canvas(fig)
    numbers = []
    for room in (1100, 700, 1100):
        canvas.fit(room, 1.0)
        canvas.render()
        numbers.append([bool(ax.yaxis.get_ticklabels()) for ax in axes])
    assert numbers == [[True, False], [True, True], [True, False]]


@pytest.mark.parametrize("make", [plain, held, by_margins])
def test_a_page_that_is_wide_again_has_the_first_picture(make: Callable[[], Figure]) -> None:
    canvas = Canvas(make())
    before = pixels(canvas.render())
    assert canvas.fit(700, 2.0) and not canvas.fit(700, 2.0)
    assert pixels(canvas.render()).shape[1] == 1400
    assert canvas.fit(0, 1.0)
    assert np.array_equal(pixels(canvas.render()), before)


def test_a_dense_screen_gets_more_pixels_and_the_same_size_on_the_page() -> None:
    fig, ax = style.figure(4.0, 3.0)
    (line,) = ax.plot([0, 1], [0, 1])
    panel = live(fig, lambda n: line.set_ydata([0, n]), n=(0, 9))
    stored = panel.png
    panel._picture.ratio = 2.0
    assert (panel._picture.width, panel._picture.height) == (400, 300)
    assert pixels(panel._picture.png).shape == (600, 800, 3)
    assert panel.png == stored  # what a notebook keeps is that of any page
    panel.controls["n"].value = 7
    assert pixels(panel._picture.png).shape == (600, 800, 3)


def test_a_page_that_changes_does_not_draw_anew_what_takes_long() -> None:
    fig, _ = style.figure(8.0, 3.0, ncols=2)
    drawn: list[int] = []

    def draw(n: int) -> str:
        drawn.append(n)
        return f"n = {n}"

    panel: LivePanel = live(fig, draw, n=(0, 8))
    panel._picture.room = 640
    assert drawn == [4] and panel._picture.width == 640 and panel.text == "n = 4"


def test_a_column_has_room_for_the_widest_label_and_a_bar_beside_it() -> None:
    fig, (left, right) = style.figure(10.0, 3.6, ncols=2)
    bar = fig.colorbar(ScalarMappable(), ax=[left, right], label="loss")
    left.set(ylabel="near", ylim=(0, 1))
    right.set(ylabel="far", ylim=(-1e5, 1e5))  # wide numbers
    style.hold(fig, lambda: None)
    wide = arrange.arrangement(fig)
    assert arrange.fit(fig, wide, 600)
    fig.draw_without_rendering()
    label, bars = right.yaxis.label.get_window_extent(), bar.ax.get_tightbbox()
    assert bars is not None and label.x0 > 0
    assert right.bbox.x1 < bar.ax.bbox.x0 and bars.x1 < fig.bbox.width
    assert left.bbox.y0 > right.bbox.y1 and left.bbox.x0 == right.bbox.x0
