"""Many kinds of figure, changed step by step: each picture is the one drawn from nothing."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, ConnectionPatch, Rectangle
from matplotlib.ticker import FuncFormatter, ScalarFormatter
from matplotlib.transforms import Affine2D

from course.live import Canvas
from course_tests.live.pixels import from_nothing, pixels

X = np.linspace(0, 1, 30)
TIMES = (0.2, 0.5, 0.9, 0.9, 0.4, 0.7)
Change = Callable[[float], object]
KINDS: dict[str, Callable[[Figure], Change]] = {}


def kind(build: Callable[[Figure], Change]) -> Callable[[Figure], Change]:
    """Keep a function that fills a figure and returns what changes it."""
    KINDS[build.__name__] = build
    return build


def axes(fig: Figure, **settings: Any) -> Any:
    return fig.add_subplot(**{"xlim": (0, 1), "ylim": (0, 1), **settings})


@kind
def line(fig: Figure) -> Change:
    ax = axes(fig)
    ax.axhspan(0.3, 0.4, color="orange", zorder=3)
    ax.legend(ax.plot(X, X, marker="o"), ["a line"], loc="upper left")
    return lambda t: ax.lines[0].set_ydata(t * X)


@kind
def three_dimensions_turned(fig: Figure) -> Change:
    ax = fig.add_subplot(projection="3d")
    ax.plot(X, X**2, X**3)
    return lambda t: ax.view_init(elev=90 * t, azim=200 * t)


@kind
def polar(fig: Figure) -> Change:
    ax: Any = fig.add_subplot(projection="polar")
    ax.plot(6 * X, X)
    return lambda t: ax.set_theta_offset(t)


@kind
def table(fig: Figure) -> Change:
    ax = axes(fig)
    cells = ax.table([["a", "b"], ["c", "d"]], loc="bottom")
    return lambda t: cells[0, 0].get_text().set_text(f"{t:.1f}")


@kind
def twin_axes(fig: Figure) -> Change:
    ax = axes(fig)
    (low,) = ax.plot(X, X, linewidth=9)
    ax.twinx().plot(X, 0.5 + 0 * X, color="red", linewidth=9)
    return lambda t: low.set_ydata(t + 0 * X)


@kind
def overlapping_axes(fig: Figure) -> Change:
    below, above = (fig.add_axes((x, x, 0.5, 0.5), xlim=(0, 1)) for x in (0.1, 0.3))
    (curve,) = below.plot(X, X, linewidth=9)
    above.set_zorder(1)
    return lambda t: curve.set_ydata(t * X)


@kind
def axes_that_change_places(fig: Figure) -> Change:
    below, above = (fig.add_axes((x, x, 0.5, 0.5)) for x in (0.1, 0.3))
    (curve,) = below.plot(X, X)

    def change(t: float) -> None:
        curve.set_ydata(t * X)
        above.set_zorder(-1 if t > 0.6 else 1)

    return change


@kind
def zorder_changed_later(fig: Figure) -> Change:
    ax = axes(fig)
    first, second = (ax.plot(X, y, linewidth=15)[0] for y in (X, 1 - X))

    def change(t: float) -> None:
        second.set_ydata(t - t * X)
        first.set_zorder(9 if t > 0.6 else 1)

    return change


@kind
def artists_on_the_figure(fig: Figure) -> Change:
    ax = axes(fig)
    (curve,) = ax.plot(X, X, linewidth=9)
    over: Any = fig.add_artist(Line2D([0, 1], [0.5, 0.5], linewidth=12, color="red"))
    under: Any = fig.add_artist(Rectangle((0.2, 0.2), 0.5, 0.5, color="yellow", zorder=-1))

    def change(t: float) -> None:
        curve.set_ydata(t * X)
        over.set_ydata([t, 0.5])
        under.set_width(t)

    return change


@kind
def cleared_in_draw(fig: Figure) -> Change:
    def change(t: float) -> None:
        fig.clear()
        axes(fig).plot(X, t * X)

    return change


@kind
def axes_cleared(fig: Figure) -> Change:
    ax = axes(fig)

    def change(t: float) -> None:
        ax.cla()
        ax.bar([1, 2], [t, 1])

    return change


@kind
def legend_text(fig: Figure) -> Change:
    ax = axes(fig)
    legend = ax.legend(ax.plot(X, X), ["a"], loc="upper left")
    return lambda t: legend.get_texts()[0].set_text(f"{t:.1f}")


@kind
def legend_in_the_best_place(fig: Figure) -> Change:
    ax = axes(fig)
    (curve,) = ax.plot(X, X, linewidth=20, label="curve")
    ax.legend()
    return lambda t: curve.set_ydata(np.where(X < 0.5, 1 - t, t))


@kind
def image_changed_in_place(fig: Figure) -> Change:
    ax = axes(fig)
    image = ax.imshow(np.eye(5), extent=(0, 1, 0, 1))
    (curve,) = ax.plot(X, X)

    def change(t: float) -> None:
        image.get_array()[:] = t * np.eye(5)[::-1]
        image.norm.vmax = 2 * t
        curve.set_ydata(t * X)

    return change


@kind
def scatter_colours(fig: Figure) -> Change:
    cloud = axes(fig).scatter(X, X, c=X, s=90)
    fig.colorbar(cloud)
    return lambda t: cloud.set_array(t * X[::-1])


@kind
def filled_band(fig: Figure) -> Change:
    ax = axes(fig)
    band = ax.fill_between(X, X, X + 0.1, alpha=0.5)
    ax.plot(X, X, color="black")
    return lambda t: band.set_verts([np.stack([[0, 1, 1], [0, 0, t]], 1)])


@kind
def inset(fig: Figure) -> Change:
    ax = axes(fig)
    (curve,) = ax.plot(X, X, linewidth=9)
    small = ax.inset_axes([0.3, 0.3, 0.4, 0.4])
    (dots,) = small.plot(X, X, "o")

    def change(t: float) -> None:
        curve.set_ydata(t * X)
        dots.set_ydata(t - t * X)
        small.set_ylim(0, 1 + (t > 0.6))

    return change


@kind
def marks_outside_the_frame(fig: Figure) -> Change:
    ax = fig.add_axes((0.3, 0.3, 0.4, 0.4), xlim=(0, 1), ylim=(0, 1))
    (crosses,) = ax.plot([0], [1], "x", markersize=20, clip_on=False)
    note = ax.text(0.5, 0.5, "note")
    other = fig.add_axes((0.75, 0.3, 0.2, 0.4))
    other.set_facecolor("lightgrey")

    def change(t: float) -> None:
        crosses.set_data([3 * t - 1, t], [2 * t, t])
        note.set_position((4 * t - 1.5, t))

    return change


@kind
def annotation(fig: Figure) -> Change:
    ax = axes(fig)
    arrow = ax.annotate("here", (0.5, 0.5), (0.2, 0.8), arrowprops={"arrowstyle": "->"})

    def change(t: float) -> None:
        arrow.xy = (t, t)

    return change


@kind
def limits_and_scale(fig: Figure) -> Change:
    ax = axes(fig)
    (curve,) = ax.plot(X, X)

    def change(t: float) -> None:
        curve.set_ydata(t * X)
        ax.set_yscale("log" if t > 0.6 else "linear")
        ax.set_ylim(0.01, 1 + (t > 0.8))

    return change


@kind
def ticks_of_the_student(fig: Figure) -> Change:
    ax = axes(fig, xlim=(0, 5e4))
    ax.xaxis.set_major_formatter(ScalarFormatter())
    unit = ["m"]
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.1f} {unit[0]}"))

    def change(t: float) -> None:
        unit[0] = "km" if t > 0.6 else "m"
        ax.ticklabel_format(axis="x", style="sci" if t > 0.4 else "plain", scilimits=(0, 0))

    return change


@kind
def a_transform_that_is_changed(fig: Figure) -> Change:
    ax = axes(fig)
    turn = Affine2D()
    ax.add_patch(Rectangle((0.1, 0), 0.5, 0.1, transform=turn + ax.transData))
    return lambda t: turn.clear().rotate(t)


@kind
def titles_and_labels(fig: Figure) -> Change:
    ax = axes(fig)
    (curve,) = ax.plot(X, X)

    def change(t: float) -> None:
        curve.set_ydata(t * X)
        ax.set_title(f"t = {t:.1f}" + "\ntwo lines" * (t > 0.6))
        ax.set_xlabel(f"label {t:.1f}")
        fig.suptitle(f"above all {t:.1f}")

    return change


@kind
def shown_and_hidden(fig: Figure) -> Change:
    ax, other = fig.subplots(1, 2)
    circle = ax.add_patch(Circle((0.5, 0.5), 0.2))
    (curve,) = other.plot(X, X)

    def change(t: float) -> None:
        circle.set_visible(t > 0.4)
        other.set_visible(t < 0.8)
        ax.set_axis_off() if t > 0.6 else ax.set_axis_on()
        curve.set_alpha(t)

    return change


@kind
def part_of_a_figure(fig: Figure) -> Change:
    parts: Any = fig.subfigures(1, 2)
    left, right = parts
    ax = left.subplots()
    right.set_facecolor("lightgrey")
    (curve,) = ax.plot(X, X)
    return lambda t: curve.set_ydata(t * X)


@kind
def without_paper(fig: Figure) -> Change:
    fig.patch.set_alpha(0.3)
    ax = axes(fig)
    (curve,) = ax.plot(X, X, linewidth=5)
    return lambda t: curve.set_ydata(t * X)


@kind
def an_artist_of_ones_own(fig: Figure) -> Change:
    class Quiet(Circle):
        size = 0.1

        def draw(self, renderer: Any) -> None:
            self.radius = self.size
            super().draw(renderer)

    ax = axes(fig)
    quiet = ax.add_patch(Quiet((0.5, 0.5), 0.1))
    ax.plot(X, X)
    return lambda t: setattr(quiet, "size", t / 2)


@kind
def limits_of_one_panel(fig: Figure) -> Change:
    ax, still = fig.subplots(1, 2)
    fig.subplots_adjust(wspace=0.02)  # labels of the second reach into the first
    still.axhspan(0.2, 0.4, color="orange", zorder=3)
    still.plot(X, X, marker="o", label="still")
    still.legend()
    ax.set(yscale="log", ylabel="size", ylim=(1e-9, 1))
    ax.plot(X, 1 + X, label="a line")
    ax.text(0.1, 0.5, "in data", zorder=7)
    ax.axvline(0.5, zorder=1)
    ax.grid(True)
    ax.legend(loc="upper left")
    return lambda t: (ax.lines[0].set_ydata(t + X), still.set_ylim(0, 900 * t))


@kind
def limits_whose_labels_stay(fig: Figure) -> Change:
    """What is kept below is taken again and again: labels need no other room."""
    ax, still = fig.subplots(1, 2)
    still.axhspan(0.2, 0.4, color="orange", zorder=3)
    still.plot(X, X, marker="o", label="still")
    still.plot(X, 1 - X, linewidth=6, zorder=1)  # below the grid
    still.text(0.3, 0.6, "in data", zorder=7)
    still.annotate("here", (0.5, 0.5), (0.6, 0.2), arrowprops={"arrowstyle": "->"})
    still.scatter(X, X**2)
    still.axvline(0.25)
    still.grid(True)
    still.legend(loc="upper left")
    still.set_yticks([0, 0.5])
    ax.plot(X, X)
    return lambda t: still.set_ylim(-0.1, 1 + t)


@kind
def limits_without_and_with_an_exponent(fig: Figure) -> Change:
    ax, other = axes(fig, position=(0.2, 0.2, 0.25, 0.6)), axes(fig, position=(0.6, 0.2, 0.3, 0.6))
    ax.set_title("titled", loc="left")
    other.plot(X, X)
    return lambda t: (ax.set_ylim(0, t * 1e8 if t > 0.5 else t), other.set_xlim(-t, 1))


@kind
def limits_that_others_share(fig: Figure) -> Change:
    left, right = fig.subplots(1, 2, sharey=True)
    left.plot(X, X)
    right.plot(X, 1 - X)
    twin = left.twinx()
    twin.plot(X, X**2, color="green")
    return lambda t: (left.set_ylim(-t, 2 * t), twin.set_ylim(0, 3 * t))


@kind
def drawn_by_anothers_limits(fig: Figure) -> Change:
    ax, other = fig.subplots(1, 2)
    other.plot(X, X)
    other.add_line(Line2D(X, X, transform=ax.transData, clip_on=False, color="red", linewidth=4))
    fig.add_artist(Line2D(X, 1 - X, transform=ax.transData, color="blue"))
    ends: dict[str, Any] = {"axesA": ax, "axesB": other, "coordsA": "data", "coordsB": "data"}
    fig.add_artist(ConnectionPatch((0.2, 0.2), (0.5, 0.5), **ends))
    return lambda t: ax.set(xlim=(-t, 1), ylim=(0, 1 + t))


@kind
def limits_and_ticks_of_ones_own(fig: Figure) -> Change:
    ax, other = fig.subplots(1, 2)
    other.plot(X, X)

    def change(t: float) -> None:
        ax.set_xlim(0, t)
        ax.set_xticks([0, t / 2, t], ["none", "half", f"all of {t}"])
        ax.get_xticklabels()[-1].set_color("red" if t > 0.5 else "blue")
        ax.spines["left"].set_position(("data", t / 3))

    return change


MOVES = {
    "line", "twin_axes", "overlapping_axes", "artists_on_the_figure", "filled_band", "table",
    "image_changed_in_place", "marks_outside_the_frame", "annotation", "scatter_colours",
    "limits_of_one_panel", "limits_that_others_share", "limits_whose_labels_stay",
}  # fmt: skip
"""Of which something only moves: they are drawn in full once."""


@pytest.mark.parametrize("name", KINDS)
def test_each_picture_is_the_one_drawn_from_nothing(name: str) -> None:
    ours, theirs = (Figure(figsize=(4, 3), dpi=100) for _ in range(2))
    change, same = KINDS[name](ours), KINDS[name](theirs)
    canvas = Canvas(ours)
    canvas.render()
    changed = 0
    before = wanted = from_nothing(theirs)
    last = 0.0
    for t in TIMES:
        change(t)
        if t != last:  # else it is as it was
            same(t)
            wanted = from_nothing(theirs)
        assert np.abs(pixels(canvas.render()) - wanted).max() == 0
        if t == TIMES[2]:  # a rest in between, after which the same is drawn again
            canvas.prepare()
        changed += bool((wanted != before).any())
        before, last = wanted, t
    assert changed >= 4, "the test changes nothing that is seen"
    assert canvas.full_draws == 1 or name not in MOVES


def test_two_panels_on_one_figure_each_show_it_as_it_is() -> None:
    fig, same = Figure(figsize=(4, 3)), Figure(figsize=(4, 3))
    (curve, other), (theirs, their_other) = (
        (ax.plot(X, X)[0], ax.plot(X, 1 - X)[0]) for ax in (axes(fig), axes(same))
    )
    first, second = Canvas(fig), Canvas(fig)
    for k, t in enumerate((*TIMES, *TIMES)):
        moved, its_like = (curve, theirs) if k % 3 else (other, their_other)
        moved.set_ydata(t * X)
        its_like.set_ydata(t * X)
        canvas = (first, second)[k // 2 % 2]
        assert np.abs(pixels(canvas.render()) - from_nothing(same)).max() == 0


def test_a_picture_saved_on_the_way_has_everything_and_changes_nothing() -> None:
    fig, same = Figure(figsize=(4, 3)), Figure(figsize=(4, 3))
    change, likewise = KINDS["line"](fig), KINDS["line"](same)
    canvas = Canvas(fig)
    for t in TIMES:
        change(t)
        likewise(t)
        file = BytesIO()
        fig.savefig(file, dpi=fig.dpi)
        assert np.abs(pixels(file.getvalue()) - from_nothing(same)).max() == 0
        assert np.abs(pixels(canvas.render()) - from_nothing(same)).max() == 0
