"""The explorers and exercises of notebook 07a: they bear their extremes, and say what they show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from course.lessons.products import exercise, explorer, pictures, science
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
    exercise.check_products(lambda factors: ..., lambda factors: ...)
    exercise.check_scale_and_rank(lambda s: None)
    assert capsys.readouterr().out.count("not yet") == 3
    exercise.check_products(exercise.solve_by_hand, exercise.solve_by_qr)
    said = capsys.readouterr().out
    assert said.count("right in all 3 cases") == 2 and "Ten factors" in said
    exercise.check_scale_and_rank(exercise.solve_scale_and_rank)
    assert "right in all 3 cases" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("by_hand", "by_qr", "hint"),
    [
        (lambda f: torch.linalg.svdvals(science.multiply(f)), exercise.solve_by_qr, "log10"),
        (lambda f: exercise.solve_by_hand(f[::-1]), exercise.solve_by_qr, "left to right"),
        (exercise.solve_by_hand, lambda f: exercise.solve_by_qr(f[::-1]), "reversed"),
        (exercise.solve_by_hand, exercise.solve_by_hand, "diagonals of R"),
    ],
)
def test_known_slips_get_a_hint(
    by_hand: Any, by_qr: Any, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise.check_products(by_hand, by_qr)
    assert hint in capsys.readouterr().out
