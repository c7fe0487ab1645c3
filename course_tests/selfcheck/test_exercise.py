"""Checks of what a student wrote: right, not yet, hints, solutions that open after a try."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from course.lessons.scalar_chain import exercise as scalar_chain_exercise
from course.plots import style
from course.selfcheck import check, check_function, check_range, show_source
from course.selfcheck.source import Source


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (..., 4.0, "not yet"),
        (None, 4.0, "not yet"),
        (4, 4.0, "x: right."),
        (4.0000001, 4.0, "x: right."),
        (torch.tensor(4.0), 4.0, "x: right."),
        (-4.0, 4.0, "The sign is the wrong way round."),
        (0.25, 4.0, "upside down"),
        (5, 4, "one too high"),
        (3, 4, "one too low"),
        (16.0, 4.0, "Do not square it."),
        (7.3, 4.0, "x: 7.3 is not right yet."),
        (400.0, 4.0, "percent"),
        (4.001, 4.0, "Very near: is it rounded?"),
        (math.nan, 4.0, "not numbers"),
        ("four", 4.0, "That is a text; one number is expected. Numbers stand without quotes."),
        (True, 1.0, "That is True or False; one number is expected."),
        ([], 4.0, "That is an array of shape (0,); one number is expected."),
        ({}, 4.0, "That is of the type dict; one number is expected."),
        (4j, 4.0, "That is of the type complex; one number is expected."),
        ([4.0, None], [4.0, 1.0], "a list in which not everything is a number"),
        (4.0, [4.0, 1.0], "That is one number; an array of shape (2,) is expected."),
        (4.0, "vanish", "That is a number; a text is expected."),
        (abs, 4.0, "That is a function; one number is expected. Call it"),
        ("vanish", "vanish", "x: right."),
        (np.ones((2, 3)), np.ones((3, 2)), "Its shape is (2, 3); (3, 2) is expected."),
        (np.arange(3), np.arange(3), "x: right."),
        (0.0, math.inf, "not right yet"),
        (math.inf, math.inf, "x: right."),
    ],
)
def test_checks_of_values(
    answer: object, expected: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check("x", answer, expected, mistakes=[(16.0, "Do not square it.")])
    assert words in said(capsys)


def test_checks_of_functions(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [((2, 3), 8), ((3, 2), 9), ((1, 0), 1)]
    mistakes = [
        (lambda w, n: w / n, "does not run where n is 0, and that does no harm"),
        (lambda w, n: w * n, "Multiply w by itself n times, not by n."),
    ]

    def judged(function: object) -> str:
        check_function("power", function, cases, mistakes=mistakes)
        return said(capsys)

    def unfilled(w: int, n: int) -> None: ...

    def later(w: int, n: int) -> int:
        raise NotImplementedError

    assert judged(lambda w, n: w**n) == "power: right in all 3 cases."
    assert "not yet" in judged(unfilled) and "not yet" in judged(later)
    assert "Multiply w by itself" in judged(lambda w, n: w * n)
    assert "power(2, 3) gives -8, expected 8. The sign" in judged(lambda w, n: -(w**n))
    assert "stops with ZeroDivisionError" in judged(lambda w, n: w / 0)
    assert judged(lambda w, n: w**n if n else 7).startswith("power: right in 2 of 3 cases.")


def test_functions_that_return_parts_or_write_into_their_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    weights = [np.ones((2, 3)), np.ones((3, 1))]
    cases = [((weights,), [2 * w for w in weights])] * 2

    def judged(function: object) -> str:
        check_function("double", function, cases, mistakes=[(lambda ws: ws, "Nothing is doubled.")])
        return said(capsys)

    def in_place(ws: list[np.ndarray]) -> list[np.ndarray]:
        for w in ws:
            w *= 2
        return ws

    assert judged(in_place) == "double: right in all 2 cases." and weights[0].max() == 1
    assert judged(lambda ws: [2 * torch.tensor(w) for w in ws]).endswith("right in all 2 cases.")
    assert judged(lambda ws: ws).endswith("Nothing is doubled.")
    assert "It has 1 parts; 2 are expected." in judged(lambda ws: [ws])
    assert "Part 2: Its shape is (2, 3); (3, 1) is" in judged(lambda ws: [ws[0], ws[0]])
    assert "a list of 2 parts is expected" in judged(lambda ws: 2.0)


def test_a_solution_opens_after_two_different_tries(capsys: pytest.CaptureFixture[str]) -> None:
    def double(x: float) -> float:
        return 2 * x

    def judged(function: object) -> str:
        check_function("double", function, [((3,), 6.0)], solution=double)
        return said(capsys)

    assert "solution" not in judged(lambda x: ...) and "solution" not in judged("2x").lower()
    for _ in range(3):  # the same try again is no new one
        assert "After another try" in judged(lambda x: x)
    assert "A worked solution, to compare" in judged(lambda x: x + 1)
    assert "A worked solution" in judged(lambda x: x + x)


def test_source_is_shown_folded(capsys: pytest.CaptureFixture[str]) -> None:
    show_source(style.line)
    assert "line, " in (line := said(capsys)) and "of course/plots/style.py" in line
    page = Source(style.line)._repr_markdown_()
    assert page.startswith("<details><summary>line, ") and "\n```python\ndef line(" in page
    for item in (3, math.sin):
        with pytest.raises(ValueError, match="item = "):
            show_source(item)


def test_the_exercise_of_notebook_01(capsys: pytest.CaptureFixture[str]) -> None:
    def ratio(weight: float, largest: float) -> float:
        return math.log(largest) / math.log(abs(weight))

    def judged(function: object) -> str:
        scalar_chain_exercise.check_overflow_layer(function)  # type: ignore[arg-type]
        return said(capsys)

    for right in (lambda w, m: math.ceil(ratio(w, m)), lambda w, m: math.floor(ratio(w, m)) + 1):
        assert judged(right).startswith("overflow_layer: right in all 9 cases.")
    assert "not yet" in judged(lambda w, m: ...)
    assert "it still fits: round up." in judged(lambda w, m: int(ratio(w, m)))
    assert "whole number: round up." in judged(ratio)
    assert "Divide the other way round." in judged(lambda w, m: math.ceil(1 / ratio(w, m)))
    assert "think of logarithms" in judged(lambda w, m: math.ceil(m / abs(w)))
    assert "base 10." in judged(lambda w, m: math.ceil(math.log10(m) / math.log(abs(w))))
    assert "stops with ValueError" in judged(lambda w, m: math.log(m) / math.log(w))


def test_the_faded_example_of_notebook_01(capsys: pytest.CaptureFixture[str]) -> None:
    def judged(least: object, most: object) -> str:
        scalar_chain_exercise.check_range(least, most)
        return said(capsys)

    assert judged(..., ...).count("not yet") == 2
    assert judged(0.01**0.001, ...).count("right.") == 1
    solved = judged(0.01**0.001, 100**0.001)
    assert solved.count("right.") == 2 and "the first input counts 0.01 and 100." in solved
    assert judged(0.01 / 1000, 0.1).count("with a root") == 2
    assert "math.exp" in judged(math.log(0.01) / 1000, 1) and "Run over" not in judged("a", 0.0)
    assert judged(0.01, 100).count("one step") == 2 and "other way" in judged(0.01**1000, 1)


def test_functions_that_work_in_place_are_tried_by_what_they_change(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def reverse(values: list[int]) -> None:
        values.reverse()

    def changed(function: Callable[..., Any], values: list[int]) -> list[int]:
        function(values)
        return values

    slips = [(lambda values: values.sort(), "Sorted, not turned round.")]
    cases = [(([3, 1, 2],), [2, 1, 3])]
    for function, words in [
        (reverse, "turn: right in all 1 cases."),
        (lambda values: values.sort(), "turn([3, 1, 2]) leaves [1, 2, 3], expected [2, 1, 3]."),
        (lambda values: values.sort(), "Sorted, not turned round."),
        (lambda values: values.append(1), "Its shape is (4,); (3,) is expected."),
        (lambda: None, "turn([3, 1, 2]) stops with TypeError"),
    ]:
        check_function("turn", function, cases, mistakes=slips, trial=changed, gives="leaves")
        assert words in capsys.readouterr().out
    assert cases == [(([3, 1, 2],), [2, 1, 3])]


@pytest.mark.parametrize(
    ("answer", "words"),
    [(0, ""), (np.float64(2), ""), (2.01, "2.01 is not right yet. A number from 0 to 2"),
     (math.inf, "inf is not right yet"), (math.nan, "nan is not right yet"), (..., "not yet")],
)  # fmt: skip
def test_a_number_in_a_range(answer: Any, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_range("scale", answer, 0, 2) is not bool(words)
    said = capsys.readouterr().out
    assert words in said and bool(said) is bool(words)
