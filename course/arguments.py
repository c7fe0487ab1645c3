"""Checks of arguments. Each error names the argument, its value, and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def reject(name: str, value: Any, allowed: str) -> ValueError:
    """The error for a bad argument: ``raise reject("depth", -1, "a whole number >= 0")``."""
    return ValueError(f"{name} = {value!r}: it must be {allowed}")


def whole(name: str, value: Any, *, least: int = 0, most: int | None = None) -> int:
    """`value` as an int in [least, most], or ValueError. Accepts numpy integers, not booleans."""
    allowed = f"a whole number >= {least}" + ("" if most is None else f" and <= {most}")
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        raise reject(name, value, allowed) from None
    if isinstance(value, bool) or number < least or (most is not None and number > most):
        raise reject(name, value, allowed)
    return number


def real(
    name: str,
    value: Any,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    above: float = -math.inf,
    text: bool = False,
) -> float:
    """`value` as a finite float with above < value, least <= value <= most, or ValueError.

    text: a number written as a string is taken, too.
    """
    bounds = [f"> {above:g}"] if above > -math.inf else []
    bounds += [f">= {least:g}"] if least > -math.inf else []
    bounds += [f"<= {most:g}"] if most < math.inf else []
    allowed = " ".join(["a finite number", " and ".join(bounds)]).strip()
    try:
        number = math.nan if isinstance(value, str) and not text else float(value)
    except (TypeError, ValueError):
        raise reject(name, value, allowed) from None
    if not math.isfinite(number) or not least <= number <= most or number <= above:
        raise reject(name, value, allowed)
    return number


def one_of(name: str, value: Any, choices: Iterable[T]) -> T:
    """`value` if it is among `choices`, or ValueError that lists them."""
    known = list(choices)
    if value not in known:
        raise reject(name, value, "one of " + ", ".join(map(str, known)))
    return value


def seeds(value: Any) -> tuple[int, ...]:
    """Seeds, one per replica, as a tuple of distinct whole numbers >= 0, or ValueError.

    `value`: a list, tuple, range, or an array or tensor with one axis.
    """
    allowed = "a non-empty sequence of different whole numbers >= 0, one per replica"
    listed = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        raise reject("seeds", value, allowed)
    checked = tuple(whole("seeds", seed) for seed in listed)
    if not checked or len(set(checked)) != len(checked):
        raise reject("seeds", value, allowed)
    return checked
