"""Claims about statistics over seeds, each with its margin.

    FRESH = seeds(100, 5)
    claim("SELU, 30 blocks: accuracy", accuracy, least=0.8)  # .93 ± .03

What is compared with the margin is the mean of the values given, one value a seed; a median, a
share or an error of a mean is given as one number. The comment beside a margin is the mean ± the
standard deviation of such a value. A margin keeps a distance of three standard errors of what is
compared with it: `python -m course_tests.calibrate` runs the tests again with other seeds and other
instructions of the processor, and prints that distance. What can't keep it is not claimed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

SHIFT = "COURSE_CLAIMS_SHIFT"  # added to all seeds
LOG = "COURSE_CLAIMS_LOG"  # a file: claims are written there instead of judged


def seeds(first: int, count: int) -> range:
    """`count` seeds from `first` on, none of them used by a notebook; calibrating moves them."""
    first += int(os.environ.get(SHIFT, "0"))
    return range(first, first + count)


def claim(what: str, values: Any, *, least: float = -np.inf, most: float = np.inf) -> None:
    """Assert that the mean of `values` lies between `least` and `most`. NaN never does."""
    numbers = np.asarray(values, dtype=float).ravel()
    mean = numbers.mean()
    if LOG in os.environ:
        record = {
            "test": os.environ["PYTEST_CURRENT_TEST"].split(" ")[0],
            "what": what,
            "values": numbers.tolist(),
            "least": least,
            "most": most,
        }
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")
    else:
        assert least <= mean <= most, f"{what}: {mean:.4g}, not in [{least:g}, {most:g}]: {numbers}"
