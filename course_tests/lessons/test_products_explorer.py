"""The explorers and exercises of notebook 07a: they bear their extremes, and say what they show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from course.lessons.products import exercise, explorer, pictures
from course_tests.corners import corners, visit


def drive(panel: Any, **values: list[Any]) -> set[str]:
    """What it says at every combination of these values, and after a new draw at the first."""
    texts, _ = visit(panel, corners(**values))
    panel.new_draw()
    texts.append(panel.text)
    panel.reset()
    assert not any("nan" in text for text in texts)
    return set(texts)


def test_the_product_to_its_extremes() -> None:
    panel = explorer.product()
    seen = drive(panel, kind=["orthogonal", "Gaussian"], depth=[1, 100], scale=[0.0, 0.05, 2.0])
    assert len(seen) == 13
    assert any("100 Gaussian" in text and "nothing gets through" in text for text in seen)
    assert any("smallest 10⁻²⁴" in text for text in seen)  # 0.05^100 times 10^-110 or so


def test_the_product_in_words() -> None:
    kept = explorer.product(kind="orthogonal", depth=100, scale=1.0).text
    assert "largest singular value is 1, the middle one 1, the smallest 1." in kept
    assert "0% are below 0.1" in kept
    lost = explorer.product(depth=100).text
    share = float(lost.split("Apart from the scale, ")[1].split("%")[0])
    assert share == pytest.approx(95, abs=4)


def test_the_sheet_to_its_extremes() -> None:
    panel = explorer.sheet()
    seen = drive(panel, connected=[True, False], depth=[0, 1, 50])
    assert len(seen) == 7
    assert sum("filaments" in text for text in seen) >= 1
    assert all("still a sheet" in t for t in seen if t.startswith("50 maps; each map also"))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: explorer.product(kind="round"), "kind = 'round'"),
        (lambda: explorer.product(depth=0), "depth = 0"),
        (lambda: explorer.sheet(depth=51), "depth = 51"),
    ],
)
def test_bad_first_values_are_named(call: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()


def test_sizes_without_a_place_on_the_axis_are_zero() -> None:
    found = pictures.sizes([0.0, -2.0, -400.0, -math.inf])
    np.testing.assert_allclose(found, [1, 0.01, 0, 0])


def test_the_checks_know_right_wrong_and_not_yet(capsys: pytest.CaptureFixture[str]) -> None:
    exercise.check_logarithms(..., ...)
    assert capsys.readouterr().out.count("not yet") == 2
    exercise.check_logarithms(math.log(2.0**-24), math.log(0.5))
    said = capsys.readouterr().out
    assert said.count(": right.") == 2 and "Measured with 48 factors" in said
    exercise.check_logarithms(-24.0, 0.5)
    said = capsys.readouterr().out
    assert "base 2" in said and "the share itself" in said
    exercise.check_directions_left(lambda n, depth, t: ...)
    assert "not yet" in capsys.readouterr().out
    exercise.check_directions_left(lambda n, depth, t: n * (1 - t ** (2 / depth)))
    said = capsys.readouterr().out
    assert "right in all 6 cases" in said
    ours, counted = (float(part.split(";")[0].strip(" .\n")) for part in
                     (said.split("you say ")[1], said.split("draws, ")[1]))  # fmt: skip
    assert ours == pytest.approx(counted, abs=2)


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        (lambda n, d, t: n * t ** (2 / d), "lost"),
        (lambda n, d, t: 1 - t ** (2 / d), "share"),
        (lambda n, d, t: n * (1 - t ** (1 / d)), "2/L"),
        (lambda n, d, t: n * (1 - t ** (d / 2)), "2/L"),
        (lambda n, d, t: n * (1 - t**d), "2/L"),
    ],
)
def test_known_slips_get_a_hint(slip: Any, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    exercise.check_directions_left(slip)
    assert hint in capsys.readouterr().out
