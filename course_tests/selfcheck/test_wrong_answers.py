"""Every check of every lesson, tried with answers of the wrong kind: a plain sentence comes back.

Also that each worked solution is right, and that what follows a right answer is not printed else.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from course import lessons

Check = Callable[..., None]
WRONG = {
    "a text": "13.8", "an empty list": [], "nan": math.nan, "True": True, "numpy True": np.True_,
    "a wrong shape": np.ones((3, 7)), "a list with None": [1.0, None], "a dict": {"x": 1},
    "ragged": [[1], [1, 2]], "complex": 1j, "infinity": math.inf,
}  # fmt: skip
ERRORS = (
    "could not convert",
    "ufunc",
    "unsupported operand",
    "Traceback",
    "inhomogeneous",
    "dtype",
)

OWED = {
    "blow_up": {
        "check_backward",
        "check_step",
        "check_repair",
        "solve_backward",
        "solve_step",
        "solve_mend",
    },
    "initialization": {"check_he", "solve_he_"},
    "sigmoid_saturation": {"check_back", "check_mended", "solve_back", "solve_slope"},
    "skip_connections": {"check_repair"},
}
"""Checks that run a student's function on a network: they don't yet answer wrong kinds in words."""


def modules() -> list[Any]:
    names = [module.name for module in pkgutil.iter_modules(lessons.__path__)]
    return [importlib.import_module(f"course.lessons.{name}.exercise") for name in names]


CHECKS = [
    pytest.param(module, check, id=f"{module.__name__.split('.')[-2]}-{name}")
    for module in modules()
    for name, check in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("check_")
    and check.__module__ == module.__name__
    and name not in OWED.get(module.__name__.split(".")[-2], ())
]
SOLUTIONS = [
    pytest.param(module, solution, id=f"{module.__name__.split('.')[-2]}-{name}")
    for module in modules()
    for name, solution in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("solve_") and name not in OWED.get(module.__name__.split(".")[-2], ())
]


def takes_a_function(check: Check) -> bool:
    (first, *_) = inspect.signature(check).parameters.values()
    return "Callable" in str(first.annotation)


def said(capsys: pytest.CaptureFixture[str], check: Check, answers: list[Any]) -> str:
    check(*answers)
    return capsys.readouterr().out


def test_every_lesson_has_checks_and_a_solution() -> None:
    owed = [name for names in OWED.values() for name in names]
    checks = len(CHECKS) + sum(name.startswith("check_") for name in owed)
    solutions = len(SOLUTIONS) + sum(name.startswith("solve_") for name in owed)
    assert checks >= 2 * len(modules()) - 1 and solutions >= len(modules())


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(("module", "check"), CHECKS)
def test_an_answer_of_the_wrong_kind_gets_a_plain_sentence(
    module: Any, check: Check, wrong: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(inspect.signature(check).parameters)
    words = said(capsys, check, [wrong] * count)
    assert words.count("is not right yet.") == len(words.splitlines()) == count, words
    assert not any(error in words for error in ERRORS), words
    of_the_kind = isinstance(wrong, float) and math.isinf(wrong) and not takes_a_function(check)
    sentences = words.count("expected") + words.count("not numbers (nan)")
    assert of_the_kind or sentences == count, words


@pytest.mark.parametrize(
    ("module", "check"), [pair for pair in CHECKS if not takes_a_function(pair.values[1])]
)
def test_a_function_that_was_not_called_is_told_so(
    module: Any, check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(inspect.signature(check).parameters)
    for function in (dict, lambda: 3.0):
        words = said(capsys, check, [function] * count)
        assert words.count("That is a function") == words.count("Call it") == count, words


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(
    ("module", "check"),
    [pair for pair in CHECKS if takes_a_function(pair.values[1])],  # type: ignore[arg-type]
)
def test_a_function_that_gives_the_wrong_kind_is_told_so(
    module: Any, check: Check, wrong: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = said(capsys, check, [lambda *arguments: wrong])
    first = words.splitlines()[0]
    assert "right in 0 of" in first and "expected" in first, words
    assert not any(error in words for error in ERRORS), words


@pytest.mark.parametrize("unfilled", [..., None])
@pytest.mark.parametrize(("module", "check"), CHECKS)
def test_what_is_not_filled_in_is_not_yet(
    module: Any, check: Check, unfilled: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(inspect.signature(check).parameters)
    words = said(capsys, check, [unfilled] * count)
    assert words.count("not yet.") == len(words.splitlines()) == count, words
    if takes_a_function(check):
        assert said(capsys, check, [lambda *arguments: unfilled]) == words


@pytest.mark.parametrize(("module", "solution"), SOLUTIONS)
def test_worked_solutions_are_right(
    module: Any, solution: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [c.values[1] for c in CHECKS if c.values[0] is module]
    source = [c for c in checks if f"solution={solution.__name__}" in inspect.getsource(c)]  # type: ignore[arg-type]
    assert len(source) == 1, "one check offers it"
    words = said(capsys, source[0], [solution])  # type: ignore[arg-type]
    assert ": right in all" in words and "A worked solution" in words
    assert len(inspect.getsource(solution).splitlines()) <= 15, "a student reads it at a glance"
