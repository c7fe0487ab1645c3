"""Every closed form of the lessons at the edges of floating point.

Subnormal, huge, zero and negative zero: the right limit, or a ValueError that names the argument;
never another exception, never a warning (an error in this module), never a wrong finite number.
`test_gaussian_means` does the same for what is built on integrals, `test_scalar_chain` for the
chain at ordinary sizes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from course.lessons.blow_up import short_chain
from course.lessons.degeneracy import science as degeneracy
from course.lessons.degradation import science as degradation
from course.lessons.initialization import depth_width
from course.lessons.norms import science as normalization
from course.lessons.products import science as products
from course.lessons.products import sheets
from course.lessons.scalar_chain import science as chain
from course.lessons.sigmoid_saturation import exercise as sigmoid_saturation
from course.lessons.skip_connections import science as skips
from course.lessons.van import science as van

# Not by files that other tests left open: they are closed whenever Python finds them.
pytestmark = pytest.mark.filterwarnings("error", "ignore::ResourceWarning")

SUBNORMAL, HUGE = 5e-324, sys.float_info.max
EDGES = (0.0, -0.0, SUBNORMAL, 1e-310, 2.2250738585072014e-308, 1e-160, 1.0, 1e160, HUGE)
edges = st.one_of(st.sampled_from(EDGES), st.floats(0, HUGE))
signed = st.one_of(edges, edges.map(lambda value: -value))
positive = edges.filter(lambda value: value > 0)


def close(value: float, wanted: mpmath.mpf, room: float = 1e-12) -> bool:
    """Equal to `room`, relative; infinite or 0 only where a float of that size does not exist."""
    if math.isinf(value):
        return bool((value > 0) == (wanted > 0) and abs(wanted) > HUGE * (1 - room))
    return bool(abs(mpmath.mpf(value) - wanted) <= room * abs(wanted) + 3e-323)


@pytest.fixture(autouse=True)
def digits() -> object:
    """Enough of them for sums of a huge and a subnormal number."""
    with mpmath.workdps(50):
        yield


# The scalar chain.


@given(signed, st.integers(0, 12))
@example(HUGE, 2)
@example(1e200, 3)
@example(-1e200, 4)
def test_geometric_sums(w: float, n: int) -> None:
    f = Fraction(w)
    total = sum(f**k for k in range(n))
    slope = sum(k * f ** (k - 1) for k in range(1, n))
    size = sum(k * abs(f) ** (k - 1) for k in range(1, n))
    for value, exact, terms in (
        (chain.power(w, n), f**n, abs(f) ** n),
        (chain.geometric_sum(w, n), total, abs(total)),
        (chain.geometric_slope(w, n), slope, size),
    ):
        number = float(value)
        assert not math.isnan(number)
        if math.isinf(number):
            assert abs(exact) > Fraction(HUGE) * Fraction(1 - 1e-12) and (number > 0) == (exact > 0)
        else:
            assert abs(Fraction(number) - exact) <= Fraction(1e-12) * terms + Fraction(1e-322)


@given(signed, signed, signed, st.integers(0, 12))
@example(5.643803094122362e102, SUBNORMAL, 0.0, 4)  # w^3 is as large as a float can be
@example(5.643803094122362e102, 0.0, SUBNORMAL, 5)
@example(1e-160, 0.0, 888.0, 2)
def test_the_chain(w: float, b: float, x: float, n: int) -> None:
    if max(abs(w), abs(b), abs(x)) > 1e150:
        with pytest.raises(ValueError, match=r"(weight|bias|x) = "):
            chain.closed_form(w, b, x, n)
        return
    result, y, slope = chain.closed_form(w, b, x, n), Fraction(x), Fraction(0)
    term, slopes = abs(y), Fraction(0)

    def right(value: float, exact: Fraction, terms: Fraction) -> bool:
        if math.isinf(value):
            return terms > HUGE / 2
        return abs(Fraction(value) - exact) <= Fraction(1e-12) * terms + Fraction(1e-322)

    for layer, value in enumerate(result.activations):
        if layer:
            slope, slopes = Fraction(w) * slope + y, abs(Fraction(w)) * slopes + term
            y, term = Fraction(w) * y + Fraction(b), abs(Fraction(w)) * term + abs(Fraction(b))
        assert right(value, y, term)
    assert right(result.d_weight, slope, slopes)
    assert not math.isnan(result.d_bias)


@pytest.mark.parametrize("function", [chain.power, chain.geometric_sum, chain.geometric_slope])
def test_sums_refuse_what_is_no_number_or_no_count(function: Callable[..., object]) -> None:
    for w in (math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match="w = "):
            function(w, 3)
    for n in (0.5, math.nan, math.inf, 1e300, [1, -2e7]):
        with pytest.raises(ValueError, match="n = "):
            function(0.5, n)


@given(signed, st.integers(0, 300))
@example(HUGE, 300)
@example(1e200, 20)
def test_a_chain_that_does_not_learn(weight: float, depth: int) -> None:
    loss = short_chain.without_steps(weight, depth=depth, steps=2, seeds=(0,))
    x, y = short_chain.examples((0,), 2)
    assert loss.shape == (2, 1) and not np.isnan(loss).any()
    factor = mpmath.mpf(weight) ** depth
    wanted = sum((factor * float(a) - float(b)) ** 2 for a, b in zip(x[0, 0], y[0, 0], strict=True))
    assert close(loss[0, 0], wanted / x.shape[2], 1e-9)


# Skips that leave.


def exact_time(rate: float, ratio: float, multiplier: float) -> mpmath.mpf:
    eta, r, m = map(mpmath.mpf, (rate, ratio, multiplier))
    if r == 0:
        return 1 / (eta * -m) if m < 0 else mpmath.inf
    return max(m, 0) / (eta * r) + mpmath.atan2(mpmath.sqrt(r), max(-m, 0)) / (eta * mpmath.sqrt(r))


@given(positive, edges, signed)
@example(0.0156, SUBNORMAL, 0.0)
@example(1e200, SUBNORMAL, 1e-300)
@example(HUGE, 1e-300, 1e300)
@example(0.01, SUBNORMAL, -HUGE)
@example(0.01, 0.0, -0.0)
def test_the_time_until_skips_are_gone(rate: float, ratio: float, multiplier: float) -> None:
    assert close(van.removal_time(rate, ratio, multiplier), exact_time(rate, ratio, multiplier))


@given(positive, edges, signed)
@example(0.0156, SUBNORMAL, 0.0)
@example(HUGE, HUGE, -1.0)
@example(SUBNORMAL, 0.0, 0.0)
@example(0.1, 1e-20, -3.0)
def test_skips_on_their_way(rate: float, ratio: float, multiplier: float) -> None:
    left = van.closed_form(rate, ratio, multiplier, steps=50)
    assert left[0] == 1 and (left >= 0).all() and (np.diff(left) <= 0).all()
    gone = van.removal_time(rate, ratio, multiplier)
    assert (left[1:][np.arange(1, 51) > gone * (1 + 1e-9)] == 0).all()
    assert (left[1:][np.arange(1, 51) < gone * (1 - 1e-9)] > 0).all()
    simulated = np.array(van.simulate(rate, ratio, multiplier, steps=50))
    assert not np.isnan(simulated).any() and ((simulated[0] >= 0) & (simulated[0] <= 1)).all()


@given(st.floats(1e-3, 0.01), st.floats(0.01, 2), st.floats(-2, 0.5), st.floats(-0.5, 0.5))
def test_the_swing_is_the_one_of_equations_7_and_8(
    rate: float, ratio: float, multiplier: float, resistance: float
) -> None:
    left = van.closed_form(rate, ratio, multiplier, resistance, steps=400)
    simulated, _ = van.simulate(rate, ratio, multiplier, resistance, steps=400)
    assert np.abs(left - simulated).max() < 0.05


@pytest.mark.parametrize(
    "bad",
    [{"rate": 0.0}, {"rate": math.inf}, {"ratio": -SUBNORMAL}, {"ratio": math.nan},
     {"multiplier": -math.inf}],
)  # fmt: skip
def test_what_no_skip_can_have_is_named(bad: dict[str, float]) -> None:
    settings = {"rate": 0.1, "ratio": 0.5, "multiplier": -1.0, **bad}
    (name,) = bad
    for form in (van.removal_time, lambda *each: van.closed_form(*each, steps=3)):
        with pytest.raises(ValueError, match=name):
            form(*settings.values())


@given(signed)
@example(-710.0)
@example(745.2)
def test_where_a_gate_starts(bias: float) -> None:
    wanted = 1 / (1 + mpmath.exp(-mpmath.mpf(max(min(bias, 2000), -2000))))
    assert close(skips.gate_at(bias), wanted)


# Norms, and how gradients grow.


@given(st.one_of(st.integers(2, 10**4), st.sampled_from([2**53, 10**17, 10**200, 10**400])))
def test_growth_with_a_norm(batch: int) -> None:
    factor = normalization.growth("batch", batch)
    if batch <= 3:
        assert factor == math.inf
        return
    size, r = mpmath.mpf(batch), -1 / mpmath.mpf(batch - 1)
    s = (mpmath.sqrt(1 - r * r) + r * (mpmath.pi - mpmath.acos(r))) / (2 * mpmath.pi)
    p = 1 / mpmath.mpf(4) + mpmath.asin(r) / (2 * mpmath.pi)
    passed = size / 2 - mpmath.mpf(3) / 2 + 1 / size + (1 - 1 / size) * (p + s)
    square = size / ((1 / mpmath.mpf(2) - s) * (size - 1) * (size - 3)) * passed
    assert close(factor, mpmath.sqrt(square))


def test_growth_of_endless_batches_and_of_none() -> None:
    assert normalization.growth("batch", math.inf) == degradation.GROWTH
    for batch in (-math.inf, math.nan, 0, 1, -5):
        with pytest.raises(ValueError, match="batch"):
            normalization.growth("batch", batch)


@given(signed, st.sampled_from(list(normalization.LAWS)))
def test_factors_of_a_block(scale: float, init: str) -> None:
    bare = normalization.expected(None, init, scale)
    wanted = abs(mpmath.mpf(scale)) * normalization.LAWS[init] / mpmath.sqrt(2)
    assert close(bare[0], wanted, 1e-11) and bare[0] == bare[1]
    normed = normalization.expected("layer", init, scale)
    assert normed == ((1.0, 1.0) if bare[0] else (0.0, 0.0))
    with pytest.raises(ValueError, match="scale"):
        normalization.expected(None, init, math.inf)


# Deep linear networks.


@settings(max_examples=20)
@given(st.integers(1, 30), st.sampled_from([1, 2, 32, 10**9]), st.integers(0, 30))
@example(700, 1, 0)
@example(60, 1, 30)
def test_gradients_of_folded_gaussians(depth: int, width: int, fold: int) -> None:
    found = degeneracy.expected_gradients(depth, width, fold=fold)
    n, parts = mpmath.mpf(width), 2**fold
    a = b = mpmath.mpf(1)
    for value in found[::-1]:
        assert close(float(value), mpmath.sqrt(4 / n * (1 + a)))
        a, b = b * parts + a * (1 + parts / n), b + a * 2 * parts / n**2


@settings(max_examples=30)
@given(st.integers(1, 60), st.sampled_from([1, 64, 10**9]), edges)
@example(100, 64, 1e10)
@example(2, 64, 1e100)
def test_gradients_of_orthogonal_layers(depth: int, width: int, gain: float) -> None:
    found = degeneracy.orthogonal_gradients(depth, width, gain=gain)
    g = mpmath.mpf(gain)
    whole = mpmath.sqrt(4 / mpmath.mpf(width) * (1 + g ** (2 * depth)))
    for k, value in enumerate(found[::-1]):
        assert close(float(value), g**k * whole, 1e-11)


def test_widths_and_gains_that_no_network_has_are_named() -> None:
    for form in (degeneracy.expected_gradients, degeneracy.orthogonal_gradients):
        with pytest.raises(ValueError, match="width"):
            form(3, 10**400)
    with pytest.raises(ValueError, match="gain"):
        degeneracy.orthogonal_gradients(3, 8, gain=math.inf)


# Spectra, spreads and slopes.


@given(edges.filter(lambda t: 0 < t <= 1), st.one_of(st.integers(0, 10**6), edges))
@example(1.0, 0)
@example(SUBNORMAL, 0)
@example(0.5, SUBNORMAL)
def test_the_share_of_small_singular_values(threshold: float, depth: float) -> None:
    share = float(products.share_below(threshold, depth))
    if depth == 0:
        assert share == float(threshold == 1)
    else:
        exponent = 2 / mpmath.mpf(depth)
        logarithm = max(exponent * mpmath.log(threshold), -2000)
        assert close(share, mpmath.exp(logarithm), 1e-10)


@given(st.floats(SUBNORMAL, 1 - 1e-12), edges.filter(lambda t: 0 < t <= 1))
def test_the_depth_for_a_share(share: float, threshold: float) -> None:
    depth = products.depth_for(share, threshold)
    assert close(depth, 2 * mpmath.log(threshold) / mpmath.log(share), 1e-10)
    assert math.copysign(1, depth) == 1
    assume(0 < depth < 1e15)
    assert products.share_below(threshold, depth) == pytest.approx(share, rel=1e-9)


def test_counts_that_are_none_are_named() -> None:
    with pytest.raises(ValueError, match="depth"):
        products.share_below(0.5, -1)
    with pytest.raises(ValueError, match="depth"):
        products.share_below(0.5, math.nan)
    with pytest.raises(ValueError, match="width"):
        products.exponents(0)
    with pytest.raises(ValueError, match="depth"):
        depth_width.expected_spread(0)
    assert np.isfinite(products.exponents(100_000)).all()
    assert sheets.expected_ratio(0) == -2 * math.log10(2)


@given(signed)
@example(-746.0)
def test_the_slope_of_a_sigmoid(z: float) -> None:
    side = mpmath.exp(-mpmath.mpf(min(abs(z), 2000)))
    assert close(float(sigmoid_saturation._slope(np.array(z))), side / (1 + side) ** 2)
