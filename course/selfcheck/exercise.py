"""Checks that a student sees (right, not yet, or a hint), and checks of what we claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from course.arguments import real

Mistake = tuple[Any, str]


def check(
    name: str,
    answer: Any,
    expected: Any,
    *,
    tolerance: float = 1e-6,
    mistakes: Sequence[Mistake] = (),
) -> None:
    """Print whether a student's `answer` is right, and a hint where it shows a known mistake.

    An answer that is still ``...`` or None prints "not yet" and is no error.

    answer: a number, an array, a text, or a function. expected: what it should be; for a function a
    list of cases ``[(arguments, value), ...]`` with `arguments` a tuple.
    tolerance: relative to the expected size (absolute where 0 is expected).
    mistakes: pairs (wrong value, hint); for a function (wrong function, hint), recognised where it
    gives the student's results in every case. A wrong sign, an inverse and off by one are
    recognised anyway.
    """
    if callable(answer):
        print(_judge_function(name, answer, expected, tolerance, mistakes))
    elif answer is None or answer is ...:
        print(_not_yet(name))
    elif _equal(answer, expected, tolerance):
        print(f"{name}: right.")
    else:
        known = [hint for wrong, hint in mistakes if _equal(answer, wrong, tolerance)]
        hint = known[0] if known else _guess([(answer, expected)], tolerance)
        print(f"{name}: {_shown(answer)} is not right yet. {hint}".rstrip())


def agree(
    measured: Any,
    expected: Any,
    tolerance: float,
    what: str = "measured",
    *,
    relative: bool = False,
) -> None:
    """Assert that `measured` is within `tolerance` of `expected`, and print the expected, rounded.

    What is printed never depends on the last digits measured, so stored outputs stay the same from
    one machine to the next. Arrays of one shape are compared element by element; the largest
    difference counts. relative: `tolerance` is a share of the expected value.
    Raises AssertionError, with both values, where they disagree.
    """
    real("tolerance", tolerance, least=0.0)
    ours, theirs = _array(measured), _array(expected)
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape} against {theirs.shape}"
    room = tolerance * np.abs(theirs) if relative else np.full(theirs.shape, float(tolerance))
    with np.errstate(invalid="ignore"):
        fine = (np.abs(ours - theirs) <= room) | (ours == theirs)
    if not fine.all():
        worst = np.flatnonzero(~fine.ravel())[0]
        raise AssertionError(
            f"{what}: measured {ours.ravel()[worst]:.6g}, expected {theirs.ravel()[worst]:.6g} "
            f"within {tolerance:g}{' (relative)' if relative else ''}"
        )
    values = theirs.ravel()
    shown = f"{values[0]:.4g}" if values.size == 1 else f"{values.size} values"
    print(f"{what}: {shown}, as expected to within {tolerance:g}{' relative' * relative}")


def holds(statement: str, condition: Any) -> None:
    """Assert that what was measured bears the statement out, and print the statement.

    For orderings and margins, whose numbers differ from machine to machine: what is printed is the
    same wherever it holds. An array holds where all of it does. Raises AssertionError otherwise.
    """
    assert np.all(np.asarray(condition)), f"this does not hold here: {statement}"
    print(f"Holds: {statement}")


def _not_yet(name: str) -> str:
    return f"{name}: not yet. Write your answer in place of the ... above, then run this again."


def _judge_function(
    name: str,
    function: Callable[..., Any],
    cases: Sequence[tuple[tuple[Any, ...], Any]],
    tolerance: float,
    mistakes: Sequence[Mistake],
) -> str:
    results = []
    for arguments, expected in cases:
        call = f"{name}({', '.join(map(_shown, arguments))})"
        try:
            result = function(*arguments)
        except NotImplementedError:
            return _not_yet(name)
        except Exception as error:
            return f"{name}: {call} stops with {type(error).__name__}: {error}"
        if result is ... or result is None:
            return _not_yet(name)
        results.append((call, result, expected))
    wrong = [(c, r, e) for c, r, e in results if not _equal(r, e, tolerance)]
    if not wrong:
        return f"{name}: right in all {len(results)} cases."
    call, result, expected = wrong[0]
    hint = _guess([(r, e) for _, r, e in wrong], tolerance)
    given = [(r, arguments) for (_, r, _), (arguments, _) in zip(results, cases, strict=True)]
    for suspect, words in mistakes:
        if _explains(suspect, given, tolerance):
            hint = words
            break
    verdict = f"{name}: right in {len(results) - len(wrong)} of {len(results)} cases. "
    return f"{verdict}{call} gives {_shown(result)}, expected {_shown(expected)}. {hint}".rstrip()


def _explains(
    suspect: Callable[..., Any], given: list[tuple[Any, tuple[Any, ...]]], tolerance: float
) -> bool:
    """Whether the wrong function `suspect` gives all of these (result, arguments)."""
    try:
        return all(_equal(result, suspect(*arguments), tolerance) for result, arguments in given)
    except (ArithmeticError, ValueError, TypeError):
        return False  # it does not even run here


def _guess(pairs: list[tuple[Any, Any]], tolerance: float) -> str:
    """A hint if every pair (given, expected) shows the same everyday mistake, else ''."""
    if any(isinstance(side, str) for pair in pairs for side in pair):
        return ""
    arrays = [(_array(given), _array(expected)) for given, expected in pairs]
    for given, expected in arrays:
        if given.shape != expected.shape:
            return f"Its shape is {given.shape}; {expected.shape} is expected."
        if np.isnan(given).any() and not np.isnan(expected).any():
            return "It contains values that are not numbers (nan)."
    with np.errstate(divide="ignore", invalid="ignore"):
        everyday = {
            "The sign is the wrong way round.": lambda e: -e,
            "It is upside down: look for a division the wrong way round.": lambda e: 1 / e,
            "You are one too high. Where does the counting start?": lambda e: e + 1,
            "You are one too low. Where does the counting start?": lambda e: e - 1,
        }
        for hint, slip in everyday.items():
            if all(_equal(given, slip(expected), tolerance) for given, expected in arrays):
                return hint
    return ""


def _array(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    value = value.detach().cpu().numpy() if hasattr(value, "detach") else value
    return np.asarray(value, dtype=np.float64)


def _equal(given: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(given, str) or isinstance(expected, str):
        return given == expected
    try:
        ours, theirs = _array(given), _array(expected)
    except (TypeError, ValueError):
        return False
    if ours.shape != theirs.shape:
        return False
    room = tolerance * np.where(theirs == 0, 1.0, np.abs(theirs))
    with np.errstate(invalid="ignore"):
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        return bool(np.all(same | (np.isfinite(theirs) & (np.abs(ours - theirs) <= room))))


def _shown(value: Any) -> str:
    if isinstance(value, bool | str | int):
        return repr(value)
    try:
        array = _array(value)
    except (TypeError, ValueError):
        return repr(value)
    if array.size == 1:
        return f"{array.item():.6g}"
    return f"{array.size} numbers from {array.ravel()[0]:.3g} to {array.ravel()[-1]:.3g}"
