"""What kind of answer is given, and in words that it is not the kind that is asked for.

A text in the place of a number, a list in the place of one value, True, nan or a function that was
never called: each gets a plain sentence, before anything is computed with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from course.selfcheck.marks import array


def wrong_kind(answer: Any, expected: Any) -> str:
    """A sentence that says what `answer` is and what is expected; "" if it is of the same kind."""
    ours, theirs = kind(answer), kind(expected)
    if theirs == "parts" and isinstance(answer, list | tuple):
        return _parts(answer, expected)
    if ours == theirs:
        return _numbers(answer, expected) if ours == "number" else ""
    asked = _asked(expected)
    if ours == "text" and theirs == "number":
        return f"That is a text; {asked} is expected. Numbers stand without quotes."
    if ours == "function":
        return f"That is a function; {asked} is expected. Call it, with its arguments in brackets."
    return f"That is {_said(answer)}; {asked} is expected."


def kind(value: Any) -> str:
    """ "text", "function", "truth" (True or False), "number" (also an array), "parts" or "other".

    parts: a list or tuple that is no array of numbers, such as the weights of several layers.
    """
    if isinstance(value, str):
        return "text"
    if callable(value) and not hasattr(value, "detach"):
        return "function"
    try:
        raw = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        if raw.dtype == bool:
            return "truth"
        if raw.dtype.kind in "iuf":
            return "number"
    except (TypeError, ValueError):  # rows of different lengths
        pass
    return "parts" if isinstance(value, list | tuple) else "other"


def shown(value: Any) -> str:
    """An answer in a few words: six digits, a short row, an array by its ends, else as Python."""
    if kind(value) == "parts":
        return f"[{', '.join(map(shown, value))}]" if len(value) <= 4 else f"{len(value)} parts"
    if kind(value) != "number" or isinstance(value, int) or array(value).size == 0:
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    values = array(value)
    if not values.shape:
        return f"{values.item():.6g}"
    if values.ndim == 1 and values.size <= 4:
        return f"[{', '.join(f'{v:.4g}' for v in values)}]"
    return f"{values.size} numbers from {values.ravel()[0]:.3g} to {values.ravel()[-1]:.3g}"


def _parts(answer: Any, expected: Any) -> str:
    if len(answer) != len(expected):
        return f"It has {len(answer)} parts; {len(expected)} are expected."
    for k, (ours, theirs) in enumerate(zip(answer, expected, strict=True), start=1):
        if sentence := wrong_kind(ours, theirs):
            return f"Part {k}: {sentence}"
    return ""


def _numbers(answer: Any, expected: Any) -> str:
    ours, theirs = array(answer).shape, array(expected).shape
    if ours == theirs:
        nan = np.isnan(array(answer)).any() and not np.isnan(array(expected)).any()
        return "It contains values that are not numbers (nan)." if nan else ""
    if not ours:
        return f"That is one number; {_asked(expected)} is expected."
    if not theirs:
        return f"That is an array of shape {ours}; one number is expected."
    return f"Its shape is {ours}; {theirs} is expected."


def _asked(expected: Any) -> str:
    if kind(expected) == "number":
        shape = array(expected).shape
        return f"an array of shape {shape}" if shape else "one number"
    if kind(expected) == "parts":
        return f"a {type(expected).__name__} of {len(expected)} parts"
    return _said(expected)


def _said(value: Any) -> str:
    what = kind(value)
    if what == "truth":
        return "True or False"
    if what == "number":
        return "an array of numbers" if array(value).shape else "a number"
    name = type(value).__name__
    if what == "parts":
        numbers = all(kind(part) == "number" for part in value)
        what = "parts have different shapes" if numbers else "not everything is a number"
        return f"a {name} in which {what}"
    if what == "other":
        return "nothing (None)" if value is None else f"of the type {name}"
    return f"a {what}"
