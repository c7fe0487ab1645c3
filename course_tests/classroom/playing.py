"""Runs a master in this process, as a student and then the grader would: quick, no kernel."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from course.classroom.master import Master, split
from course.classroom.run import hidden_tests, kernel_side
from course_tests.classroom.cohort import UNTOUCHED, answer


@dataclass
class Played:
    """failed: graded cell -> what the student is told; hints: check cell -> what it said."""

    failed: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def play(master: Master, chosen: dict[str, str]) -> Played:
    """All cells in order with the chosen answers; hidden tests where they stand."""
    with as_it_was():
        return _play(master, chosen)


@contextlib.contextmanager
def as_it_was() -> Iterator[None]:
    """What cells set for their whole process is set back: it is the tests' process here."""
    kind = torch.get_default_dtype()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_default_dtype(kind)


def _play(master: Master, chosen: dict[str, str]) -> Played:
    played = Played()
    space: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(master.cells):
        if not cell.code or cell.kind == "mistake":
            continue
        if cell.kind == "grade":
            said = hidden_tests.run(split(cell.source)[1], asker(space))
            if said is not None:
                played.failed[cell.name] = said
            continue
        source: str | None = cell.source
        if cell.kind == "solution":
            source = answer(master, cell.name, chosen.get(cell.name, UNTOUCHED))
        if source is None:
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
                exec(compile(source, f"{master.name}:{cell.name or number}", "exec"), space)
        except AssertionError as problem:
            played.hints[cell.name] = str(problem)
        except Exception as problem:
            played.errors[cell.name or str(number)] = f"{type(problem).__name__}: {problem}"
    return played


def asker(space: dict[str, Any]) -> Any:
    """`ask` as in the hidden tests, with the same texts going to and fro as with a kernel."""

    def ask(expression: str, /, torch: bool = False, **values: Any) -> Any:
        request = hidden_tests.request(expression, values, torch)
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            answered = kernel_side.reply(request, space)
        return hidden_tests.reply(answered, expression)

    return ask
