"""The scalar chain against the recursion, autograd and exact rational arithmetic."""

from __future__ import annotations

import itertools
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course.lessons.scalar_chain import figures, recurrent, science

TINY = 2.3e-308  # below the smallest normal number, digits are lost by design
RELATIVE = 1e-12

depths = st.one_of(st.integers(0, 120), st.sampled_from([999, 1000]))
numbers = st.floats(-100, 100).filter(lambda v: v == 0 or abs(v) > 1e-30)
near_one = st.builds(
    lambda sign, mantissa, e: sign * (1 + mantissa * 10.0**-e),
    st.sampled_from([-1, 1]), st.floats(-1, 1), st.integers(0, 16),
)  # fmt: skip
weights = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, -2.0]),
    st.floats(-2, 2).filter(lambda v: v == 0 or abs(v) > 1e-30),
    near_one,
)


class Exact:
    """y_n, S_n, S'_n and dy_n/dw as exact fractions, with the sizes of the terms they add up."""

    def __init__(self, w: float, b: float, x: float, n: int) -> None:
        f, bias, start = Fraction(w), Fraction(b), Fraction(x)
        power = f**n
        below = f ** (n - 1) if n and f else Fraction(int(n == 1))  # w^(n-1)
        if f == 1:
            self.total, self.slope = Fraction(n), Fraction(n * (n - 1), 2)
        else:
            self.total = (1 - power) / (1 - f)
            self.slope = (n * below - self.total) / (f - 1)
        self.power = power
        self.y = power * start + bias * self.total
        self.y_terms = max(abs(power * start), abs(bias * self.total))
        self.d_weight = n * below * start + bias * self.slope
        size = abs(f)
        magnitudes = (
            Fraction(n * (n - 1), 2)
            if size == 1
            else (n * abs(below) - (1 - size**n) / (1 - size)) / (size - 1)
        )
        self.slope_terms = magnitudes
        self.d_weight_terms = max(abs(n * below * start), abs(bias) * magnitudes)


def close(value: float, exact: Fraction, size: Fraction) -> bool:
    """|value - exact| <= 1e-12 size, in exact arithmetic; an infinity only beyond the largest."""
    if not math.isfinite(value):
        return (value > 0) == (exact > 0) and abs(exact) > Fraction(science.LARGEST["float64"])
    return abs(Fraction(value) - exact) <= Fraction(RELATIVE) * size + Fraction(TINY)


@given(weights, depths)
@example(1 + 1e-13, 1000)
@example(-1 + 1e-13, 1000)
@example(-1 - 1e-9, 999)
@example(1 + 2**-52, 1000)
@settings(deadline=None)
def test_the_sums_have_twelve_digits_everywhere(w: float, n: int) -> None:
    exact = Exact(w, 0.0, 0.0, n)
    assert close(float(science.geometric_sum(w, n)), exact.total, abs(exact.total))
    assert close(float(science.geometric_slope(w, n)), exact.slope, exact.slope_terms)
    assert close(float(science.power(w, n)), exact.power, abs(exact.power))


@given(weights, numbers, numbers, depths)
@example(2.0, -1.0, 1.0, 1000)  # the fixed point: both terms are 1e301, the sum is 1
@example(1.5, 1e-12, 1e-12, 1000)
@settings(deadline=None)
def test_the_closed_form_against_exact_fractions(w: float, b: float, x: float, n: int) -> None:
    result, exact = science.closed_form(w, b, x, n), Exact(w, b, x, n)
    # Relative to the result where the two terms have one sign, to the larger term otherwise.
    assert close(float(result.activations[-1]), exact.y, exact.y_terms)
    assert close(result.d_weight, exact.d_weight, exact.d_weight_terms)
    assert close(result.d_bias, exact.total, abs(exact.total))
    assert close(result.d_input, exact.power, abs(exact.power))


@given(st.floats(-1e-6, 1e-6), st.floats(0.01, 100), st.floats(0.01, 100), depths)
@settings(deadline=None)
def test_near_one_the_result_itself_has_twelve_digits(h: float, b: float, x: float, n: int) -> None:
    result, exact = science.closed_form(1 + h, b, x, n), Exact(1 + h, b, x, n)
    assert close(float(result.activations[-1]), exact.y, exact.y)
    assert close(result.d_weight, exact.d_weight, exact.d_weight)


def test_the_textbook_formula_would_fail_near_one() -> None:
    w, n = 1 + 1e-9, 7
    textbook, exact = (1 - w**n) / (1 - w), Exact(w, 0.0, 0.0, n).total
    assert not close(textbook, exact, 1000 * exact)
    assert close(float(science.geometric_sum(w, n)), exact, exact)


@given(weights, numbers, numbers, st.integers(0, 60))
@settings(deadline=None)
def test_every_activation_of_the_trajectory(w: float, b: float, x: float, n: int) -> None:
    result, y = science.closed_form(w, b, x, n), Fraction(x)
    for k, value in enumerate(result.activations):
        assert close(float(value), y, Exact(w, b, x, k).y_terms)
        y = Fraction(w) * y + Fraction(b)


@given(weights, numbers, numbers, st.integers(0, 60), st.sampled_from(["float32", "float64"]))
@settings(deadline=None, max_examples=60)
def test_the_closed_form_agrees_with_autograd(
    w: float, b: float, x: float, n: int, precision: str
) -> None:
    formula = science.closed_form(w, b, x, n, precision)
    network = science.measure(w, b, x, n, precision)
    eps = 4 * (n + 2) * float(np.finfo(precision).eps)
    floor = (n + 1) ** 2 * 10 * max(float(np.finfo(precision).tiny), abs(formula.bias) * 1e-40)
    magnitude = science.closed_form(abs(w), abs(b), abs(x), n)  # what rounding errors scale with
    pairs = [
        (formula.activations, network.activations, magnitude.activations),
        (formula.gradients, network.gradients, magnitude.gradients),
        (formula.d_weight, network.d_weight, magnitude.d_weight),
        (formula.d_bias, network.d_bias, magnitude.d_bias),
        (formula.d_input, network.d_input, magnitude.d_input),
    ]
    for ours, theirs, size in pairs:
        error = np.abs(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))
        assert np.all(error <= eps * np.asarray(size) + floor)


