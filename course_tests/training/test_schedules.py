"""Schedules of the rate and of the skips at the edges: from the first step to the end itself."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course.training import Cut, Ramp, linear_decay, step_decay

SUBNORMAL, LAST = 5e-324, math.nextafter(1.0, 0.0)
shares = st.one_of(st.sampled_from([0.0, -0.0, SUBNORMAL, 1e-310, 0.5, LAST, 1.0]), st.floats(0, 1))


@given(shares, shares)
@example(1.0, 1.0)
@example(LAST, 1.0)
@example(0.0, -0.0)
def test_linear_decay(start: float, done: float) -> None:
    factor = linear_decay(start).factor(done)
    late = max(Fraction(done) - Fraction(start), Fraction(0))
    wanted = 1 - late / (1 - Fraction(start)) if late else 1
    assert factor == pytest.approx(float(wanted), rel=1e-12, abs=1e-15) and 0 <= factor <= 1


@given(shares, shares)
@example(SUBNORMAL, 0.0)
@example(-0.0, 0.0)
@example(1e-310, 5e-311)
def test_a_ramp(until: float, done: float) -> None:
    alpha = Ramp(until).alpha(done)
    wanted = 1 if done >= until else Fraction(done) / Fraction(until)
    assert alpha == pytest.approx(float(wanted), rel=1e-12) and 0 <= alpha <= 1


@given(st.floats(0, 1e308), shares)
def test_a_cut(at: float, done: float) -> None:
    assert Cut(at).alpha(done) == (1 if done >= at else 0)


@given(st.lists(shares, max_size=400, unique=True), st.floats(SUBNORMAL, 1), shares)
@example([k / 400 for k in range(400)], 0.1, 1.0)
def test_step_decay(at: list[float], factor: float, done: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = step_decay(sorted(at), factor).factor(done)
    wanted = Fraction(factor) ** sum(share <= done for share in at)
    assert found == pytest.approx(float(wanted), rel=1e-9, abs=1e-322)


def test_a_run_without_steps_has_no_factor() -> None:
    for schedule in (linear_decay(0.5), step_decay()):
        with pytest.raises(ValueError, match="steps = 0"):
            schedule(0, 0)
