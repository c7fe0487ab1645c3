"""What singular values say, at the edges of floating point: no warning, no wrong finite number."""

from __future__ import annotations

import math
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course import measures
from course.measures import spectra
from course.measures.representations import entropy_rank, participation

# Not by files that other tests left open: they are closed whenever Python finds them.
pytestmark = pytest.mark.filterwarnings("error", "ignore::ResourceWarning")

SUBNORMAL, HUGE = 5e-324, sys.float_info.max
sizes = st.one_of(
    st.sampled_from([0.0, -0.0, SUBNORMAL, 1e-310, 1e-160, 1.0, 1e160, HUGE]), st.floats(0, HUGE)
)
values = st.lists(sizes, min_size=1, max_size=6).map(lambda found: sorted(found, reverse=True))


@given(values)
@example([HUGE] * 6)
@example([SUBNORMAL] * 3)
@example([0.0, -0.0])
@example([HUGE, SUBNORMAL])
def test_ranks_and_spread_of_singular_values(singular: list[float]) -> None:
    rank, ratio = entropy_rank(singular).item(), participation(singular).item()
    spread = measures.squared_spread(singular).item()
    if max(singular) == 0:
        assert rank == ratio == 0 and math.isnan(spread)
        return
    exact = [mpmath.mpf(s) / max(singular) for s in singular]
    shares = [s / sum(exact) for s in exact if s > 0]
    assert rank == pytest.approx(float(mpmath.exp(-sum(p * mpmath.log(p) for p in shares))))
    squares = [s**2 for s in exact]
    assert ratio == pytest.approx(float(sum(squares) ** 2 / sum(s**2 for s in squares)))
    mean = sum(squares) / len(squares)
    wanted = sum((s / mean - 1) ** 2 for s in squares) / len(squares)
    assert spread == pytest.approx(float(wanted), abs=1e-14)


@given(sizes, sizes)
@example(HUGE, HUGE)
@example(SUBNORMAL, SUBNORMAL)
@example(1.0, SUBNORMAL)
def test_the_condition_number_of_a_diagonal_matrix(first: float, second: float) -> None:
    found = spectra.condition_number(np.diag([first, second])).item()
    least, most = sorted([first, second])
    if least == 0:
        assert found == math.inf
        return
    wanted = mpmath.mpf(most) / mpmath.mpf(least)
    if wanted < 1e12:
        assert found == pytest.approx(float(wanted), rel=1e-3)
    else:  # "singular as far as float64 can tell"
        assert found > 1e11
    spectrum = measures.product_spectrum([np.diag([first, second])])
    if not spectrum.floor.any():
        assert float(spectrum.log10_condition) == pytest.approx(float(mpmath.log10(wanted)))
    else:  # marked as not known
        assert wanted > 1e12


def test_what_is_no_singular_value_is_named_and_what_is_not_finite_gives_nan() -> None:
    for measure in (entropy_rank, participation, measures.squared_spread):
        with pytest.raises(ValueError, match=r"singular = -1\.0"):
            measure([1.0, -1.0])
        for bad in (math.inf, math.nan):
            assert math.isnan(measure([1.0, bad]).item())
