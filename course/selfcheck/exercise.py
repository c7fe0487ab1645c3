"""Checks of what a student wrote: right, not yet, or a hint; and a worked solution after a try."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from course.selfcheck.kinds import kind, shown, wrong_kind
from course.selfcheck.marks import array
from course.selfcheck.source import Source

Mistake = tuple[Any, str]
Function = Callable[..., Any]
TRIES = 2  # different wrong answers after which a worked solution can be opened

_tries: dict[str, set[str]] = {}  # by the exercise's name, in this session


@dataclass(frozen=True)
class Verdict:
    """What a check said. It is true if the answer is right, and shows nothing at a cell's end.

    trial: the answer in words, if it was an honest try; "" if there was none yet.
    """

    right: bool
    words: str
    trial: str = ""

    def __bool__(self) -> bool:
        return self.right

    def _ipython_display_(self) -> None:
        """The words were printed already."""


def check(
    name: str,
    answer: Any,
    expected: Any,
    *,
    tolerance: float = 1e-6,
    mistakes: Sequence[Mistake] = (),
) -> Verdict:
    """Print whether a student's `answer` is right, and a hint where it shows a known mistake.

    An answer that is still ``...`` or None prints "not yet"; one of another kind than `expected`
    (a text, True, a list, nan, a function) is told so. Neither is an error.

    answer: a number, an array or a text. expected: what it should be.
    tolerance: relative to the expected size (absolute where 0 is expected).
    mistakes: pairs (wrong value, hint). A wrong sign, an inverse, off by one, rounding and percent
    are recognised anyway.
    """
    return _say(_judge_value(name, answer, expected, tolerance, mistakes))


def check_function(
    name: str,
    function: Any,
    cases: Sequence[tuple[tuple[Any, ...], Any]],
    *,
    tolerance: float = 1e-6,
    mistakes: Sequence[tuple[Function, str]] = (),
    solution: Function | None = None,
    trial: Function | None = None,
    gives: str = "gives",
) -> Verdict:
    """Print whether a student's function gives what it should, in every case, or a hint.

    cases: pairs (arguments, value), `arguments` a tuple; a value is a number, an array, a text, or
    a tuple of these, compared part by part. mistakes: pairs (wrong function, hint),
    recognised where it gives the student's results in every case. A function that returns ``...``
    or None, or raises NotImplementedError, is "not yet".
    solution: a function that is right. Its source can be opened below the verdict once the answer
    is right, or after two different tries.
    trial: for a function that changes a layer or a network in place: trial(function, *arguments)
    calls it and returns what is compared with a case's value; `mistakes` are tried the same way.
    gives: what is compared, in words: "he_(400, 900) <gives> 2.7, expected 2".
    """
    trial = trial or (lambda f, *arguments: f(*arguments))
    verdict = _say(_judge_function(name, function, cases, tolerance, mistakes, trial, gives))
    if solution is not None and verdict.trial:
        tries = _tries.setdefault(name, set())
        if not verdict:
            tries.add(verdict.trial)
        if verdict or len(tries) >= TRIES:
            Source(solution, "A worked solution, to compare with yours").show()
        else:
            print("After another try a worked solution can be opened here.")
    return verdict


def check_range(name: str, answer: Any, least: float, most: float) -> bool:
    """Whether a student's answer is one number from `least` to `most`; if not, that is printed."""
    if answer is None or answer is ...:
        _say(_not_yet(name))
    elif sentence := wrong_kind(answer, least):
        print(f"{name}: {shown(answer)} is not right yet. {sentence}")
    elif not least <= float(answer) <= most:
        sentence = f"A number from {least:g} to {most:g} is expected."
        print(f"{name}: {shown(answer)} is not right yet. {sentence}")
    else:
        return True
    return False


def _say(verdict: Verdict) -> Verdict:
    print(verdict.words.rstrip())
    return verdict


def _not_yet(name: str) -> Verdict:
    words = "not yet. Write your answer in place of the ... above, then run this again."
    return Verdict(False, f"{name}: {words}")


def _judge_value(
    name: str, answer: Any, expected: Any, tolerance: float, mistakes: Sequence[Mistake]
) -> Verdict:
    if answer is None or answer is ...:
        return _not_yet(name)
    if _equal(answer, expected, tolerance):
        return Verdict(True, f"{name}: right.", shown(answer))
    known = [hint for wrong, hint in mistakes if _equal(answer, wrong, tolerance)]
    hint = known[0] if known else _guess([(answer, expected)], tolerance)
    return Verdict(False, f"{name}: {shown(answer)} is not right yet. {hint}", shown(answer))


