"""Means over a Gaussian, of an activation f and of its slope: what every mean-field theory needs.

E g(x) for x ~ N(mean, deviation^2) is a sum over points. The line is cut into pieces, so that
no piece has a kink or a jump of f or f' inside, and on each the rule of Gauss and Legendre
converges: the relative error is below 1e-10 for every variance that a float can hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.arguments import one_of, reject
from course.networks import activations

Array = NDArray[np.float64]
ORDER = 16
"""Points on each piece: exact for polynomials up to degree 31."""
CUTS = np.array([-10.0, -4.0, 0.0, 4.0, 10.0])
"""Ends of pieces in deviations from the mean; 1e-23 of a Gaussian lies beyond."""
BENDS = np.array([-40.0, -8.0, -2.0, 0.0, 2.0, 8.0, 40.0])
"""Ends of pieces in x itself: the activations bend near 0, and are straight far from it."""
LEAST, MOST = 1e-300, 1e300
"""Deviations between these count as they are, others as these."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(ORDER)


def normal_points(
    mean: Any = 0.0, deviation: Any = 1.0, kinks: Sequence[float] = ()
) -> tuple[Array, Array]:
    """x and weights, both (..., K): the sum of weights g(x) is E g(x) for x ~ N(mean, deviation^2).

    mean, deviation: (...), finite, deviation >= 0. kinks: where g or its slope jumps.
    """
    centre, scale = np.broadcast_arrays(
        np.asarray(mean, dtype=float)[..., None], np.asarray(deviation, dtype=float)[..., None]
    )
    with np.errstate(all="ignore"):  # a deviation of 0 has all bends at infinity, or nowhere
        bends = np.nan_to_num((np.union1d(BENDS, kinks) - centre) / scale)
    cuts = np.broadcast_to(CUTS, (*bends.shape[:-1], len(CUTS)))
    ends = np.sort(np.concatenate([cuts, np.clip(bends, CUTS[0], CUTS[-1])], axis=-1), axis=-1)
    length = np.diff(ends)
    needed = (length > 0).reshape(-1, length.shape[-1]).any(axis=0)
    start, length = ends[..., :-1][..., needed, None], length[..., needed, None]
    z = (start + length * (_NODES + 1) / 2).reshape(*bends.shape[:-1], -1)
    weights = (length * _WEIGHTS).reshape(z.shape) * np.exp(-(z**2) / 2)
    return centre + scale * z, weights / weights.sum(-1, keepdims=True)


def mean_square(activation: str, q: Any) -> Array:
    """E f(sqrt(q) z)^2 for each variance q of what goes into the units; z standard normal."""
    return root_mean_square(activation, deviations(q)) ** 2


def root_mean_square(activation: str, deviation: Any) -> Array:
    """sqrt(E f(deviation z)^2) for each deviation >= 0: it overflows, to infinity, from 1e299 on.

    As a root it is above 0 also where the square is too small for a float.
    """
    return np.hypot(*mean_and_deviation(activation, deviation))


def mean_and_deviation(activation: str, deviation: Any) -> tuple[Array, Array]:
    """E f(x) and sqrt(E (f(x) - E f(x))^2) for x ~ N(0, deviation^2), for each deviation >= 0.

    The second is infinite from 1e299 on.
    """
    values, weights = _values(activation, activations.activation(activation), deviation)
    size = np.abs(values).max(axis=-1, keepdims=True)
    relative = values / np.where(size > 0, size, 1.0)  # squares neither overflow nor underflow
    mean = (weights * relative).sum(-1, keepdims=True)
    spread = np.sqrt((weights * (relative - mean) ** 2).sum(-1))
    mean, spread = (size * mean)[..., 0], size[..., 0] * spread
    return mean, np.where(spread < MOST / 10, spread, math.inf)


def slope_square(activation: str, q: Any) -> Array:
    """E f'(sqrt(q) z)^2 for each variance q; for q = 0 the limit."""
    return slope_moment(activation, deviations(q), 2)


def slope_moment(activation: str, deviation: Any, power: int) -> Array:
    """E f'(deviation z)^power for each deviation >= 0; for a deviation of 0 the limit."""

    def slope(x: Tensor) -> Tensor:
        return activations.derivative(activation, x)

    values, weights = _values(activation, slope, np.maximum(deviation, LEAST))
    return np.asarray((weights * values**power).sum(-1))


def deviations(q: Any) -> Array:
    """The square roots of variances; ValueError unless all of them are finite and >= 0."""
    variance = np.asarray(q, dtype=float)
    if not (np.isfinite(variance) & (variance >= 0)).all():
        raise reject("q", q, "variances: finite and >= 0")
    return np.sqrt(variance)


def _values(
    activation: str, function: Callable[[Tensor], Tensor], deviation: Any
) -> tuple[Array, Array]:
    """The function, of this activation or its slope, at the points x for 0 and `deviation`."""
    one_of("activation", activation, activations.ACTIVATIONS)
    kinks = activations.KINKS.get(activation, ())
    x, weights = normal_points(0.0, np.minimum(deviation, MOST), kinks)
    return function(torch.as_tensor(x)).numpy(), weights