def test_shapes_and_the_chain_without_layers() -> None:
    for run in (science.closed_form, science.measure):
        none = run(0.5, 2.0, 3.0, 0)
        assert none.activations.tolist() == [3.0] and none.gradients.tolist() == [1.0]
        assert (none.d_weight, none.d_bias, none.d_input) == (0.0, 0.0, 1.0)
        zero = run(0.0, 2.0, 3.0, 4)
        assert zero.activations.tolist() == [3.0, 2.0, 2.0, 2.0, 2.0]
        assert zero.gradients.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
        assert (zero.d_weight, zero.d_bias) == (2.0, 1.0)
        still = run(1.0, 2.0, 3.0, 4)
        assert still.activations.tolist() == [3.0, 5.0, 7.0, 9.0, 11.0]
        assert still.d_weight == 4 * 3.0 + 2.0 * 6 and still.d_bias == 4.0
        assert still.overflow is None and still.gradient_overflow is None


@pytest.mark.parametrize(
    ("w", "layers"),
    [(1.1, (117, 931, 7448)), (1.2, (61, 487, 3894)), (1.5, (28, 219, 1751)), (2, (16, 128, 1024))],
)
def test_overflow_depths(w: float, layers: tuple[int, int, int]) -> None:
    for sign, (precision, layer) in itertools.product(
        (1, -1), zip(science.PRECISIONS, layers, strict=True)
    ):
        assert science.overflow_depth(sign * w, precision) == layer
        for run in (science.closed_form, science.measure):
            if layer > 1000 and run is science.measure:
                continue  # the same steps as overflow_depth, only slower
            result = run(sign * w, 0.0, 1.0, layer + 2, precision)
            assert result.overflow == layer
            assert result.gradient_overflow == 2  # w^layer stands at layer 2 of layer + 2
            assert run(sign * w, 0.0, 1.0, layer - 1, precision).overflow is None


def test_some_chains_never_overflow() -> None:
    assert science.overflow_depth(0.9, "float16") is None
    assert science.overflow_depth(2.0, "float16", bias=-1.0) is None  # starts at its fixed point
    assert science.overflow_depth(1.0, "float16", bias=1.0) is None  # 2048 + 1 = 2048 in float16
    assert science.overflow_depth(-1.0, "float32", bias=1.0, deepest=100) is None


def test_repeated_multiplication_sticks_above_zero() -> None:
    """Rounded to nearest, 0.9 times the smallest few numbers is that number again."""
    run = science.measure(0.9, 0.0, 1.0, 200, "float16")
    assert run.activations[-1] == run.activations[150] > 0
    assert science.closed_form(0.9, 0.0, 1.0, 200, "float16").activations[-1] == 0.0


@given(
    st.floats(-1e150, 1e150), st.floats(-1e150, 1e150), st.floats(-1e150, 1e150),
    st.sampled_from([0, 1, 2, 3, 1000]),
)  # fmt: skip
@settings(deadline=None)
def test_extremes_never_warn_or_turn_into_nan(w: float, b: float, x: float, n: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = science.closed_form(w, b, x, n)
    assert not np.isnan(result.activations).any() and not np.isnan(result.gradients).any()
    assert not any(math.isnan(v) for v in (result.d_weight, result.d_bias, result.d_input))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((math.nan, 0, 1, 3), "weight = nan"),
        ((1, math.inf, 1, 3), "bias = inf"),
        ((1, 0, "one", 3), "x = 'one'"),
        ((1, 0, 1, -1), "depth = -1"),
        ((1, 0, 1, 2.5), "depth = 2.5"),
        ((1, 0, 1, 3, "float8"), "precision = 'float8'"),
        ((1, 0, 1e6, 3, "float16"), "x = 1000000.0: it must be finite in float16"),
    ],
)
def test_bad_arguments_are_named(arguments: tuple, name: str) -> None:
    for run in (science.closed_form, science.measure):
        with pytest.raises(ValueError, match=name):
            run(*arguments)


@given(st.floats(0.5, 1.5), st.integers(1, 60))
@settings(deadline=None, max_examples=20)
def test_a_recurrent_unit_is_the_chain_in_time(w: float, steps: int) -> None:
    chain = science.closed_form(w, 0.0, 1.0, steps - 1)
    assert np.allclose(recurrent.influence(w, steps), chain.gradients, rtol=1e-9)


def test_what_a_recurrent_unit_remembers_as_a_figure() -> None:
    fig, words = figures.memory({w: recurrent.influence(w, 101) for w in (0.9, 1.1)})
    assert "100 steps ago: w = 0.9: 3e-05; w = 1.1: 1e+04." in words
    lines = [np.asarray(line.get_ydata(), dtype=float) for line in fig.axes[0].lines]
    assert np.allclose(lines[0][::5], lines[1]) and np.allclose(lines[2][::5], lines[3])
    fig.canvas.draw()
    for bad in ({"weight": -1.0, "steps": 3}, {"weight": 1.0, "steps": 0}):
        with pytest.raises(ValueError, match="must be"):
            recurrent.influence(**bad)  # type: ignore[arg-type]
