"""Measured numbers are printed with their spread, asserted, and all that validation leaves out."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import course_tests
from course.selfcheck import agree, equivalent, holds, marks, no_better, paired
from course.selfcheck.comparisons import STUDENT, interval
from course.selfcheck.marks import MARK, mark, marked, mean_and_error
from course_tests import store

RUNS = np.array([1.20, 1.21, 1.20, 1.22, 1.205])  # mean 1.207, SE 0.0037
SANITIZER = Path(next(iter(course_tests.__path__))) / "sanitize.cfg"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.rstrip("\n")


def test_the_sanitizer_knows_marks_and_nothing_else() -> None:
    patterns = re.findall(r"^regex: (.*)$", SANITIZER.read_text(encoding="ascii"), re.M)
    assert patterns == [MARK.pattern]
    for number in ("1", "-0.5", "26,200", "7.45e-9", "1.207 ± 0.004", "1.20e-7 ± 3.3e-9"):
        assert MARK.fullmatch(f"⟨{number}⟩")
    for other in ("about 3", "", "nan", "3 %", "1 < 2", "1 ± 2 ± 3", "1, 2", "holds", "x1", "inf"):
        assert not MARK.search(f"⟨{other}⟩")


@given(
    st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]),
    st.none() | st.just(math.nan) | st.floats(min_value=0),
)
def test_a_mark_holds_a_number_or_is_not_set(value: float, error: float | None) -> None:
    text = mark(value, error)
    rest = MARK.sub("", text)
    assert rest in ("", "nan", "inf", "-inf", " ± inf", " ± nan")
    if not rest and error is None:
        first = float(text.strip("⟨⟩").replace(",", ""))
        assert math.isclose(first, value, rel_tol=1e-3, abs_tol=1e-300)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.2069, 0.0037, "⟨1.207 ± 0.004⟩"),
        (97.4, 1.2, "⟨97.4 ± 1.2⟩"),
        (12345, 230, "⟨12,300 ± 200⟩"),
        (1.2e-7, 3.3e-9, "⟨1.20e-7 ± 3.3e-9⟩"),
        (-0.001, 0.02, "⟨0.00 ± 0.02⟩"),
        (0.25, 0.0, "⟨0.25 ± 0⟩"),
        (26200.0, None, "⟨26,200⟩"),
        (0.0, None, "⟨0⟩"),
    ],
)
def test_numbers_are_rounded_by_their_error(value: float, error: float | None, text: str) -> None:
    assert mark(value, error) == text


def test_equal_runs_have_no_spread() -> None:
    """The mean of five times 0.101010... is another number, by rounding."""
    equal = np.full(5, 30 / 297)
    assert equal.mean() != equal[0]
    assert mean_and_error(equal)[1] == 0


def test_few_digits_of_a_large_number_are_no_power_of_ten() -> None:
    assert mark(236.2, digits=2) == "⟨240⟩" and mark(1.2e7, digits=2) == "⟨1.2e7⟩"
    assert mark(99.6, digits=2) == "⟨100⟩"


def test_agree_prints_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    agree(RUNS, 1.211, 0.03, "growth", against="formula")
    assert said(capsys) == "✓ growth: measured ⟨1.207 ± 0.004⟩ (n = 5), formula 1.211"
    agree(torch.tensor(0.1236), 0.1234, 1e-3, "loss")
    assert said(capsys) == "✓ loss: measured ⟨0.1236⟩, expected 0.1234"
    agree(1000.0, 1001.0, 1e-2, "sum", relative=True)
    assert said(capsys) == "✓ sum: measured ⟨1,000⟩, expected 1,001"
    agree(np.array([1.0, math.inf]), [1.0, math.inf], 0, "activations")
    assert said(capsys) == "✓ activations: measured ⟨1⟩, inf, expected 1, inf"
    agree(np.array([0.1, 0.1002, 0.0999]), np.full(3, 0.1), 0.003, "each")
    assert said(capsys) == "✓ each: measured ⟨0.0999⟩ to ⟨0.1⟩ (3 values), expected 0.1"
    agree(np.linspace(1, 117.4, 51), np.linspace(1, 117.4, 51), 0, "y")
    assert said(capsys) == "✓ y: 51 values, measured ⟨1⟩ to ⟨117.4⟩, expected 1 to 117.4"
    agree(np.stack([RUNS, 2 * RUNS]), [1.21, 2.42], 0.02, "two depths")
    words = "✓ two depths: measured ⟨1.207 ± 0.004⟩, ⟨2.414 ± 0.007⟩ (n = 5), expected 1.21, 2.42"
    assert said(capsys) == words
    agree(0.2371, 0.2369, 0.01, "factor", against="from slopes", measured_too=True)
    assert said(capsys) == "✓ factor: measured ⟨0.237⟩, from slopes ⟨0.237⟩"


@pytest.mark.parametrize(
    ("measured", "expected"),
    [(1.0, 2.0), (math.nan, 1.0), ([1.0, 2.0], [1.0]), (math.inf, 1.0), (RUNS, 2.0),
     ([1.0, math.nan], 1.0)],
)  # fmt: skip
def test_agree_fails_where_it_should(measured: Any, expected: Any) -> None:
    with pytest.raises(AssertionError, match="loss: "):
        agree(measured, expected, 0.5, "loss")


def test_holds_prints_the_numbers_that_it_compares(capsys: pytest.CaptureFixture[str]) -> None:
    holds("all survive", 0.3, "<", RUNS / 2, "<", 0.75)
    assert said(capsys) == "✓ all survive: 0.3 < ⟨0.6035 ± 0.0019⟩ (n = 5) < 0.75"
    holds("deeper is worse", np.float64(0.25), "<=", torch.tensor([0.5, 0.5]))
    assert said(capsys) == "✓ deeper is worse: ⟨0.25⟩ <= ⟨0.5 ± 0⟩ (n = 2)"
    holds("small", np.full((3, 4), 7e-9), "<", 1e-6)
    assert said(capsys) == "✓ small: ⟨7e-9⟩ to ⟨7e-9⟩ (12 values) < 1e-6"
    holds("a count", 3, ">=", 2)
    assert said(capsys) == "✓ a count: ⟨3⟩ >= 2"
    holds("between", 0.3, "<", 0.5, "<", 0.7)
    assert said(capsys) == "✓ between: 0.3 < ⟨0.5⟩ < 0.7"
    crossed = np.array([0.0, 3.0]), np.array([1.0, 2.0])
    holds("on average more", crossed[0] + 0.1, ">", crossed[1], on_average=True)
    with pytest.raises(AssertionError, match="not so here: in each: 0, 3 > 1, 2"):
        holds("in each", crossed[0], ">", crossed[1])
    holds("a statement without numbers", np.array([2.0, 3.0]) > 1.0)
    assert said(capsys).endswith("✓ a statement without numbers")
    for not_so in (False, np.array([True, False]), math.nan > 0):
        with pytest.raises(AssertionError, match="does not hold here: deeper is worse"):
            holds("deeper is worse", not_so)
    with pytest.raises(AssertionError):
        holds("nan is no number", np.array([1.0, math.nan]), ">", 0)
    for bad in ((1, "<"), (1, "=", 2)):
        with pytest.raises(ValueError):
            holds("so", *bad)


def test_intervals_are_student_s() -> None:
    """The 0.975 quantiles against Student's density, integrated."""
    for freedom, quantile in STUDENT.items():
        t = np.linspace(0.0, quantile, 200_001)
        density = (1 + t**2 / freedom) ** (-(freedom + 1) / 2)
        scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
        area = float(np.sum((density[1:] + density[:-1]) / 2) * t[1])
        assert abs(0.5 + scale / math.sqrt(freedom * math.pi) * area - 0.975) < 2e-5
    mean, error = mean_and_error(RUNS)
    assert interval(RUNS) == pytest.approx((mean - 2.776 * error, mean + 2.776 * error))
    draws = np.random.default_rng(3).normal(size=(4000, 5))
    covered = np.mean([low < 0 < high for low, high in map(interval, draws)])
    assert abs(covered - 0.95) < 0.015