def _judge_function(
    name: str,
    function: Any,
    cases: Sequence[tuple[tuple[Any, ...], Any]],
    tolerance: float,
    mistakes: Sequence[tuple[Function, str]],
    trial: Function,
    gives: str,
) -> Verdict:
    if function is None or function is ...:
        return _not_yet(name)
    if not callable(function):
        hint = f"{wrong_kind(function, len)} Define it with def {name}(...)."
        return Verdict(False, f"{name}: {shown(function)} is not right yet. {hint}")
    results = []
    for arguments, expected in cases:
        call = f"{name}({', '.join(map(shown, arguments))})"
        try:
            result = trial(function, *copy.deepcopy(arguments))  # it may write into them
        except NotImplementedError:
            return _not_yet(name)
        except Exception as error:
            problem = f"{name}: {call} stops with {type(error).__name__}: {error}"
            return Verdict(False, problem, problem)
        if result is ... or result is None:
            return _not_yet(name)
        results.append((call, result, expected))
    wrong = [(c, r, e) for c, r, e in results if not _equal(r, e, tolerance)]
    if not wrong:
        return Verdict(True, f"{name}: right in all {len(results)} cases.", "right")
    call, result, expected = wrong[0]
    hint = _guess([(r, e) for _, r, e in wrong], tolerance)
    given = [(r, arguments) for (_, r, _), (arguments, _) in zip(results, cases, strict=True)]
    for suspect, words in mistakes:
        if _explains(partial(trial, suspect), given, tolerance):
            hint = words
            break
    count = f"{name}: right in {len(results) - len(wrong)} of {len(results)} cases."
    first = f"{call} {gives} {shown(result)}, expected {shown(expected)}."
    attempt = ", ".join(shown(result) for _, result, _ in results)
    return Verdict(False, f"{count} {first} {hint}", attempt)


def _explains(
    suspect: Function, given: list[tuple[Any, tuple[Any, ...]]], tolerance: float
) -> bool:
    """Whether the wrong function `suspect` gives all of these (result, arguments)."""
    try:
        return all(_equal(r, suspect(*copy.deepcopy(a)), tolerance) for r, a in given)
    except (ArithmeticError, ValueError, TypeError):
        return False  # it does not even run here


def _guess(pairs: list[tuple[Any, Any]], tolerance: float) -> str:
    """A hint if every pair (given, expected) shows the same everyday mistake, else ''."""
    for given, expected in pairs:
        if sentence := wrong_kind(given, expected):
            return sentence
    if any(kind(expected) != "number" for _, expected in pairs):
        return ""
    arrays = [(array(given), array(expected)) for given, expected in pairs]
    with np.errstate(divide="ignore", invalid="ignore"):
        everyday = {
            "The sign is the wrong way round.": lambda e: -e,
            "It is upside down: look for a division the wrong way round.": lambda e: 1 / e,
            "You are one too high. Where does the counting start?": lambda e: e + 1,
            "You are one too low. Where does the counting start?": lambda e: e - 1,
            "That looks like percent; a share of 1 is expected.": lambda e: 100 * e,
            "That is a hundredth of it: is it a share where percent is expected?": (
                lambda e: e / 100
            ),
            "That looks like degrees; radians are expected.": lambda e: e * 180 / math.pi,
        }
        for hint, slip in everyday.items():
            if all(_equal(given, slip(expected), tolerance) for given, expected in arrays):
                return hint
    if all(_equal(given, expected, 0.005) for given, expected in arrays):
        return "Very near: is it rounded? Let Python compute it to all digits."
    return ""


def _equal(given: Any, expected: Any, tolerance: float) -> bool:
    if wrong_kind(given, expected):
        return False
    if kind(expected) == "parts":
        pairs = zip(given, expected, strict=True)
        return all(_equal(ours, theirs, tolerance) for ours, theirs in pairs)
    if kind(expected) != "number":
        return bool(np.all(given == expected))
    ours, theirs = array(given), array(expected)
    room = tolerance * np.where(theirs == 0, 1.0, np.abs(theirs))
    with np.errstate(invalid="ignore"):
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        return bool(np.all(same | (np.isfinite(theirs) & (np.abs(ours - theirs) <= room))))
