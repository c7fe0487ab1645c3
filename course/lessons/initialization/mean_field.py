"""How the size of a signal, its gradient, and the angle of two inputs travel through random layers.

    z_l = h_(l-1) W_l + b_l,   h_l = f(z_l),   W_ij ~ N(0, sigma_w^2 / n),   b_j ~ N(0, sigma_b^2)

In infinite width every z_l is Gaussian, with a variance q_l that follows from the layer before:

    q_l = sigma_w^2 E f(sqrt(q_(l-1)) z)^2 + sigma_b^2,   chi_l = sigma_w^2 E f'(sqrt(q_l) z)^2

z standard normal, and q_1 = sigma_w^2 E x^2 + sigma_b^2. chi_l is the factor on the mean square of
a gradient that goes back through layer l. Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli (2016),
eqs. 3 to 8; Schoenholz, Gilmer, Ganguli and Sohl-Dickstein (2017). `gaussian_means` has the means
over z, `angles` what belongs to two inputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course import seeding
from course.arguments import real, reject, whole
from course.lessons.initialization import gaussian_means
from course.networks import activations, initializers

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sizes:
    """Root mean squares at layers 0 ... L, for each weight scale; both (G, L + 1).

    forward: of h_l, where h_0 = x has 1. backward: of the gradient with respect to h_l, where that
    at layer L has 1.
    """

    forward: Array
    backward: Array


def expected(activation: str, scales: Any, depth: int) -> Sizes:
    """The sizes in infinite width: weights of deviation scale / sqrt(n), no biases.

    scales: (G,), finite. Sizes beyond 1e299 are infinite. ValueError else.
    """
    scale = np.abs(np.asarray(scales, dtype=float))
    if not np.isfinite(scale).all():
        raise reject("scales", scales, "finite numbers")
    size = np.ones_like(scale)
    forward, factors = [size], []
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for _ in range(whole("depth", depth, least=1)):
            deviation = np.where(scale > 0, scale * size, 0.0)
            size = gaussian_means.root_mean_square(activation, deviation)
            forward.append(size)
            factors.append(scale * np.sqrt(gaussian_means.slope_moment(activation, deviation, 2)))
        backward = np.cumprod([np.ones_like(scale), *reversed(factors)], axis=0)[::-1]
    return Sizes(np.stack(forward, axis=-1), np.stack(list(backward), axis=-1))


@lru_cache(maxsize=2)
def _weights(width: int, depth: int, seed: int) -> list[Tensor]:
    """`depth` matrices of deviation 1 / sqrt(width), each from a stream of its own."""
    return [
        initializers.lecun_normal(width, width, seeding.generator(seed, f"layer {number}"))
        for number in range(1, depth + 1)
    ]


def measured(
    activation: str, scales: Any, depth: int, *, width: int = 100, seed: int = 0, inputs: int = 8
) -> Sizes:
    """The same in a network of finite width, on Gaussian inputs: one draw, times each scale.

    The gradient that starts at layer L is Gaussian too. Equal seeds draw equal weights.
    """
    whole("inputs", inputs, least=1)
    f, scale = activations.activation(activation), torch.as_tensor(np.asarray(scales, dtype=float))
    shape, factor = (inputs, whole("width", width, least=1)), scale[:, None, None]
    stream = seeding.generator(seed, "inputs and gradients")
    x, last = (torch.randn(shape, generator=stream, dtype=torch.float64) for _ in range(2))
    x, last = (part / part.square().mean().sqrt() for part in (x, last))
    h = x.expand(len(scale), *shape)
    forward, slopes = [h], []
    matrices = _weights(width, whole("depth", depth, least=1), whole("seed", seed))
    for matrix in matrices:
        z = factor * (h.reshape(-1, width) @ matrix).view(h.shape)
        h = f(z)
        forward.append(h)
        slopes.append(activations.derivative(activation, z))
    back = last.expand(len(scale), *shape)
    backward = [back]
    for matrix, slope in zip(reversed(matrices), reversed(slopes), strict=True):
        back = factor * ((back * slope).reshape(-1, width) @ matrix.T).view(h.shape)
        backward.insert(0, back)
    return Sizes(_sizes(forward), _sizes(backward))


def _sizes(layers: list[Tensor]) -> Array:
    """Root mean squares, (G, layers)."""
    return torch.stack([_size(h) for h in layers], dim=1).numpy()


def _size(h: Tensor) -> Tensor:
    largest = h.abs().amax((1, 2)).clamp(1e-300, 1e300)  # squares would be 0, or infinite
    return largest * (h / largest[:, None, None]).square().mean((1, 2)).sqrt()


def through_one_layer(
    law: str, fan_in: int, fan_out: int, *, activation: str = "identity", seed: int = 0
) -> tuple[float, float]:
    """What one layer multiplies mean squares by: (of a signal, of a gradient), measured.

    The input z of the layer before is standard normal, and h = f(z); compared are the mean squares
    of h W and z, and of the gradients with respect to z and to h W. So with f the identity they are
    fan_in Var W and fan_out Var W; with ReLU half of it.
    """
    stream = seeding.generator(seed, f"{fan_in} to {fan_out}")
    z = torch.randn(200, fan_in, generator=stream, dtype=torch.float64)
    gradient = torch.randn(200, fan_out, generator=stream, dtype=torch.float64)
    matrix = initializers.law(law)(fan_in, fan_out, stream)
    out = activations.activation(activation)(z) @ matrix
    back = gradient @ matrix.T * activations.derivative(activation, z)
    pairs = ((out, z), (back, gradient))
    signal, slope = ((a.square().mean() / b.square().mean()).item() for a, b in pairs)
    return signal, slope


def fixed_point(sigma_w: float, sigma_b: float) -> float:
    """q* of tanh: the variance that a layer leaves as it is. 0 where only that does.

    V(q) = sigma_w^2 E tanh(sqrt(q) z)^2 + sigma_b^2 is concave, so above 0 there is at most one.
    Infinite where it overflows. ValueError for sigma_w < 0 or sigma_b < 0.
    """
    root = _fixed_deviation(sigma_w, sigma_b)
    return root * root


@lru_cache(maxsize=100)
def _fixed_deviation(sigma_w: float, sigma_b: float) -> float:
    """sqrt(q*), by bisection of the exponent."""
    sigma_w, sigma_b = real("sigma_w", sigma_w, least=0.0), real("sigma_b", sigma_b, least=0.0)
    if sigma_b == 0 and sigma_w <= 1:  # V'(0) = sigma_w^2
        return 0.0
    # V(q) - q = sigma_b^2 + e q - 2 sigma_w^2 q^2 + ..., for small q; e = sigma_w^2 - 1. There
    # rounding would decide whether V(q) is larger than q.
    excess = (sigma_w - 1) * (sigma_w + 1)
    root = math.hypot(excess, math.sqrt(8) * sigma_w * sigma_b)
    if excess > 0:
        small = math.sqrt((excess + root) / 4) / sigma_w
    else:
        small = sigma_b / math.sqrt((root - excess) / 2)
    if small < 1e-4:
        return small
    low, high = max(sigma_b, 1e-5), math.hypot(sigma_w, sigma_b)
    for _ in range(64):
        middle = math.sqrt(low) * math.sqrt(high)
        size = float(gaussian_means.root_mean_square("tanh", middle))
        after = math.hypot(sigma_w * size, sigma_b)
        low, high = (middle, high) if after > middle else (low, middle)
    return high


def chi(sigma_w: float, sigma_b: float) -> float:
    """chi_1 = sigma_w^2 E tanh'(sqrt(q*) z)^2: below 1 order, above 1 chaos, 1 on the line.

    It multiplies the mean square of a gradient at each layer, and the distance of two inputs that
    are nearly the same. Poole et al. (2016), eq. 8.
    """
    slopes = gaussian_means.slope_moment("tanh", _fixed_deviation(sigma_w, sigma_b), 2)
    root = sigma_w * math.sqrt(slopes)
    return root * root


def critical_line(q: Any, activation: str = "tanh") -> tuple[Array, Array]:
    """(sigma_w, sigma_b) with chi_1 = 1 and q* = q, for each variance q.

    sigma_w^2 E f'^2 = 1: gradients keep their mean square. So do signals, with
    sigma_w^2 E f^2 + sigma_b^2 = q. For ReLU it is (sqrt(2), 0) at any q. A sigma_b below
    1e-7 sqrt(q) is lost in rounding, and comes out as 0.
    """
    sigma_w = gaussian_means.slope_square(activation, q) ** -0.5
    deviation = gaussian_means.deviations(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = sigma_w * gaussian_means.root_mean_square(activation, deviation) / deviation
    rest = np.where(share**2 < 1 - 1e-14, 1 - share**2, 0.0)
    return sigma_w, deviation * np.sqrt(rest)
