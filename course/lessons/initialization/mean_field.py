"""How the size of a signal, its gradient, and the angle of two inputs travel through random layers.

    z_l = h_(l-1) W_l + b_l,   h_l = f(z_l),   W_ij ~ N(0, sigma_w^2 / n),   b_j ~ N(0, sigma_b^2)

In infinite width every z_l is Gaussian, with a variance q_l that follows from the layer before:

    q_l = sigma_w^2 E f(sqrt(q_(l-1)) z)^2 + sigma_b^2,   chi_l = sigma_w^2 E f'(sqrt(q_l) z)^2

z standard normal, and q_1 = sigma_w^2 E x^2 + sigma_b^2. chi_l is the factor on the mean square of
a gradient that goes back through layer l. Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli (2016),
eqs. 3 to 8; Schoenholz, Gilmer, Ganguli and Sohl-Dickstein (2017). The mean over z is a sum over
Gauss-Hermite points: for tanh the error is below 1e-6 up to q = 4, below 1e-3 up to q = 9.
`angles` has what belongs to two inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course import seeding
from course.arguments import one_of, real, whole
from course.networks import activations, initializers

Array = NDArray[np.float64]
POINTS = 200
"""Of the quadrature; even, so that the halves of ReLU on both sides of 0 are exact too."""


@lru_cache(maxsize=4)
def normal_points(count: int = POINTS) -> tuple[Array, Array]:
    """z and weights, both (count,): the sum of weights f(z) is E f(z), z standard normal."""
    z, weights = np.polynomial.hermite_e.hermegauss(whole("count", count, least=1))
    return z, weights / weights.sum()


def _mean_square(function: Any, q: Any) -> Array:
    """E function(sqrt(q) z)^2 for each entry of q."""
    z, weights = normal_points()
    spread = torch.as_tensor(np.sqrt(np.asarray(q, dtype=float))[..., None] * z)
    return np.asarray(function(spread).square().numpy() @ weights)


def mean_square(activation: str, q: Any) -> Array:
    """E f(sqrt(q) z)^2: the mean square of what units with inputs of variance q return."""
    return _mean_square(activations.activation(activation), q)


def slope_square(activation: str, q: Any) -> Array:
    """E f'(sqrt(q) z)^2: the same of their slopes. Times sigma_w^2 it is chi."""
    one_of("activation", activation, activations.ACTIVATIONS)
    return _mean_square(lambda z: activations.derivative(activation, z), q)


@dataclass(frozen=True)
class Sizes:
    """Root mean squares at layers 0 ... L, for each weight scale; both (G, L + 1).

    forward: of h_l, where h_0 = x has 1. backward: of the gradient with respect to h_l, where that
    at layer L has 1.
    """

    forward: Array
    backward: Array


def expected(activation: str, scales: Any, depth: int) -> Sizes:
    """The sizes in infinite width: weights of deviation scale / sqrt(n), no biases."""
    scale = np.asarray(scales, dtype=float)
    whole("depth", depth, least=1)
    square = np.ones_like(scale)
    forward, factors = [square], []
    for _ in range(depth):
        q = scale**2 * square
        square = mean_square(activation, q)
        forward.append(square)
        factors.append(scale**2 * slope_square(activation, q))
    backward = [np.ones_like(scale)]
    for factor in reversed(factors):
        backward.insert(0, backward[0] * factor)
    return Sizes(np.sqrt(np.stack(forward, axis=-1)), np.sqrt(np.stack(backward, axis=-1)))


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
    return torch.stack([h.square().mean((1, 2)).sqrt() for h in layers], dim=1).numpy()


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
    """
    real("sigma_w", sigma_w, least=0.0)
    real("sigma_b", sigma_b, least=0.0)
    if sigma_b == 0 and sigma_w <= 1:  # V'(0) = sigma_w^2
        return 0.0
    low, high = 0.0, sigma_w**2 + sigma_b**2
    for _ in range(80):
        q = (low + high) / 2
        grows = sigma_w**2 * float(mean_square("tanh", q)) + sigma_b**2 > q
        low, high = (q, high) if grows else (low, q)
    return (low + high) / 2


def chi(sigma_w: float, sigma_b: float) -> float:
    """chi_1 = sigma_w^2 E tanh'(sqrt(q*) z)^2: below 1 order, above 1 chaos, 1 on the line.

    It multiplies the mean square of a gradient at each layer, and the distance of two inputs that
    are nearly the same. Poole et al. (2016), eq. 8.
    """
    return sigma_w**2 * float(slope_square("tanh", fixed_point(sigma_w, sigma_b)))


def critical_line(q: Any) -> tuple[Array, Array]:
    """(sigma_w, sigma_b) with chi_1 = 1 and q* = q, for tanh and each entry of q >= 0."""
    q = np.asarray(q, dtype=float)
    square = 1 / slope_square("tanh", q)
    rest = q - square * mean_square("tanh", q)
    return np.sqrt(square), np.sqrt(np.maximum(rest, 0.0))
