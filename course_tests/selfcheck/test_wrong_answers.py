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


def modules() -> list[Any]:
    names = [module.name for module in pkgutil.iter_modules(lessons.__path__)]
    return [importlib.import_module(f"course.lessons.{name}.exercise") for name in names]


CHECKS = [
    pytest.param(module, check, id=f"{module.__name__.split('.')[-2]}-{name}")
    for module in modules()
    for name, check in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("check_") and check.__module__ == module.__name__
]
SOLUTIONS = [
    pytest.param(module, solution, id=f"{module.__name__.split('.')[-2]}-{name}")
    for module in modules()
    for name, solution in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("solve_") and solution.__module__ == module.__name__
]


def asked(check: Check) -> list[str]:
    """What each parameter asks for: "function", "text" or "number"."""
    parameters = inspect.signature(check).parameters.values()
    notes = [str(one.annotation) for one in parameters if str(one.annotation) != "Letter"]
    kinds = {"str": "text"}
    return ["function" if "Callable" in note else kinds.get(note, "number") for note in notes]


def takes_a_function(check: Check) -> bool:
    return "function" in asked(check)


def said(capsys: pytest.CaptureFixture[str], check: Check, answers: list[Any]) -> str:
    patient = ["A"] * ("letter" in inspect.signature(check).parameters)  # of the clinic
    check(*patient, *answers)
    return capsys.readouterr().out


def test_every_lesson_has_checks_and_a_solution() -> None:
    assert len(CHECKS) >= 2 * len(modules()) - 1 and len(SOLUTIONS) >= len(modules())


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(("module", "check"), CHECKS)
def test_an_answer_of_the_wrong_kind_gets_a_plain_sentence(
    module: Any, check: Check, wrong: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = asked(check)
    words = said(capsys, check, [wrong] * len(kinds))
    assert words.count("is not right yet.") == len(words.splitlines()) == len(kinds), words
    assert not any(error in words for error in ERRORS), words
    given = "text" if isinstance(wrong, str) else "number" if wrong is math.inf else "other"
    for line, kind in zip(words.splitlines(), kinds, strict=True):
        assert "expected" in line or "not numbers (nan)" in line or kind == given, words


@pytest.mark.parametrize(
    ("module", "check"), [pair for pair in CHECKS if not takes_a_function(pair.values[1])]
)
def test_a_function_that_was_not_called_is_told_so(
    module: Any, check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(asked(check))
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
    kinds = asked(check)
    words = said(capsys, check, [lambda *arguments: wrong] * len(kinds))
    lines = [line for line in words.splitlines() if "right in 0 of" in line]
    assert len(lines) == kinds.count("function"), words
    assert all("expected" in line for line in lines), words
    assert not any(error in words for error in ERRORS), words


@pytest.mark.parametrize("unfilled", [..., None])
@pytest.mark.parametrize(("module", "check"), CHECKS)
def test_what_is_not_filled_in_is_not_yet(
    module: Any, check: Check, unfilled: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(asked(check))
    words = said(capsys, check, [unfilled] * count)
    assert words.count("not yet.") == len(words.splitlines()) == count, words
    bodies = [
        (lambda *arguments: unfilled) if kind == "function" else unfilled for kind in asked(check)
    ]
    assert said(capsys, check, bodies) == words


@pytest.mark.parametrize(("module", "solution"), SOLUTIONS)
def test_worked_solutions_are_right(
    module: Any, solution: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [c.values[1] for c in CHECKS if c.values[0] is module]
    source = [c for c in checks if f"solution={solution.__name__}" in inspect.getsource(c)]  # type: ignore[arg-type]
    assert len(source) == 1, "one check offers it"
    words = said(capsys, source[0], [solution] * len(asked(source[0])))  # type: ignore[arg-type]
    assert ": right in all" in words and "A worked solution" in words
    assert len(inspect.getsource(solution).splitlines()) <= 15, "a student reads it at a glance"
