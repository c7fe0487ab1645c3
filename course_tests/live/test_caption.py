"""Badges and rows of layers: what vanishes, explodes, is 0 or not finite; and the words of it."""

from __future__ import annotations

import numpy as np
import pytest

from course.live import Caption, describe, live, number, verdict, with_error
from course.live.caption import BADGES, LOST, ZERO, cells, powers
from course.plots import style

LAYERS = np.arange(50.0)


@pytest.mark.parametrize(
    ("rows", "badge"),
    [
        ((0.9**LAYERS,), "healthy"),  # a factor of 175: within three powers of ten
        ((0.5**LAYERS,), "vanishes"),
        ((2.0**LAYERS,), "explodes"),
        (((-2.0) ** LAYERS,), "explodes"),
        ((np.zeros(5), 1 + 0 * LAYERS), "vanishes"),  # nothing is there
        ((1 + 0 * LAYERS, np.append(LAYERS, np.inf)), "explodes"),
        ((np.append(1.0, np.nan),), "explodes"),
        ((np.append(1.0, 0.0),), "vanishes"),
        ((0.5**LAYERS, 4.0**LAYERS), "explodes"),  # the larger of the two
        ((np.empty(0),), "healthy"),
        ((1e-300 * 2.0**LAYERS,), "explodes"),
    ],
)
def test_the_badge_says_what_becomes_of_a_size(rows: tuple[np.ndarray, ...], badge: str) -> None:
    assert verdict(*rows) == badge and badge in BADGES


def test_a_gradient_is_read_from_the_last_layer_back() -> None:
    caption = describe("text", signal=1 + 0 * LAYERS, gradient=2.0**LAYERS)
    assert caption.badge == "vanishes"  # the first layers get nearly nothing
    signal, gradient = cells(caption.rows)
    assert set(signal["powers"]) == {0.0}
    assert gradient["powers"][-1] == 0.0 and gradient["powers"][0] == pytest.approx(-14.8)
    assert describe("text", gradient=[1.0, 1.0]).rows.keys() == {"gradient"}


def test_a_row_tells_nothing_from_too_much_and_marks_signs() -> None:
    assert powers([1.0, 0.0, -100.0, np.inf, np.nan]) == [0.0, ZERO, 2.0, LOST, LOST]
    assert powers([0.0, 0.0]) == [ZERO, ZERO] and powers([np.nan]) == [LOST]
    (row,) = cells({"signal": np.array([1, -2, 3, -4.0])})
    assert row["negative"] == [1, 3] and row["name"] == "signal"


def test_the_page_gets_badge_row_and_words_together() -> None:
    fig, ax = style.figure(3.0, 2.0)
    (line,) = ax.plot([0, 1], [0, 1])

    def draw(weight: float) -> Caption | str:
        line.set_ydata([0, weight])
        text = f"weight {weight:g}\nmore"
        return describe(text, signal=weight**LAYERS) if weight else text

    panel = live(fig, draw, weight=(0.0, 2.0))
    panel.controls["weight"].value = 2.0
    assert panel.text == panel._picture.alt == "weight 2\nmore"
    assert panel._picture.badge == "explodes" and len(panel._picture.rows) == 1
    panel.controls["weight"].value = 0.0
    assert panel._picture.badge == "" and panel._picture.rows == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.12345, "0.12"), (5340.0, "5,300"), (123456.0, "120,000"), (1.94e7, "1.9 × 10⁷"),
        (1.2e-07, "1.2 × 10⁻⁷"), (-3e-9, "-3 × 10⁻⁹"), (0.0, "0"), (-0.5, "-0.5"), (9.96, "10"),
        (999_999.0, "1 × 10⁶"), (0.001, "0.001"), (1.0, "1"), (100.0, "100"),
        (float("inf"), "not finite"), (5e-324, "4.9 × 10⁻³²⁴"), (0.000996, "0.001"),
    ],
)  # fmt: skip
def test_numbers_as_people_read_them(value: float, words: str) -> None:
    assert number(value) == words


def test_numbers_to_more_digits() -> None:
    assert number(5341.7, 4) == "5,342" and number(1.2345e10, 3) == "1.23 × 10¹⁰"
    assert number(0.0, zero="exactly 0") == "exactly 0"


def test_a_mean_and_its_error() -> None:
    """Of runs whose losses hardly differ it said "± 5e-05"."""
    assert with_error(0.69315, 5.2e-5) == "0.693 ± 5 × 10⁻⁵"
    assert with_error(1234.5, 12.3) == "1,230 ± 10" and with_error(0.0, 0.0) == "0 ± 0"
    assert with_error(float("nan"), float("nan")) == "not finite"