def test_paired_runs_are_compared_by_their_differences(capsys: pytest.CaptureFixture[str]) -> None:
    base = np.array([0.1, 0.5, 0.9, 0.3, 0.7])  # the runs differ more than what is compared
    more = base + RUNS / 10
    paired("more", more, base)
    sides = "✓ more: ⟨0.62 ± 0.14⟩ against ⟨0.50 ± 0.14⟩"
    assert said(capsys) == f"{sides}, paired difference ⟨0.1207 ± 0.0004⟩ (n = 5)"
    paired("by a tenth", more, base, least=0.1)
    equivalent("alike", more, base, margin=0.13)
    no_better("no better", base, more, margin=0.01)
    for compare, pair, margins in (
        (paired, (base, more), {}),
        (paired, (more, base), {"least": 0.1206}),
        (paired, (base + np.array([0, 0.1, -0.1, 0.2, 0]), base), {}),  # within its interval
        (equivalent, (more, base), {"margin": 0.12}),
        (equivalent, (base, more), {"margin": 0.12}),
        (no_better, (more, base), {"margin": 0.12}),
        (paired, (np.array([1.0, math.nan]), np.array([0.0, 0.0])), {}),
    ):
        with pytest.raises(AssertionError, match="✗ so: "):
            compare("so", *pair, **margins)  # type: ignore[operator]
    for bad in ((1.0, 2.0), (base, base[:3]), (base[:1], base[:1]), (np.eye(2), np.eye(2))):
        with pytest.raises(ValueError):
            paired("so", *bad)
    with pytest.raises(ValueError, match="margin"):
        no_better("so", base, more, margin=0.0)


