"""Numbers in a sentence as people read them."""

from __future__ import annotations

import math

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 2, *, zero: str = "0") -> str:
    """A number to so many digits as people read it: "0.12", "5,300", "1.2 × 10⁻⁷", "not finite".

    zero: what is written for 0, such as "exactly 0" where it must not be taken for a small number.
    """
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return zero
    leading, exponent = f"{value:.{digits - 1}e}".split("e")
    size = int(exponent)
    if not -4 < size < 6:
        return f"{float(leading):g} × {power(size)}"
    plain = f"{float(f'{leading}e{exponent}'):,.{max(digits - 1 - size, 0)}f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def power(exponent: float) -> str:
    """A power of ten as people read it: "10⁻²⁴"."""
    return f"10{f'{exponent:.0f}'.translate(SUPERSCRIPT)}"


def with_error(mean: float, error: float) -> str:
    """A mean and its standard error: "0.693 ± 0.002", "0.693 ± 5 × 10⁻⁵", "not finite"."""
    return f"{number(mean, 3)} ± {number(error, 1)}" if math.isfinite(mean) else "not finite"
