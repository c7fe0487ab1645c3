"""The scalar chain: the smallest deep network, one number in, one number per layer.

Layer l computes y_l = w y_(l-1) + b for l = 1 ... L, and y_0 = x. In closed form

    y_L = w^L x + b (1 - w^L) / (1 - w),        and y_L = x + L b where w = 1,
    dy_L/dy_l = w^(L-l),   dy_L/dx = w^L,   dy_L/db = S_L,   dy_L/dw = L w^(L-1) x + b S'_L,

with the geometric sum S_L = 1 + w + ... + w^(L-1) and its derivative S'_L with respect to w.
`closed_form` evaluates these equations; `measure` runs the layers one by one and asks autograd.
Both return the same record, so that they can be laid side by side.

How exact is the closed form? S_L, all gradients with respect to activations, and sums without
cancellation are good to 1e-12 relative in float64, for any w and L up to 1,000. y_L and dy_L/dw are
sums of two terms; where these nearly cancel, the error is 1e-12 times the larger *term*, which can
be any multiple of the small result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from course.arguments import one_of, real, reject, whole

Array = NDArray[Any]
PRECISIONS = ("float16", "float32", "float64")
LARGEST = {name: float(np.finfo(name).max) for name in PRECISIONS}
"""The largest finite number of each precision: 65504, 3.4e38, 1.8e308."""
DEEPEST = 1_000_000
"""The largest depth accepted, so that a slip of the keyboard does not fill the memory."""


@dataclass(frozen=True)
class Chain:
    """A chain of `depth` layers with its activations and gradients, layer by layer.

    activations: (L+1,) y_0 ... y_L.   gradients: (L+1,) dy_L/dy_l for l = 0 ... L.
    d_weight, d_bias, d_input: derivatives of y_L. All were rounded to `precision`.
    """

    weight: float
    bias: float
    x: float
    depth: int
    precision: str
    activations: Array
    gradients: Array
    d_weight: float
    d_bias: float
    d_input: float

    @property
    def overflow(self) -> int | None:
        """The first layer whose activation is not finite, or None."""
        lost = np.flatnonzero(~np.isfinite(self.activations))
        return int(lost[0]) if lost.size else None

    @property
    def gradient_overflow(self) -> int | None:
        """The first layer whose gradient is not finite, on the way back from the output."""
        lost = np.flatnonzero(~np.isfinite(self.gradients))
        return int(lost[-1]) if lost.size else None


def closed_form(
    weight: float, bias: float, x: float, depth: int, precision: str = "float64"
) -> Chain:
    """The chain from its equations: nothing is run layer by layer.

    The arguments are rounded to `precision`, the equations are evaluated in float64, and each
    result is rounded once. weight, bias, x: finite, at most 1e150 in size and finite in
    `precision`. depth: 0 to 1,000,000. Raises ValueError otherwise.
    """
    w, b, x, depth, precision = _checked(weight, bias, x, depth, precision)
    n = np.arange(depth + 1)
    step = float((Fraction(w) - 1) * Fraction(x) + Fraction(b))  # y_1 - y_0, rounded once
    if abs(w) <= 1:
        y = _times_power(x, w, n) + b * geometric_sum(w, n)
        d_weight = depth * _times_power(x, w, depth - 1) + b * geometric_slope(w, depth)
    else:
        # The same sums, rearranged: w^n x and b S_n may be huge and cancel (at the fixed point
        # x = b / (1 - w) nothing ever moves), while here a step of 0 stays 0.
        y = x + _times_sum(step, w, n)
        d_weight = _weight_gradient(x, step, w, depth)

    def rounded(value: Any) -> Any:
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(value).astype(precision)

    return Chain(
        w, b, x, depth, precision,
        activations=rounded(y),
        gradients=rounded(power(w, depth - n)),
        d_weight=float(rounded(d_weight)),
        d_bias=float(rounded(geometric_sum(w, depth))),
        d_input=float(rounded(power(w, depth))),
    )  # fmt: skip


def measure(weight: float, bias: float, x: float, depth: int, precision: str = "float64") -> Chain:
    """The chain as a network runs it: forward layer by layer, then backward by autograd.

    Arguments and errors as in `closed_form`. Every step is rounded to `precision`.
    """
    checked = _checked(weight, bias, x, depth, precision)
    kind = getattr(torch, precision)
    w, b, y = (torch.tensor(value, dtype=kind, requires_grad=True) for value in checked[:3])
    layers = [y]
    for _ in range(checked[3]):
        layers.append(w * layers[-1] + b)
    gradients = torch.autograd.grad(layers[-1], [*layers, w, b], materialize_grads=True)
    values = torch.stack(gradients).numpy()
    return Chain(
        *checked,
        activations=torch.stack(layers).detach().numpy(),
        gradients=values[:-2],
        d_weight=float(values[-2]),
        d_bias=float(values[-1]),
        d_input=float(values[0]),
    )


def overflow_depth(
    weight: float, precision: str, *, bias: float = 0.0, x: float = 1.0, deepest: int = 100_000
) -> int | None:
    """The first layer whose activation overflows, found by running the chain in `precision`.

    None where no layer up to `deepest` overflows.
    """
    w, b, x, deepest, precision = _checked(weight, bias, x, deepest, precision)
    kind = np.dtype(precision).type
    factor, shift, y = kind(w), kind(b), kind(x)
    with np.errstate(over="ignore", under="ignore"):
        for layer in range(1, deepest + 1):
            y, before = factor * y + shift, y
            if not np.isfinite(y):
                return layer
            if y == before:  # it has come to rest and will never move again
                return None
    return None


def power(w: float, n: ArrayLike) -> Array:
    """w^n for finite w and whole n, element by element; 0^0 = 1; 0 for n < 0.

    Infinite, without a warning, where it overflows. ValueError where w or n is something else.
    """
    w, exponent = real("w", w), _whole_numbers(n, least=-DEEPEST)
    with np.errstate(over="ignore", under="ignore"):
        return np.where(exponent < 0, 0.0, np.power(w, np.maximum(exponent, 0.0)))


def geometric_sum(w: float, n: ArrayLike) -> Array:
    """S_n = 1 + w + ... + w^(n-1) = (1 - w^n) / (1 - w), element by element for whole n.

    w: finite. n: 0 to `DEEPEST`; ValueError else. The relative error is below 1e-12 up to n =
    1,000. Near |w| = 1 the difference 1 - w^n would lose its digits; it is taken from |w|^n - 1 =
    expm1(n log |w|), which keeps them.
    """
    w, n = real("w", w), _whole_numbers(n)
    if w in (0.0, 1.0):
        return n * 1.0 if w else np.minimum(n, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        small = np.expm1(n * math.log(abs(w)))  # |w|^n - 1
        excess = np.where(np.abs(small) < 0.5, small, power(abs(w), n) - 1)
        if w < 0:
            excess = np.where(n % 2 == 1, -excess - 2, excess)  # w^n - 1
        total = np.where(np.isfinite(excess), excess / (w - 1), _times_power(w / (w - 1), w, n - 1))
    return np.where(n == 0, 0.0, np.where(n == 1, 1.0, total)) + 0.0  # never -0.0


def geometric_slope(w: float, n: ArrayLike) -> Array:
    """S'_n = 1 + 2 w + 3 w^2 + ... + (n-1) w^(n-2), the derivative of S_n with respect to w.

    w and n as in `geometric_sum`. In closed form (n w^(n-1) - S_n) / (w - 1). Where n |w - 1| < 1/2
    the two parts agree in too many digits, and the binomial series sum_j j C(n, j+1) (w-1)^(j-1)
    stands in. The error is below 1e-12 times the sum of the terms' magnitudes; for w > 0 that is
    the relative error.
    """
    w, n = real("w", w), _whole_numbers(n)
    h = np.float64(w) - 1
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        near = np.abs(n * h) < 0.5
        series, term = np.zeros_like(n), n * (n - 1) / 2
        for j in range(1, 25):
            series, term = (
                series + term,
                np.where(near, term * h, 0.0) * ((j + 1) / j) * ((n - j - 1) / (j + 2)),
            )
        ratio = (n * power(w, n - 1) - geometric_sum(w, n)) / h
        far = _times_power((n - w / h) / h, w, n - 1)  # its limit for large w^n
    return np.where(near | (n < 3), series, np.where(np.isfinite(ratio), ratio, far))


def _whole_numbers(n: ArrayLike, least: int = 0) -> Array:
    numbers = np.asarray(n, dtype=np.float64)
    if not ((numbers == np.floor(numbers)) & (numbers >= least) & (numbers <= DEEPEST)).all():
        raise reject("n", n, f"whole numbers from {least} to {DEEPEST:,}")
    return numbers


def _checked(
    weight: float, bias: float, x: float, depth: int, precision: str
) -> tuple[float, float, float, int, str]:
    precision = one_of("precision", precision, PRECISIONS)
    rounded = []
    for name, value in (("weight", weight), ("bias", bias), ("x", x)):
        value = real(name, value, least=-1e150, most=1e150)
        if abs(value) > LARGEST[precision]:
            raise reject(name, value, f"finite in {precision}, at most {LARGEST[precision]:g}")
        rounded.append(float(np.dtype(precision).type(value)))
    w, b, x = rounded
    return w, b, x, whole("depth", depth, most=DEEPEST), precision


def _times_power(c: float | Array, w: float, n: ArrayLike) -> Array:
    """c w^n in four parts: a small c counts where w^n overflows, a large one where it vanishes."""
    n, product = np.asarray(n), c
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for k in range(4):
            product = product * power(w, (n + k) // 4)
    return np.where(np.asarray(c) == 0, 0.0, product)


def _times_sum(c: float, w: float, n: ArrayLike) -> Array:
    """c S_n for |w| > 1; once S_n overflows, S_n = w^(n-1) w / (w - 1) to all digits."""
    n, total = np.asarray(n), geometric_sum(w, n)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.isfinite(total), c * total, _times_power(c, w, n - 1) * (w / (w - 1)))


def _weight_gradient(x: float, step: float, w: float, n: int) -> Array:
    """x S_n + step S'_n for |w| > 1; once S'_n overflows, both in their limits for large w^n."""
    slope = geometric_slope(w, n)
    far = _times_power(x * w + step * (n - w / (w - 1)), w, n - 2)
    with np.errstate(over="ignore", invalid="ignore"):
        far = far * (w / (w - 1))
        return np.where(np.isfinite(slope), _times_sum(x, w, n) + step * slope, far)
