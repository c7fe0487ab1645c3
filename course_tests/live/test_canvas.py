"""Drawing only what changed gives the picture that drawing everything gives."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from course.live import Canvas, encoding
from course.live.encoding import png
from course.plots import style
from course_tests.live.pixels import from_nothing, pixels


class Busy:
    """A figure with something of everything, and ways to change it."""

    def __init__(self) -> None:
        self.figure, (self.left, self.right) = style.figure(7.0, 4.0, ncols=2)
        x = np.arange(1, 30)
        (self.line,) = self.left.plot(x, x, **style.line(0), label="a line")
        self.left.axhspan(5, 9, color=style.LIGHT, zorder=0)
        self.over = self.left.axhline(12, color="black", zorder=4)
        self.note = self.left.text(3, 20, "a note", zorder=6)
        self.left.legend(loc="upper left")
        self.image = self.right.imshow(np.eye(5), cmap="viridis")
        self.cloud = self.right.scatter([1, 2], [1, 3], zorder=3, color="red")
        self.inset = self.right.inset_axes([0.6, 0.6, 0.35, 0.35])
        (self.small,) = self.inset.plot([0, 1], [0, 1])
        self.figure.suptitle("Busy")
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    def changes(self) -> list[Callable[[float], object]]:
        x = np.arange(1, 30)
        return [
            lambda t: self.line.set_ydata(x * t),
            lambda t: self.note.set_text(f"{t:.2f}"),
            lambda t: self.note.set_visible(t > 1),
            lambda t: self.over.set_ydata([20 * t, 20 * t]),
            lambda t: self.left.set_title(f"weight {t:.1f}"),
            lambda t: self.left.set_ylim(0, 40 * t),
            lambda t: self.left.set_yscale("log" if t > 1 else "linear"),
            lambda t: self.image.set_data(np.eye(5) * t),
            lambda t: self.cloud.set_offsets([[1, t], [t, 3]]),
            lambda t: self.small.set_ydata([t, 0]),
            lambda t: self.figure.suptitle(f"Busy {t:.1f}"),
            lambda t: self.left.plot([1, 30], [t, 30 * t], color="green"),
            lambda t: self.left.lines[-1].remove() if len(self.left.lines) > 2 else None,
            lambda t: self.right.set_xlabel(f"axis {t:.0f}"),
            lambda t: self.line.set_color("red" if t > 1 else "blue"),
        ]


@pytest.mark.parametrize("seed", range(5))
def test_the_picture_equals_a_full_drawing_after_any_changes(seed: int) -> None:
    dice = random.Random(seed)
    busy, same = Busy(), Busy()
    canvas = Canvas(busy.figure)
    canvas.render()
    both = list(zip(busy.changes(), same.changes(), strict=True))
    for _ in range(8):
        change, likewise = dice.choice(both)
        value = dice.uniform(0.1, 2.0)
        change(value)
        likewise(value)
        difference = np.abs(pixels(canvas.render()) - from_nothing(same.figure))
        assert difference.max() == 0


def test_moving_artists_cost_no_full_drawing_and_axes_beside_others_neither() -> None:
    busy = Busy()
    canvas = Canvas(busy.figure)
    canvas.render()
    busy.line.set_ydata(np.arange(29))
    canvas.render()  # from now on the line counts as moving
    before = canvas.full_draws
    for t in range(5):
        busy.line.set_ydata(np.arange(29) + t)
        canvas.render()
    assert canvas.full_draws == before
    busy.left.set_ylim(0, 50)
    canvas.render()
    assert canvas.full_draws == before
    busy.right.set_ylim(0, 7)  # a picture of a fixed aspect, with axes inside
    canvas.render()
    assert canvas.full_draws == before + 1


def test_what_was_prepared_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fig, ax = style.figure(4.0, 3.0)
    (line,) = ax.plot([0, 1], [0, 1])
    style.hold(fig, lambda: ax.set_ylim(0, 100))
    canvas = Canvas(fig)
    changes = [lambda: line.set_ydata([1, 0]), lambda: ax.set_ylim(0, 3)]
    for change in changes:
        change()  # before the first drawing: they will do so again
    canvas.render()
    rest(canvas)
    monkeypatch.setattr("course.live.canvas.Layers", None)
    line.set_ydata([0, 2])
    canvas.render()
    ax.set_ylim(0, 4)
    assert np.array_equal(pixels(canvas.render()), from_nothing(fig))
    assert canvas.full_draws == 1


def test_limits_that_changed_in_turn_need_no_new_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    fig, axes = style.figure(6.0, 3.0, ncols=3)
    for ax in axes:
        ax.plot([0, 1], [0, 1])
    style.hold(fig, lambda: [ax.set_ylim(0, 100) for ax in axes])
    canvas = Canvas(fig)
    canvas.render()
    for ax in axes[:2]:
        ax.set_ylim(0, 5)
        canvas.render()
        rest(canvas)
    monkeypatch.setattr("course.live.canvas.Layers", None)
    for ax, top in ((axes[0], 6), (axes[1], 7), (axes[0], 8)):
        ax.set_ylim(0, top)
        picture = canvas.render()
    assert canvas.full_draws == 1
    assert np.array_equal(pixels(picture), from_nothing(fig))


@pytest.mark.parametrize("waits", [False, True])
def test_limits_that_change_again_show_what_began_to_move_in_between(waits: bool) -> None:
    fig, (left, right) = style.figure(6.0, 3.0, ncols=2)
    left.plot([0, 1], [0, 1])
    (line,) = right.plot([0, 1], [0, 1])
    style.hold(fig, lambda: left.set_ylim(0, 100))
    canvas = Canvas(fig)
    canvas.render()
    left.set_ylim(0, 5)
    canvas.render()
    rest(canvas)
    line.set_ydata([1, 0])
    canvas.render()
    if waits:
        rest(canvas)
    left.set_ylim(0, 6)
    assert np.array_equal(pixels(canvas.render()), from_nothing(fig))
    assert canvas.full_draws == 1


def rest(canvas: Canvas) -> None:
    """A while in which nothing changes."""
    while canvas.prepare():
        pass


def test_what_begins_to_move_leaves_nothing_where_it_was() -> None:
    fig = Figure(figsize=(4.0, 3.0))
    ax = fig.add_axes((0.6, 0.3, 0.35, 0.5))
    (line,) = ax.plot([0, 1], [0, 1])
    words = fig.text(0.02, 0.95, "beside")
    canvas = Canvas(fig)
    canvas.render()
    line.set_ydata([1, 0])
    canvas.render()
    rest(canvas)
    words.set_position((0.02, 0.02))
    assert np.array_equal(pixels(canvas.render()), from_nothing(fig))
    assert canvas.full_draws == 1


def test_autoscaling_and_a_new_size_are_carried_out() -> None:
    figure, ax = style.figure(4.0, 3.0)
    (line,) = ax.plot([0, 1], [0, 1])
    canvas = Canvas(figure)
    canvas.render()
    line.set_ydata([0, 100])
    ax.relim()
    ax.autoscale_view()
    canvas.render()
    assert ax.get_ylim()[1] > 99
    figure.set_size_inches(5.0, 2.0)
    assert pixels(canvas.render()).shape == (200, 500, 3)
    assert canvas.size == (500, 200)


def test_axes_stay_where_they_are_until_labels_need_more_room() -> None:
    figure, ax = style.figure(4.0, 3.0)
    ax.plot([0, 1], [0, 1])
    canvas = Canvas(figure)
    canvas.render()
    place = ax.get_position().bounds
    ax.set_ylim(0, 0.9)
    canvas.render()
    assert ax.get_position().bounds == place
    ax.set_ylim(0, 1e6)
    ax.set_ylabel("a label that takes room")
    canvas.render()
    assert ax.get_position().bounds[0] > place[0]
    assert np.array_equal(pixels(canvas.render()), pixels(canvas.render()))


def test_values_that_are_not_finite_are_drawn_around() -> None:
    figure, ax = style.figure(4.0, 3.0)
    (line,) = ax.semilogy([1, 2, 3], [1, 10, 100])
    canvas = Canvas(figure)
    canvas.render()
    for values in ([np.nan] * 3, [np.inf, 1, -np.inf], [0.0, 0.0, 0.0], [1e308, 1e-320, -1]):
        line.set_ydata(values)
        assert pixels(canvas.render()).shape == (300, 400, 3)


def test_a_figure_of_pyplot_is_not_shown_a_second_time() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = pyplot.figure()
    assert isinstance(figure, Figure)
    Canvas(figure).render()
    assert not pyplot.fignum_exists(figure.number)


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (50, 33)])
@pytest.mark.parametrize("compress", [encoding.compress, zlib.compress])
def test_png_keeps_every_pixel_as_another_reader_sees_it(
    monkeypatch: pytest.MonkeyPatch, compress: Callable[..., bytes], shape: tuple[int, int]
) -> None:
    monkeypatch.setattr(encoding, "compress", compress)  # with isal, where it is, and without
    drawn = np.random.default_rng(0).integers(0, 256, (*shape, 4), np.uint8)
    Image.open(BytesIO(png(drawn))).verify()  # raises where a checksum is wrong
    assert (pixels(png(drawn)) == drawn[..., :3]).all()
