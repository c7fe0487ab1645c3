"""The explorer of the scalar chain: it bears its extremes, and its picture and words are true."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.lines import Line2D

from course.lessons.scalar_chain import explorer, pictures, science
from course.plots import style
from course_tests.corners import visit


def test_the_extremes_of_all_sliders_neither_fail_nor_warn() -> None:
    panel = explorer.explore()
    rows = itertools.product((1, 100), (-2.0, 0.0, 1.0), (-10.0,), (10.0,), ("float16",))
    texts, _ = visit(panel, [dict(zip(panel.controls, row, strict=True)) for row in rows])
    assert len(set(texts)) == 6


def test_the_words_tell_regime_overflow_and_agreement() -> None:
    def text(**first: object) -> str:
        return explorer.explore(**first).text  # type: ignore[arg-type]

    assert "gradient grows" in text() and "Last activation y_L = 117." in text()
    assert "agree to 12 digits in every layer" in text()
    assert "keeps its size" in text(weight=-1.0) and "shrinks" in text(weight=0.0)
    lost = text(weight=2.0, depth=20, precision="float16")
    assert "Overflow: the activation at layer 16 and the gradient at layer 4, going" in lost
    assert "Overflow: nowhere." in text() and len(lost.splitlines()) == 4
    assert "times the value: each layer rounds to float16" in text(weight=0.9, precision="float16")


def test_a_slider_that_is_almost_at_one_is_at_one() -> None:
    panel = explorer.explore(bias=1.0)
    panel.controls["weight"].value = 1.0000000000000009
    assert "keeps its size" in panel.text and "Last activation y_L = 51." in panel.text


def test_bad_first_values_are_named() -> None:
    with pytest.raises(ValueError, match="precision = 'float8'"):
        explorer.explore(precision="float8")
    with pytest.raises(ValueError, match="depth = 101"):
        explorer.explore(depth=101)


def x_of(line: Line2D) -> list[float]:
    return list(np.asarray(line.get_xdata(), dtype=float))


def y_of(line: Line2D) -> list[float]:
    return list(np.asarray(line.get_ydata(), dtype=float))


def test_signs_zeros_and_overflow_have_their_places() -> None:
    fig, ax = style.figure()
    shown = pictures.Magnitudes(ax, "title", "size")
    values = np.array([1.0, -100.0, 0.0, np.inf, np.nan, 1e300])
    shown.show(values, values)
    assert x_of(shown.positive) == [0, 5]
    assert x_of(shown.negative) == [1]
    assert y_of(shown.negative) == [2.0]  # log10 of 100
    assert x_of(shown.zero) == [2] and x_of(shown.lost) == [3, 4]
    low, high = ax.get_ylim()
    assert low < -300 and high > 300
    shown.show([1.0, 1e-3], [1.0, 1e-3])
    assert ax.get_ylim()[1] < 12  # the axis comes back
    fig.canvas.draw()


def test_the_picture_of_overflow() -> None:
    fig, ax = style.figure()
    weights = np.array([1.1, 1.5, 2.0])
    predicted = {p: np.log(science.LARGEST[p]) / np.log(weights) for p in science.PRECISIONS}
    measured = {p: {2.0: science.overflow_depth(2.0, p)} for p in science.PRECISIONS}
    lines = pictures.overflow(ax, weights, predicted, measured)
    assert [y_of(line)[0] for line in lines[1::2]] == [16, 128, 1024]
    assert ax.get_yscale() == "log" and len(lines) == 6
    fig.canvas.draw()
