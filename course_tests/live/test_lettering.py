"""Text whose letters are kept is the text that matplotlib draws."""

from __future__ import annotations

import gc
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

from course.live import Canvas, lettering
from course.live.lettering import LetteringCanvas
from course.plots import decades, style

WORDS = ("plain, Ünïcode", "two\nlines", "$\\mathdefault{10^{-27}}$", "$\\frac{x^2}{\\sqrt{y}}$")


def figure() -> tuple[Figure, list[Text]]:
    fig = Figure(figsize=(5.0, 3.0), dpi=100)
    return fig, [
        fig.text(0.1 + 0.17 * k, 0.45, words, rotation=turn, color="navy", alpha=0.7)
        for turn in (0, 33, 90)
        for k, words in enumerate(WORDS)
    ]


def drawn(canvas: FigureCanvasAgg) -> np.ndarray:
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def same(fig: Figure, canvas: LetteringCanvas) -> None:
    ours = drawn(canvas)
    assert (ours == drawn(FigureCanvasAgg(fig))).all()
    fig.set_canvas(canvas)


CHANGES = {
    "nothing": lambda text: None,
    "colour": lambda text: text.set_color("red"),
    "transparency": lambda text: text.set_alpha(0.2),
    "clip": lambda text: (text.set_clip_on(True), text.set_clip_box(mpl.transforms.Bbox.unit())),
    "size, in place": lambda text: text.get_fontproperties().set_size(13.0),
    "weight": lambda text: text.set_weight("bold"),
    "a tenth of a pixel": lambda text: text.set_y(text.get_position()[1] + 0.1 / 300),
    "angle": lambda text: text.set_rotation(text.get_rotation() + 1),
    "dollar signs": lambda text: text.set_parse_math(False),
    "edges": lambda text: text.set_antialiased(False),
    "words": lambda text: text.set_text("other " + text.get_text()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_pixel_is_matplotlibs_own_whatever_has_changed(change: str) -> None:
    fig, texts = figure()
    canvas = LetteringCanvas(fig)
    same(fig, canvas)
    same(fig, canvas)
    for text in texts[::2]:
        CHANGES[change](text)
    same(fig, canvas)
    same(fig, canvas)


def test_each_pixel_is_matplotlibs_own_with_other_hinting_or_density() -> None:
    fig, _ = figure()
    canvas, plain = LetteringCanvas(fig), FigureCanvasAgg(fig)  # both have measured it before
    assert (drawn(canvas) == drawn(plain)).all()
    with mpl.rc_context({"text.hinting": "none"}):
        assert (drawn(canvas) == drawn(plain)).all()
    fig.set_dpi(131)
    assert (drawn(canvas) == drawn(plain)).all()


def test_what_was_drawn_is_not_laid_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fig, texts = figure()
    for text in texts:
        text.set_text("two\nlines" if text.get_text() == "two\nlines" else "word")
    canvas = LetteringCanvas(fig)
    drawn(canvas)
    assert canvas.renderer.kept == 12 + 3  # each line of words by itself
    monkeypatch.setattr(FigureCanvasAgg, "draw", lambda _: fig.draw(canvas.get_renderer()))
    monkeypatch.setattr(lettering.RendererAgg, "draw_text", lambda *_: pytest.fail("laid out"))
    fig.draw(canvas.get_renderer())
    texts[0].set_text("another")
    with pytest.raises(pytest.fail.Exception, match="laid out"):
        fig.draw(canvas.get_renderer())


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "MOST", 5)
    fig, texts = figure()
    canvas = LetteringCanvas(fig)
    for k in range(9):
        texts[0].set_text(f"number {k}")
        same(fig, canvas)
        assert canvas.renderer.kept <= 5


def test_labels_of_other_limits_are_laid_out_while_nobody_waits() -> None:
    fig, ax = style.figure(6.0, 4.0)
    axis = decades.Decades(ax)
    style.hold(fig, lambda: axis.fit("wide", [1e-80, 1e80], [1.0]))
    canvas = Canvas(fig)
    axis.fit("some", [0.1, 1.0], [1.0])
    canvas.render()
    assert sum(1 for _ in iter(canvas.prepare, False)) > 30 and not canvas.prepare()
    parsed = MathTextParser._parse_cached.cache_info().misses
    for size in (10.0, 1e5, 1e-7, 1e20, 1e-70, 1e250):
        axis.fit("some", [size], [1.0])
        canvas.render()
    labels = {label.get_text() for label in ax.get_yticklabels()}
    assert "$\\mathdefault{10^{300}}$" in labels
    assert MathTextParser._parse_cached.cache_info().misses == parsed


def test_limits_one_rung_away_are_drawn_while_nobody_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fig, ax = style.figure(6.0, 4.0)
    axis = decades.Decades(ax, low=9, high=9)
    style.hold(fig, lambda: axis.fit("wide", [1e-80, 1e80], [1.0]))
    (line,) = ax.plot([0.5], [1.0], "o")
    canvas, twin = Canvas(fig), FigureCanvasAgg

    def show(size: float) -> None:
        axis.fit("some", [size], [1.0])
        line.set_ydata([size])
        canvas.render()

    show(1.0)
    show(1e12)  # from now on these limits may change
    before = canvas.render()
    limits = ax.get_ylim()
    assert sum(1 for _ in iter(canvas.prepare, False)) > 8
    assert ax.get_ylim() == limits and canvas.render() == before
    drawn_anew: list[str] = []
    draw_new = lettering.LetteringRenderer._draw_new

    def note(renderer: Any, key: Any, *rest: Any) -> None:
        drawn_anew.append(key[0])
        draw_new(renderer, key, *rest)

    monkeypatch.setattr(lettering.LetteringRenderer, "_draw_new", note)
    for size in (1e-12, 1e40, 1.0):  # one rung at an end, at the other, back at both
        show(size)
        assert ax.get_ylim() != limits and drawn_anew == []
        limits = ax.get_ylim()
        seen = np.array(canvas._pixels())
        full = twin(fig)
        full.draw()
        assert (seen == np.asarray(full.buffer_rgba())).all()
        fig.set_canvas(canvas._canvas)
        assert ax.get_ylim() == limits
        monkeypatch.setattr(lettering.LetteringRenderer, "_draw_new", draw_new)
        show(size)
        while canvas.prepare():
            pass
        monkeypatch.setattr(lettering.LetteringRenderer, "_draw_new", note)


def test_axes_that_are_gone_are_not_kept_for_what_was_rehearsed() -> None:
    fig, ax = style.figure(6.0, 4.0)
    decades.Decades(ax)
    ax.set_ylim(1e-3, 1e9)
    renderer = LetteringCanvas(fig).get_renderer()
    while lettering.rehearse_one(renderer, [ax.yaxis]):
        pass
    assert len(renderer.rehearsed[ax.yaxis]) == 8
    ax.remove()
    del ax
    gc.collect()
    assert len(renderer.rehearsed) == 0


def test_an_axis_between_two_rungs_has_no_neighbours() -> None:
    _, ax = style.figure(6.0, 4.0)
    decades.Decades(ax)
    beside = ax.yaxis.get_major_locator().beside
    assert beside(1e-3, 1e9)[:3] == [(1e-3, 1e27), (1e-3, 1e3), (1e-9, 1e9)]
    assert len(beside(1e-3, 1e9)) == 8 and len(beside(1e-1, 1e1)) == 3
    assert beside(1e-2, 1e9) == beside(1.0, 1e9) == []


def test_no_label_is_laid_out_beforehand_where_no_locator_says_which() -> None:
    fig, ax = style.figure(6.0, 4.0)
    ax.set(yscale="log", ylim=(1e-5, 1e5))
    known: set[object] = set()
    assert not lettering.lay_out_one(LetteringCanvas(fig).get_renderer(), [ax.yaxis], known)
    assert not known
