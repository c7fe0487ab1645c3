"""What was measured, printed beside what theory says, and asserted in the same call.

To assert means: AssertionError where a notebook is validated or stored (COURSE_WAIT=1), and in
plain Python. To a reader at a notebook the statement that does not hold is shown, with a ✗ and the
numbers that are against it, and the cell goes on: a run that was stopped has such numbers.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from course.arguments import one_of, real, reject
from course.selfcheck.marks import (
    Array,
    Line,
    array,
    broken,
    mark,
    mean_and_error,
    number,
    several,
    summary,
)
from course.selfcheck.marks import span as extent

RELATIONS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
ROWS = 10  # of a folded table
NOTHING = "there is nothing to compare"


def agree(
    measured: Any,
    expected: Any,
    tolerance: float,
    what: str = "measured",
    *,
    relative: bool = False,
    against: str = "expected",
    measured_too: bool = False,
) -> None:
    """Print `measured` with its spread beside `expected`, and assert that they are that close.

        agree(growth, 1.211, 0.03, "growth per block", against="formula")
        ✓ growth per block: measured ⟨1.207 ± 0.004⟩ (n = 5), formula 1.211

    measured: a number; runs (R,) beside one expected number, or (..., R) beside expected (...):
    then their means over the last axis are compared; or an array of the shape of `expected`, whose
    elements are compared one by one.
    tolerance: the largest difference accepted; relative: as a share of the expected value.
    against: what the expected value is, in a word: "formula", "theory", "autograd".
    measured_too: `expected` was measured as well, so it stands in marks.
    Fails (see above) with both values where they disagree, shapes do not fit, or there are none.
    """
    real("tolerance", tolerance, least=0.0)
    ours, theirs = array(measured), array(expected)
    runs = ours.shape[-1] if ours.ndim == theirs.ndim + 1 and ours.shape[-1] > 1 else 0
    if not ours.size:
        return broken(f"{what}: {NOTHING}")
    means = ours.mean(axis=-1) if runs else ours
    if means.shape != theirs.shape:
        return broken(f"{what}: shape {ours.shape} against {theirs.shape}")
    room = tolerance * np.abs(theirs) if relative else np.full(theirs.shape, float(tolerance))
    with np.errstate(invalid="ignore"):
        difference = np.where(means == theirs, 0.0, np.abs(means - theirs))
    fine = difference <= room
    if not fine.all():
        worst = np.flatnonzero(~fine.ravel())[0]
        return broken(
            f"{what}: measured {means.ravel()[worst]:.6g}, {against} "
            f"{theirs.ravel()[worst]:.6g}, accepted within {tolerance:g}{' relative' * relative}"
        )
    values = _marked(ours.reshape(-1, runs)) if runs else _rounded(ours, room)
    references = _rounded(theirs, room) if measured_too else [number(v) for v in theirs.ravel()]
    shown, reference = several(values), several(references)
    if len(set(references)) == 1 < theirs.size and not measured_too:  # one expected value for all
        shown, reference = f"{extent(means)} ({theirs.size} values)", references[0]
    of_runs = f" (n = {runs})" if runs else ""
    count = f"{theirs.size} values, " if theirs.size > 4 and reference != references[0] else ""
    rows = [("", "measured", against)] + [
        (f"{k + 1}", values[k], references[k]) for k in _spaced(theirs.size)
    ]
    Line(
        f"✓ {what}: {count}measured {shown}{of_runs}, {against} {reference}",
        (
            *(["Mean of the runs ± its standard error."] if runs else []),
            f"Largest difference {mark(difference.max(), digits=1)}; accepted up to {tolerance:g}"
            f"{f' of the {against} value' * relative}.",
        ),
        tuple(rows) if theirs.size > 1 else (),
    ).show()


def holds(statement: str, *comparison: Any, on_average: bool = False) -> None:
    """Print the statement with the numbers that bear it out, and assert that they do.

        holds("all survive, 30% to 75% right", 0.3, "<", right, "<", 0.75)
        ✓ all survive, 30% to 75% right: 0.3 < ⟨0.52 ± 0.03⟩ (n = 5) < 0.75

    comparison: values and the relations between them, "<", ">", "<=" or ">=", in turn. A Python
    number is a bound that is stated; an array, a tensor or a numpy number was measured (where all
    are Python numbers: the first of two, the second of three). Arrays of runs (R,) are compared run
    by run, or, `on_average`, by their means; they are printed as mean ± standard error. A single
    condition that has no numbers to show may stand in their place.
    Fails (see above) where it does not hold in every run, or there is none.
    """
    if len(comparison) == 1:
        if not np.all(np.asarray(comparison[0])):
            return broken(f"this does not hold here: {statement}")
        Line(f"✓ {statement}").show()
        return
    terms, relations = comparison[::2], comparison[1::2]
    if len(terms) != len(relations) + 1:
        raise reject("comparison", comparison, 'values with relations between them: a, "<", b')
    terms = _with_a_measured_one(terms)
    if not all(array(term).size for term in terms):
        return broken(f"{statement}: {NOTHING}")
    parts = [_term(terms[0])]
    for k, relation in enumerate(relations):
        one_of("relation", relation, tuple(RELATIONS))
        left, right = (array(term) for term in terms[k : k + 2])
        if on_average:
            left, right = left.mean(), right.mean()
        parts += [relation, _term(terms[k + 1])]
        said = f"{_plain(terms[k])} {relation} {_plain(terms[k + 1])}"
        if not np.all(RELATIONS[relation](left, right)):
            return broken(f"not so here: {statement}: {said}")
    measured = [term for term in terms if not _stated(term) and array(term).size > 1]
    how = "Compared by the means." if on_average else "Compared in every one of them."
    spans = [f"From {extent(term)}." for term in measured]
    Line(f"✓ {statement}: {' '.join(parts)}", (how, *spans) if measured else ()).show()


def _marked(rows: Array) -> list[str]:
    return [mark(*mean_and_error(row)) for row in rows]


def _rounded(values: Array, room: Array) -> list[str]:
    """Single values, to a tenth of what they may be off, in 2 to 4 digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.nan_to_num(np.log10(np.abs(values) / room), nan=2.0) // 1 + 2
    digits = np.clip(digits, 2, 4).astype(int)
    return [mark(v, digits=int(d)) for v, d in zip(values.ravel(), digits.ravel(), strict=True)]


def _spaced(n: int) -> list[int]:
    """Up to ROWS places of n, from the first to the last."""
    return sorted({round(k) for k in np.linspace(0, n - 1, min(n, ROWS))})


def _stated(term: Any) -> bool:
    """Whether this is a bound that stands in the text: a plain Python number."""
    return type(term) in (int, float)


def _with_a_measured_one(terms: tuple[Any, ...]) -> tuple[Any, ...]:
    """The terms, the first of two or the second of three measured where none seems to be."""
    if not all(map(_stated, terms)):
        return terms
    middle = (len(terms) - 1) // 2
    return (*terms[:middle], np.asarray(terms[middle]), *terms[middle + 1 :])


def _term(term: Any) -> str:
    return number(term) if _stated(term) else summary(term)


def _plain(term: Any) -> str:
    values = array(term).ravel()
    return several([f"{v:.4g}" for v in values])