UNTRUE: dict[str, tuple[Callable[[], None], str]] = {
    "agree": (lambda: agree(1.0, 2.0, 0.5, "loss"), "loss: measured 1, expected 2"),
    "agree, nan": (lambda: agree(math.nan, 2.0, 0.5, "loss"), "loss: measured nan, expected 2"),
    "agree, shapes": (lambda: agree([1.0, 2.0], [1.0], 0, "loss"), "loss: shape (2,) against (1,)"),
    "agree, nothing": (lambda: agree([], [], 0, "loss"), "loss: there is nothing to compare"),
    "holds": (lambda: holds("more", 1, ">", 2), "not so here: more: 1 > 2"),
    "holds, nan": (lambda: holds("more", math.nan, ">", 2), "not so here: more: nan > 2"),
    "holds, nothing": (lambda: holds("more", [], ">", 2), "more: there is nothing to compare"),
    "holds, alone": (lambda: holds("more", False), "this does not hold here: more"),
    "paired": (lambda: paired("more", RUNS, RUNS + 1), "more: difference -1 ± "),
    "paired, nan": (lambda: paired("more", RUNS * math.nan, RUNS), "more: a run ends in nan"),
    "equivalent": (lambda: equivalent("alike", RUNS, 2 * RUNS, margin=0.1), "alike: difference"),
    "no_better": (lambda: no_better("no", 2 * RUNS, RUNS, margin=0.1), "no: difference 1.2"),
}


