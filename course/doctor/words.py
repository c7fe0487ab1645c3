"""Numbers and names as they stand in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float) -> str:
    """A number to two digits, as it stands in a sentence."""
    return f"{value:.2g}" if math.isfinite(value) else "not finite"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names in a row, at most so many, the others counted."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
