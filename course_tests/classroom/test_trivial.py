"""No graded cell gives its points to a function that does nothing: constants, echoes."""

from __future__ import annotations

import ast
import contextlib
import io
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from course.classroom import master
from course.classroom.run import hidden_tests
from course_tests.classroom.cohort import load
from course_tests.classroom.playing import as_it_was, asker

CONSTANTS = (0, 1, -1, float("nan"), None, [], "")


def spaces(one: master.Master) -> dict[str, dict[str, Any]]:
    """Graded cell -> the names that it finds when everything is solved."""
    space: dict[str, Any] = {"__name__": "__main__"}
    found = {}
    for cell in one.cells:
        if cell.kind == "grade":
            found[cell.name] = dict(space)
        elif cell.code and cell.kind != "mistake":
            with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
                exec(compile(cell.source, f"{one.name}:{cell.name}", "exec"), space)
    return found


def answered(source: str) -> set[str]:
    """The names that a solution defines for others: functions, classes, variables."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            names |= {name.id for name in stored if isinstance(name.ctx, ast.Store)}
    return names


def first_answers(tests: str, names: set[str], space: dict[str, Any]) -> dict[str, Any]:
    """What each function of a solution returns when the hidden tests first call it."""
    answers: dict[str, Any] = {}

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            value = function(*given, **named)
            answers.setdefault(name, value)
            return value

        return call

    functions = {n: watched(n, space[n]) for n in names if isinstance(space[n], FunctionType)}
    assert hidden_tests.run(tests, asker({**space, **functions})) is None
    return answers


def nothings(names: set[str], space: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What somebody who does nothing may hand in: (how it is called, names)."""
    functions = {name for name in names if isinstance(space[name], FunctionType)}

    def constant(value: Any) -> Callable[..., Any]:
        return lambda *given, **named: value

    def echo(number: int) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            everything = [*given, *named.values()]
            return everything[min(number, len(everything) - 1)]

        return call

    def all_of(*given: Any) -> Any:
        return given

    for value in CONSTANTS:
        yield f"{value!r}", {n: constant(value) if n in functions else value for n in names}
    most = max((space[name].__code__.co_argcount for name in functions), default=0)
    for number in range(most):
        yield f"argument {number}", {n: echo(number) if n in functions else 0 for n in names}
    if functions:
        yield "its arguments", {n: all_of if n in functions else 0 for n in names}


@pytest.mark.parametrize("name", master.names())
def test_no_points_for_nothing(name: str) -> None:
    """Each graded cell against constants, echoes of each argument, and its first right answer."""
    one = load(name)
    bought = []
    with as_it_was():
        space_of = spaces(one)
        for problem, cells in one.problems.items():
            names = answered(one.cell(problem).source)
            for cell in cells:
                space, tests = space_of[cell], master.split(one.cell(cell).source)[1]
                first = first_answers(tests, names, space)
                stuck = {n: lambda *a, v=v, **k: v for n, v in first.items()}
                trials = [*nothings(names, space)]
                trials += [("its first right answer", stuck)] if first else []
                bought += [
                    f"{cell}: {what}"
                    for what, trial in trials
                    if hidden_tests.run(tests, asker({**space, **trial})) is None
                ]
    assert not bought
