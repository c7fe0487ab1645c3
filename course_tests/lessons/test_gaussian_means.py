"""Means over a Gaussian against closed forms and 30 digits, from subnormal to huge variances."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course.lessons.initialization import angles, gaussian_means, mean_field
from course.lessons.isometry import science as isometry
from course.lessons.relu_family.science import cosine_map
from course.lessons.starts import science as starts
from course.networks import activations

SUBNORMAL = 5e-324
variances = st.floats(1e-300, 1e300)
ordinary = (1e-12, 0.01, 0.25, 1.0, 9.0, 400.0, 1e10)


def close(value: object, wanted: object) -> bool:
    return bool(np.allclose(value, wanted, rtol=1e-10, atol=0))  # type: ignore[arg-type]


@given(variances)
@example(1e-305)
@example(1e307)
def test_piecewise_linear_units_by_their_closed_forms(q: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, left in (("identity", 1.0), ("relu", 0.0), ("leaky-relu", 0.01)):
            half = (1 + left**2) / 2
            assert close(gaussian_means.mean_square(name, q), half * q)
            assert close(gaussian_means.slope_square(name, q), half)
            mean, deviation = gaussian_means.mean_and_deviation(name, math.sqrt(q))
            wanted = (1 - left) * math.sqrt(q) / math.sqrt(2 * math.pi)
            assert abs(mean - wanted) <= 1e-10 * math.sqrt(q)
            assert close(
                deviation / math.sqrt(q), math.sqrt(half - (1 - left) ** 2 / (2 * math.pi))
            )
        edge = 1 / math.sqrt(q)  # hard-tanh: z^2 inside, 1 outside
        inside = math.erf(edge / math.sqrt(2))
        assert close(gaussian_means.slope_square("hard-tanh", q), inside)
        if q < 1e4:  # beyond, the closed form cancels
            density = math.exp(-min(edge * edge, 1500) / 2) / math.sqrt(2 * math.pi)
            square = q * (inside - 2 * edge * density) + math.erfc(edge / math.sqrt(2))
            assert close(gaussian_means.mean_square("hard-tanh", q), square)


def test_hard_tanh_jumps_inside_a_piece_no_more() -> None:
    assert gaussian_means.slope_square("hard-tanh", 1.0) == pytest.approx(0.6826894921370859)


def test_selu_has_the_fixed_point_of_the_paper_and_gradients_grow_by_1_0352() -> None:
    mean, deviation = gaussian_means.mean_and_deviation("selu", 1.0)
    assert abs(mean) < 1e-14 and abs(deviation - 1) < 1e-14
    negative = ALPHA**2 * math.exp(2) * math.erfc(math.sqrt(2)) / 2  # E (alpha exp z)^2, z < 0
    slope = gaussian_means.slope_square("selu", 1.0)
    assert close(slope, SCALE**2 * (0.5 + negative))
    assert math.sqrt(slope) == pytest.approx(1.0352, abs=5e-5)


SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def exponential(x: float) -> mpmath.mpf:
    return x if x > 0 else mpmath.expm1(max(x, -100))


FORMULAS = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "elu": exponential,
    "selu": lambda x: SCALE * (x if x > 0 else ALPHA * exponential(x)),
    "gelu": lambda x: x * mpmath.ncdf(max(min(x, 50), -50)),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("q", ordinary)
def test_curved_units_to_ten_digits(name: str, q: float) -> None:
    root = mpmath.sqrt(q)
    bends = [sign * k / root for k in (1, 4, 16, 64) for sign in (-1, 1) if k / root < 12]
    ends = sorted([-12, -4, 0, 4, 12, *bends])
    with mpmath.workdps(25):
        wanted = mpmath.quad(lambda z: FORMULAS[name](root * z) ** 2 * mpmath.npdf(z), ends)
    assert close(gaussian_means.mean_square(name, q), float(wanted))


@given(st.sampled_from(list(activations.ACTIVATIONS)), st.floats(1e-3, 1e3))
def test_a_slope_is_how_the_mean_changes(name: str, deviation: float) -> None:
    """E f(s z) z = s E f'(s z), Stein's lemma: it ties the slopes to the values."""
    x, weights = gaussian_means.normal_points(0.0, deviation, activations.KINKS.get(name, ()))
    values = gaussian_means._values(name, activations.activation(name), deviation)[0]
    slope = gaussian_means.slope_moment(name, deviation, 1)
    assert abs((weights * values * x / deviation).sum() - deviation * slope) < 1e-10 * deviation


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_the_gains_are_these_means(name: str) -> None:
    assert gaussian_means.mean_square(name, 1.0) == pytest.approx(activations.gain(name) ** -2)


@given(st.sampled_from(list(activations.ACTIVATIONS)), st.floats(0, 1.7e308))
@example("relu", 0.0)
@example("tanh", -0.0)
@example("gelu", SUBNORMAL)
def test_no_variance_warns_or_is_lost(name: str, q: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        square, slope = gaussian_means.mean_square(name, q), gaussian_means.slope_square(name, q)
    assert 0 <= square < math.inf and 0 < slope < 1.3 * max(
        1.0, gaussian_means.slope_square(name, 0)
    )
    if name != "sigmoid":  # all others are between 0 and 1.76 times as large as their argument
        assert square <= 3.1 * q + SUBNORMAL


@pytest.mark.parametrize("q", [-1.0, math.nan, math.inf, [1.0, -1e-300]])
def test_what_is_no_variance_is_named(q: object) -> None:
    for mean in (gaussian_means.mean_square, gaussian_means.slope_square):
        with pytest.raises(ValueError, match="q = "):
            mean("relu", q)
    with pytest.raises(ValueError, match="activation = 'sine'"):
        gaussian_means.mean_square("sine", 1.0)


# What is built on them.


@settings(max_examples=30)  # each takes a hundred means
@given(st.floats(0, 1e150), st.floats(0, 1e150))
@example(1.0, 1e-160)
@example(1.0, SUBNORMAL)
@example(1 + 1e-12, 1e-30)
@example(0.5, 1e150)
def test_the_fixed_point_is_one_whatever_the_weights(sigma_w: float, sigma_b: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        q, chi = mean_field.fixed_point(sigma_w, sigma_b), mean_field.chi(sigma_w, sigma_b)
        (lengths, cosines) = angles.expected(sigma_w, sigma_b, 0.5, 3)
    assert 0 <= chi < math.inf and sigma_b**2 <= q * (1 + 1e-12) + SUBNORMAL
    assert (lengths >= 0).all() and (np.abs(cosines[np.isfinite(cosines)]) <= 1).all()
    if 1e-250 < q < 1e250 and abs(sigma_w - 1) > 1e-3:
        after = sigma_w**2 * gaussian_means.mean_square("tanh", q) + sigma_b**2
        assert after == pytest.approx(q, rel=1e-7)


def test_between_order_and_chaos_a_tiny_bias_decides() -> None:
    # At sigma_w = 1: q = q - 2 q^2 + sigma_b^2.
    for bias in (1e-3, 1e-7, 1e-9, 1e-100):
        assert mean_field.fixed_point(1.0, bias) == pytest.approx(
            bias / math.sqrt(2), rel=3 * bias + 1e-7
        )


@given(st.floats(0, 1e10), st.sampled_from(isometry.ACTIVATIONS))
def test_the_critical_line_keeps_signals_and_gradients(q: float, name: str) -> None:
    sigma_w, sigma_b = mean_field.critical_line(q, name)
    assert sigma_w**2 * gaussian_means.slope_square(name, q) == pytest.approx(1)
    after = sigma_w**2 * gaussian_means.mean_square(name, q) + sigma_b**2
    assert after == pytest.approx(q, rel=1e-12, abs=SUBNORMAL)
    if name in ("relu", "identity"):
        assert sigma_b == 0
    spread = isometry.spread_per_layer(name, q, "orthogonal")
    assert spread == pytest.approx({"relu": 1, "identity": 0}.get(name, spread)) and spread > -1e-14


def test_sizes_neither_vanish_nor_warn_before_a_float_does() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, root in (("relu", math.sqrt(2)), ("identity", 1.0)):
            sizes = mean_field.expected(name, [0.0, -0.0, 1e-3, -1e-3, 1e3, 1e200], 90)
            wanted = [0.0, 0.0, *[(1e-3 / root) ** 90] * 2, (1e3 / root) ** 90, math.inf]
            assert close(sizes.forward[:, -1], wanted) and close(sizes.backward[:, 0], wanted)
        far = mean_field.expected("tanh", [1e200], 3)
        assert np.allclose(far.forward, 1) and np.isfinite(far.backward).all()
    with pytest.raises(ValueError, match="scales"):
        mean_field.expected("relu", [math.inf], 3)


@given(st.floats(-1, 1), st.sampled_from([0.0, 1e-200, 1e-5, 0.3, 1.0, 3.0, 50.0, 1e3, 1e8, 1e140]))
def test_the_correlation_of_two_tanh_units(cosine: float, deviation: float) -> None:
    found = angles.correlation(deviation, cosine)
    assert -1 - 1e-12 <= found <= 1 + 1e-12
    assert found == pytest.approx(-angles.correlation(deviation, -cosine), abs=1e-12)
    if deviation < 1e-4:  # tanh is the identity
        assert found == pytest.approx(cosine, abs=1e-9)
    if deviation > 1e7:  # tanh is a sign: Sheppard's arcsine law
        assert found == pytest.approx(2 / math.pi * math.asin(cosine), abs=1e-7)


@pytest.mark.parametrize(
    ("deviation", "cosine"), [(0.5, 0.3), (2.0, -0.9), (3.0, 0.99), (40.0, 0.999)]
)
def test_the_correlation_against_a_fine_grid(deviation: float, cosine: float) -> None:
    z = np.linspace(-9, 9, 6001)
    weights = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    first = np.tanh(deviation * z)
    rest = deviation * math.sqrt(1 - cosine**2)
    second = np.array([weights @ np.tanh(cosine * deviation * u + rest * z) for u in z])
    wanted = (weights * first) @ second / (weights @ first**2)
    assert angles.correlation(deviation, cosine) == pytest.approx(wanted, abs=1e-10)


@given(st.floats(-1, 1))
@example(1.0)
@example(-1.0)
@example(1 - 2**-53)
@example(-1 + 2**-53)
@example(SUBNORMAL)
def test_the_cosine_of_two_relu_units(cosine: float) -> None:
    with mpmath.workdps(40):
        angle = mpmath.acos(mpmath.mpf(cosine))
        wanted = (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.mpf(cosine)) / mpmath.pi
    assert cosine_map(cosine) == pytest.approx(float(wanted), abs=1e-15)
    assert max(cosine, 0) <= cosine_map(cosine) <= 1


def test_the_cosine_is_a_mean_over_two_gaussians() -> None:
    for cosine in (-0.99, -0.3, 0.0, 0.6, 0.999):
        u, weights = gaussian_means.normal_points(kinks=(0.0,))
        rest = math.sqrt(1 - cosine**2)
        shift = cosine * u / rest  # E relu(N(cosine u, rest^2)) is rest (shift Phi + phi)
        density = np.exp(-(shift**2) / 2) / math.sqrt(2 * math.pi)
        share = np.array([math.erfc(-s / math.sqrt(2)) / 2 for s in shift])
        product = weights * np.maximum(u, 0) * rest @ (shift * share + density)
        assert cosine_map(cosine) == pytest.approx(2 * product, abs=1e-6)


def test_moments_by_layer_are_those_of_one_size_after_another() -> None:
    form = starts.expected_moments("relu", 2, gain=3.0, mean=4.0, deviation=3.0)
    first = 3 * 5 / math.sqrt(2 * math.pi)
    assert form.mean == pytest.approx([4, first, 3 * first / math.sqrt(2) * 1.0])
    assert form.variance[1] == pytest.approx(3**2 * 25 * (1 / 2 - 1 / (2 * math.pi)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for gain in (0.0, SUBNORMAL, 1e-200, 1e200, 1e308):
            for name in ("selu", "tanh", "sigmoid"):
                found = starts.expected_moments(name, 100, gain=gain)
                assert not np.isnan(found.variance).any() and (found.variance >= 0).all()
