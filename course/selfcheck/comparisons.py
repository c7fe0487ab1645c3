"""Two networks compared over the same seeds: the mean difference, with its 95 % interval.

Runs that share their seeds, data and batches differ by what is compared, and by little else: their
differences scatter less than the runs do. The interval is mean ± t SE, with Student's t for n - 1
degrees of freedom: three runs need 4.3 standard errors, ten 2.26.

To assert means what it does in `measured`: a reader is shown what does not hold, and goes on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from course.arguments import real, reject
from course.selfcheck.marks import Array, Line, array, broken, mark, mean_and_error, number

# 0.975 quantile of Student's t by degrees of freedom; between two rows the larger one is taken.
STUDENT = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262,
    10: 2.228, 11: 2.201, 12: 2.179, 14: 2.145, 16: 2.120, 19: 2.093, 24: 2.064, 29: 2.045,
    39: 2.023, 59: 2.001, 99: 1.984,
}  # fmt: skip


def paired(statement: str, first: Any, second: Any, *, least: float = 0.0) -> None:
    """Print and assert that `first` exceeds `second`, by more than `least` on average.

    first, second: what was measured in n >= 2 runs of the same seeds, (n,). Asserted: the 95 %
    interval of the mean difference lies above `least`. Raises ValueError for runs that are not
    paired.
    """
    least = real("least", least)
    runs = _pairs(first, second)
    low, high = interval(runs[0] - runs[1])
    _show(statement, runs, low > least, f"lies above {number(least)}", low, high)


def no_better(statement: str, first: Any, second: Any, *, margin: float) -> None:
    """Print and assert that `first` does not exceed `second` by `margin` on average.

    As `paired`; asserted: the 95 % interval of the mean difference lies below `margin`.
    """
    margin = _margin(margin)
    runs = _pairs(first, second)
    low, high = interval(runs[0] - runs[1])
    _show(statement, runs, high < margin, f"lies below {number(margin)}", low, high)


def equivalent(statement: str, first: Any, second: Any, *, margin: float) -> None:
    """Print and assert that `first` and `second` differ by less than `margin` on average.

    As `paired`; asserted: the 95 % interval of the mean difference lies within ± `margin` (two
    one-sided tests at 2.5 % each).
    """
    margin = _margin(margin)
    runs = _pairs(first, second)
    low, high = interval(runs[0] - runs[1])
    words = f"lies within ± {number(margin)}"
    _show(statement, runs, -margin < low and high < margin, words, low, high)


def interval(differences: Any) -> tuple[float, float]:
    """The 95 % interval of the mean of n >= 2 values, by Student's t with n - 1 degrees."""
    mean, error = mean_and_error(differences)
    t = STUDENT[max(freedom for freedom in STUDENT if freedom < array(differences).size)]
    return mean - t * error, mean + t * error


def _pairs(first: Any, second: Any) -> tuple[Array, Array]:
    one, other = array(first), array(second)
    if one.ndim != 1 or one.shape != other.shape or one.size < 2:
        shapes = f"{one.shape} and {other.shape}"
        raise reject("first, second", shapes, "runs of the same n >= 2 seeds, (n,) and (n,)")
    return one, other


def _margin(margin: float) -> float:
    if not real("margin", margin) > 0:
        raise reject("margin", margin, "more than 0: the difference that would matter")
    return margin


def _show(
    statement: str, runs: tuple[Array, Array], condition: bool, words: str, low: float, high: float
) -> None:
    difference = runs[0] - runs[1]
    if not np.isfinite(difference).all():
        return broken(f"{statement}: a run ends in nan or infinity")
    mean, error = mean_and_error(difference)
    if not condition:
        return broken(
            f"{statement}: difference {mean:.4g} ± {error:.2g}, n = {difference.size}; the 95 % "
            f"interval, {low:.4g} to {high:.4g}, should be one that {words}"
        )
    Line(
        f"✓ {statement}: {mark(*mean_and_error(runs[0]))} against "
        f"{mark(*mean_and_error(runs[1]))}, paired difference {mark(mean, error)} "
        f"(n = {difference.size})",
        (
            "Mean ± standard error.",
            f"The 95 % interval of the mean difference, {mark(low, digits=3)} to "
            f"{mark(high, digits=3)}, {words}.",
        ),
    ).show()
