"""Hidden tests: how they ask a submission, compare, and say what is wrong.

They run in the grader's process. A test sees of the submission what `ask` returns, plain data:

    for w, n in ((0.9, 12), (-1.1, 7)):
        expect(close(ask("slope(w, n)", w=w, n=n), n * w ** (n - 1)), "The slope is off for ...")

The submission sees the expression and the values that it is asked with, never a test.
"""

from __future__ import annotations

import ast
import builtins
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from course.classroom.run import kernel_side


class NotYet(Exception):
    """A hidden test that is not passed; its text is what the student is told."""


def expect(condition: Any, message: str) -> None:
    """NotYet(message) unless `condition` holds."""
    if not bool(condition):
        raise NotYet(message)


def close(got: Any, wanted: Any, rel: float = 1e-6, least: float = 1e-9) -> bool:
    """Whether `got` has the shape of `wanted` and each entry is within rel * |wanted| + least.

    Infinities must be equal, NaN equals NaN. False, never an error, for anything not numeric.
    """
    try:
        a, b = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return False
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=rel, atol=least, equal_nan=True))


# What a hidden test may use beside Python's own names; `ask` is another for each submission.
GIVEN: dict[str, Any] = {
    "ask": None,
    "expect": expect,
    "close": close,
    "np": np,
    "math": math,
}


def broken(hidden: str) -> str:
    """Why these hidden tests can't run, whatever they are given: no Python, or names that nobody
    defines. "" where neither is so.
    """
    try:
        tree = ast.parse(hidden)
    except SyntaxError as problem:
        return f"line {problem.lineno} is not valid Python"
    known = {*GIVEN, *vars(builtins)}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else known).add(node.id)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            known |= {(name.asname or name.name).split(".")[0] for name in node.names}
    strange = ", ".join(sorted(used - known))
    return f"nobody defines {strange}" if strange else ""


def run(hidden: str, ask: Callable[..., Any]) -> str | None:
    """Runs hidden tests; what the student is to be told, or None when all of them pass.

    A test that stumbles over what it was given (a list where it asked for a number) counts as not
    passed: its own error would show the assertion, so the student reads a general sentence.
    """
    names = {**GIVEN, "ask": ask}
    try:
        with np.errstate(all="ignore"):
            exec(compile(hidden, "<hidden tests>", "exec"), names)
    except NotYet as problem:
        return str(problem)
    except (NameError, SyntaxError, ImportError):
        raise  # data cannot do that: the test itself is broken
    except Exception:
        return "What your code returns has another form than the problem asks for."
    return None


def prepare() -> str:
    """The first cell of every run: brings `kernel_side` into the kernel, and tames exit()."""
    return f"""
def _prepare():
    import sys, types
    module = types.ModuleType("_course_answers")
    exec({Path(kernel_side.__file__).read_text(encoding="utf-8")!r}, module.__dict__)
    sys.modules["_course_answers"] = module
    get_ipython().ask_exit = lambda: None
_prepare()
del _prepare
"""


def request(expression: str, values: dict[str, Any], torch: bool = False) -> str:
    """What is asked, as text: `expression` with `values` bound for its evaluation.

    Arrays arrive as numpy arrays, or as torch tensors where `torch` is true.
    """

    def sent(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return {"array": value.tolist(), "dtype": str(value.dtype), "torch": torch}
        if isinstance(value, dict):
            return {"dict": [[sent(k), sent(v)] for k, v in value.items()]}
        return [sent(entry) for entry in value] if isinstance(value, list | tuple) else value

    bound = {name: sent(value) for name, value in values.items()}
    return json.dumps({"expression": expression, "values": bound})


def question(asked: str) -> str:
    """The cell that puts a request to the kernel."""
    return f"__import__('_course_answers').answer({asked!r}, globals())"


def reply(text: str, expression: str) -> Any:
    """The value in the kernel's answer; NotYet where the student's code failed."""
    try:
        answer = json.loads(text)
        if "error" in answer:
            raise NotYet(f"{expression} stopped with {answer['error']}")
        return _value(answer["value"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotYet(f"{expression} gave no usable answer.") from None


def _value(data: Any) -> Any:
    if isinstance(data, list):
        return [_value(entry) for entry in data]
    if isinstance(data, dict):
        if "array" in data:
            return np.asarray(data["array"])
        if "dict" in data:
            return {_value(key): _value(value) for key, value in data["dict"]}
        raise NotYet(f"A number or an array was wanted, your code gave {str(data['other'])[:80]}.")
    return data