@pytest.mark.parametrize("what", UNTRUE)
def test_what_is_not_so_is_shown_to_a_reader_and_raised_elsewhere(
    what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state, text = UNTRUE[what]
    with pytest.raises(AssertionError) as raised:
        state()
    assert str(raised.value).startswith(f"✗ {text}") and said(capsys) == ""
    monkeypatch.setattr(marks, "watched", lambda: True)
    state()
    assert said(capsys) == f"{raised.value}\n  {marks.ELSEWHERE}"
    monkeypatch.setattr(marks, "cut_short", lambda: True)
    state()
    assert said(capsys) == f"{raised.value}\n  {marks.STOPPED}"


SOURCES = {
    "agree": "agree([1.20, 1.21, 1.20, 1.22, 1.205], 1.211, 0.03, 'growth', against='formula')",
    "holds": "holds('in every run', np.array([0.31, 0.33]), '>', 0.25)",
    "paired": "paired('more', np.array([0.31, 0.33, 0.35]), np.array([0.1, 0.11, 0.15]))",
}
# What is changed in the stored text of which cell, and whether validation must notice.
CHANGES = {
    "nothing": ("agree", "✓", "✓", False),
    "the measured number": ("agree", "⟨1.207 ± 0.004⟩", "⟨1.213 ± 0.011⟩", False),
    "both numbers of a pair": ("paired", "⟨0.3", "⟨4.3", False),
    "the theory": ("agree", "formula 1.211", "formula 1.213", True),
    "the number of runs": ("agree", "n = 5", "n = 6", True),
    "the name": ("agree", "growth", "growth per block", True),
    "the verdict": ("agree", "✓", "✗", True),
    "the margin": ("agree", "up to 0.03", "up to 0.3", True),
    "the bound": ("holds", "> 0.25", "> 0.2", True),
    "the relation": ("holds", " > ", " < ", True),
    "a word in the mark": ("agree", "⟨1.207", "⟨about 1.207", True),
    "a number too many in the mark": ("agree", "0.004⟩", "0.004 < 2⟩", True),
    "the mark taken away": ("agree", "⟨1.207 ± 0.004⟩", "1.207 ± 0.004", True),
    "the direction of a pair": ("paired", "against", "below", True),
}


def test_nbval_sees_all_but_measured_numbers(tmp_path: Path) -> None:
    """One notebook, its outputs changed one by one: the cells that fail are those that must.

    So does one that was saved with a statement that is not so, as a reader sees it.
    """
    plain = [what for what in CHANGES if what != "the margin"]  # that is folded, in HTML alone
    places = [(what, "text/html") for what in CHANGES] + [(what, "text/plain") for what in plain]
    notebook = nbformat.v4.new_notebook()
    start = "import numpy as np\nfrom course.selfcheck import *\ncheck('x', 4, 4)"
    sources = [start] + [f"{SOURCES[CHANGES[what][0]]}  # {what}, {type}" for what, type in places]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path = tmp_path / "changed.ipynb"
    nbformat.write(notebook, path)
    store.store(path)
    stored = nbformat.read(path, as_version=4)
    assert [output.text for output in stored.cells[0].outputs] == ["x: right.\n"], "and no verdict"
    for cell, (what, type) in zip(stored.cells[1:], places, strict=True):
        (output,) = cell.outputs
        old, new = (escape(text) if "html" in type else text for text in CHANGES[what][1:3])
        assert set(output.data) == {"text/plain", "text/html"} and old in output.data[type], what
        output.data[type] = output.data[type].replace(old, new)
    untrue = marks.Broken("✗ this does not hold here: so", (marks.ELSEWHERE,))
    data = {"text/plain": repr(untrue), "text/html": untrue._repr_html_()}
    shown = [nbformat.v4.new_output("display_data", data)]
    count = len(stored.cells) + 1
    broken = nbformat.v4.new_code_cell("holds('so', False)", outputs=shown, execution_count=count)
    stored.cells.append(broken)
    nbformat.write(stored, path)
    options = ["-c", "pyproject.toml", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-v", "--tb=no", str(path)],
        cwd=SANITIZER.parent.parent,
        env={name: value for name, value in os.environ.items() if name != "COURSE_WAIT"},
        capture_output=True,
        text=True,
    )
    results = re.findall(r"::Cell (\d+) (PASSED|FAILED)", run.stdout)
    verdicts = {
        place: verdict == "FAILED"
        for place, (_, verdict) in zip(places, results[1:-1], strict=True)
    }
    assert results[-1] == (str(len(places) + 1), "FAILED")
    assert results[0] == ("0", "PASSED")
    assert verdicts == {(what, type): CHANGES[what][3] for what, type in places}


def test_the_numbers_of_a_sentence_are_marked_one_by_one() -> None:
    text = "layer 0, 1.4e-06 of 26,200; -3 to 45%, log2 of x.5"
    said = "layer ⟨0⟩, ⟨1.4e-06⟩ of ⟨26,200⟩; ⟨-3⟩ to ⟨45⟩%, log2 of x.5"
    assert marked(text) == said and not set("⟨⟩") & set(MARK.sub("", said))
