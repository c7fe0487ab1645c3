"""Measured numbers in a line of text: rounded by their standard error, and marked as measured.

A mark is one number between ⟨ and ⟩, with its standard error where there are several runs:
"⟨1.207 ± 0.004⟩". The last digits of what is measured differ from machine to machine, so the
validation of stored notebooks leaves out what stands in a mark (course_tests/sanitize.cfg), while
the call that prints it asserts it. Nothing but numbers can stand in one.

A statement that does not hold fails a validation; a reader is shown it, and goes on (`broken`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from IPython.display import display

from course.live import cut_short, watched

Array = np.ndarray[Any, np.dtype[np.float64]]

NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
STOPPED = "A training above was stopped before its end: that can be why."
ELSEWHERE = "Other data, other settings or another machine can do that; the cells below go on."
MARK = re.compile(rf"\u27e8{NUMBER}(?: \u00b1 {NUMBER})?\u27e9")


@dataclass(frozen=True)
class Line:
    """A line with its details: folded below it in a notebook, left out in plain text.

    rows: of a table below the details; the first one is its head.
    """

    text: str
    details: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        if not self.details:
            return f"<div>{escape(self.text)}</div>"
        inner = "".join(f"<p>{escape(words)}</p>" for words in self.details) + self._table()
        return f"<details><summary>{escape(self.text)}</summary>{inner}</details>"

    def _table(self) -> str:
        tags = ["th"] + ["td"] * len(self.rows)
        rows = [
            "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
            for tag, row in zip(tags, self.rows, strict=False)
        ]
        return f"<table>{''.join(rows)}</table>" if rows else ""

    def show(self) -> None:
        """Display the line as the cell's output; where there is no notebook, print its text."""
        display(self)


@dataclass(frozen=True)
class Broken(Line):
    """A statement that does not hold: with a bar at its edge, and its details in full."""

    def __repr__(self) -> str:
        return "\n  ".join([self.text, *self.details])

    def _repr_html_(self) -> str:
        lines = "<br>".join(map(escape, [self.text, *self.details]))
        return f'<div style="border-left: 4px solid #D55E00; padding-left: 8px">{lines}</div>'


def broken(text: str) -> None:
    """Show a reader that a statement does not hold, with what may be the reason, and go on.

    Raises AssertionError with the text where nobody reads it in a notebook: in plain Python, and
    where notebooks are validated or stored (COURSE_WAIT=1), so that a false claim stays red there.
    """
    if not watched():
        raise AssertionError(f"✗ {text}")
    Broken(f"✗ {text}", (STOPPED if cut_short() else ELSEWHERE,)).show()


def array(values: Any) -> Array:
    """Numbers as a float64 array, also those of a tensor that has a gradient."""
    values = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    return np.asarray(values, dtype=np.float64)


def number(value: float, digits: int = 4) -> str:
    """A number in `digits` digits, four at most: "1.211", "26,200", "7.45e-9", "nan"."""
    if not math.isfinite(value) or value == 0:
        return f"{abs(value) if value == 0 else value:.0f}"
    text = f"{value:.{digits}g}"
    if 1e3 <= abs(value) < 1e6 or ("e" in text and 10 <= abs(value) < 1e6):
        return f"{float(text):,.0f}"
    return _exponent(text) if "e" in text else text


def mark(value: float, error: float | None = None, digits: int = 4) -> str:
    """A measured number in its mark, "⟨1.207 ± 0.004⟩": rounded to the place of its error.

    error: the standard error, or None where there is a single value: then `digits` digits.
    What is not finite stands without a mark: it is no matter of the last digits.
    """
    if not math.isfinite(value):
        return number(value)
    if error is None:
        return f"⟨{number(value, digits)}⟩"
    if not math.isfinite(error):
        return f"⟨{number(value, digits)}⟩ ± {error}"
    if error <= 1e-6 * abs(value):  # the runs differ by rounding at most
        return f"⟨{number(value, digits)} ± {number(error, 1)}⟩"
    place = math.floor(math.log10(error))
    place -= error < 1.95 * 10**place  # a leading 1 keeps a second digit
    size = max(abs(value), error)
    if 1e-3 <= size < 1e6:
        decimals = max(0, -place)
        value, error = (round(v, -place) + 0.0 for v in (value, error))
        return f"⟨{value:,.{decimals}f} ± {error:,.{decimals}f}⟩"
    digits = max(0, math.floor(math.log10(size)) - place)
    return f"⟨{_exponent(f'{value:.{digits}e}')} ± {_exponent(f'{error:.1e}')}⟩"


def marked(text: str) -> str:
    """The text with each number in it in a mark, for sentences of measured numbers."""
    number = r"(?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"  # no comma at its end
    return re.sub(number, lambda match: f"⟨{match[0]}⟩", text)


def summary(values: Any) -> str:
    """Measured values in words: one in its mark; several, the runs, as mean ± standard error and n.

    values: a number, runs (R,), or an array of more axes, of which the least and largest are told.
    """
    numbers = array(values)
    if numbers.size == 1:
        return mark(numbers.item())
    if numbers.ndim > 1 or not np.isfinite(numbers).all():
        return f"{span(numbers)} ({numbers.size} values)"
    return f"{mark(*mean_and_error(numbers))} (n = {numbers.size})"


def span(values: Any) -> str:
    """The least and the largest of measured values, "⟨0.97⟩ to ⟨0.99⟩"."""
    numbers = array(values)
    return f"{mark(numbers.min(), digits=3)} to {mark(numbers.max(), digits=3)}"


def mean_and_error(values: Any) -> tuple[float, float]:
    """Mean of n runs and its standard error, the deviation (of n - 1) over the root of n."""
    runs = array(values)
    apart = runs - runs.flat[0]  # equal runs are 0 apart, and not the rounding of their mean
    return float(runs.mean()), float(apart.std(ddof=1) / math.sqrt(runs.size))


def several(texts: Sequence[str]) -> str:
    """Up to four texts in a row; of more, the first and the last."""
    return ", ".join(texts) if len(texts) <= 4 else f"{texts[0]} to {texts[-1]}"


def _exponent(text: str) -> str:
    mantissa, power = text.split("e")
    return f"{mantissa}e{int(power)}"
