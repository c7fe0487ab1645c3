"""What stands beside a picture: a badge in a word, a row of layers, and sentences to unfold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from course.live.slices import Slices

FAR = 3.0
"""Powers of ten from one end of a network to the other that count as vanishing or exploding."""
LOST, ZERO = 999.0, -999.0
"""In a row: not finite, and exactly 0."""
BADGES = ("healthy", "vanishes", "explodes", "degenerate", "breaks down")


@dataclass(frozen=True)
class Caption:
    """Words beside a picture: ``Caption("w = 2\\nThe signal ...", "explodes", {"signal": sizes})``.

    text: one line is always seen, number `seen` from 0, and the others unfold: where the first says
        what the controls say too, take a later one. badge: one of `BADGES`, or "" for none;
        "gradient: healthy" where the word is true of one thing and may not be of another.
    rows: sizes by layer (L,), by the name of what they are sizes of; any sign, 0, inf or NaN. Each
        is coloured by its powers of ten relative to the end where it comes in.
    work: what is still to be done for this picture, such as a training under way.
    """

    text: str
    badge: str = ""
    rows: Mapping[str, ArrayLike] = field(default_factory=dict)
    seen: int = 0
    work: Slices[Any] | None = None

    def __str__(self) -> str:
        return self.text


def said(words: Any, values: Mapping[str, Any]) -> Caption:
    """What a `draw` returned, as a `Caption`: of the values it was given, where it is None."""
    if words is None:
        words = ", ".join(f"{name} = {value}" for name, value in values.items())
    return words if isinstance(words, Caption) else Caption(str(words))


def verdict(*rows: ArrayLike) -> str:
    """One of `BADGES` for sizes by layer, each from the end where it comes in to the other.

    rows: (L,) of a signal from its first layer on, of a gradient from its last. What is not finite
    explodes; what is 0 at the end vanishes; else the largest change, in powers of ten, decides.
    """
    changes = [0.0]
    for row in rows:
        sizes = np.abs(np.asarray(row, dtype=float))
        if not np.isfinite(sizes).all():
            return "explodes"
        if len(sizes) and sizes[-1] == 0:
            changes.append(-np.inf)
        elif len(sizes) and sizes[0] > 0:
            with np.errstate(divide="ignore"):
                changes.append(float(np.log10(sizes[-1]) - np.log10(sizes[0])))
    change = max(changes, key=abs)
    return "healthy" if abs(change) < FAR else "explodes" if change > 0 else "vanishes"


def describe(
    text: str, *, signal: ArrayLike = (), gradient: ArrayLike = (), seen: int = 0
) -> Caption:
    """A `Caption` with the row of a signal and of a gradient by layer, (L,), and their verdict."""
    rows = {"signal": signal, "gradient": gradient}
    rows = {name: row for name, row in rows.items() if len(np.atleast_1d(row))}
    backward = np.asarray(gradient, dtype=float)[::-1]
    return Caption(text, verdict(signal, backward), rows, seen)


def powers(row: ArrayLike, *, backward: bool = False) -> list[float]:
    """Powers of ten of the sizes (L,), relative to the first, or to the last if `backward`.

    Rounded to a tenth; `LOST` for what is not finite, `ZERO` for 0.
    """
    values = np.asarray(row, dtype=float)
    sizes = np.abs(values)
    usable = np.isfinite(sizes) & (sizes > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(sizes)
    ends = logs[usable]
    start = ends[-1 if backward else 0] if ends.size else 0.0
    relative = np.where(usable, np.round(logs - start, 1) + 0.0, ZERO)
    return [float(power) for power in np.where(np.isfinite(values), relative, LOST)]


def cells(rows: Mapping[str, ArrayLike]) -> list[dict[str, object]]:
    """The rows as the page draws them: name, powers, and which layers are negative."""
    return [
        {
            "name": name,
            "powers": powers(row, backward=name == "gradient"),
            "negative": _places(np.asarray(row, dtype=float) < 0),
        }
        for name, row in rows.items()
    ]


def _places(mask: Sequence[bool] | np.ndarray) -> list[int]:
    return [int(place) for place in np.flatnonzero(mask)]
