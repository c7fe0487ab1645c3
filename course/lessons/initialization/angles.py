"""The angle of two inputs on its way through random tanh layers: order, chaos, and training there.

Both inputs have mean square 1, and every layer adds what `mean_field` describes. With q_l the
variance of z_l for each input, and c_l the correlation of the two,

    q_l c_l = sigma_w^2 E tanh(u) tanh(v) + sigma_b^2

where u, v are Gaussian with variance q_(l-1) and correlation c_(l-1); q_1 c_1 = sigma_w^2 c_0 +
sigma_b^2. Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli (2016), eqs. 5 and 6. For ReLU layers
the mean has a closed form: `relu_family.science.cosine_map`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course import data, networks, seeding, training
from course.arguments import real, whole
from course.lessons.initialization import mean_field
from course.lessons.initialization.gaussian_means import normal_points, root_mean_square
from course.networks import Network, initializers

Array = NDArray[np.float64]
WIDTH, PAIRS = 200, 5
"""Of the network that is measured, and how many pairs of inputs go through it."""
STEPS, SEEDS = 100, range(3)
"""Of training."""


@lru_cache(maxsize=1000)
def correlation(deviation: float, cosine: float) -> float:
    """E tanh(u) tanh(v) / E tanh(u)^2, with u, v ~ N(0, deviation^2) of the correlation `cosine`.

    Given u, v is N(cosine u, (1 - cosine^2) deviation^2). At deviation 0 it is the limit.
    """
    deviation = max(deviation, 1e-300)
    rest = deviation * math.sqrt((1 - cosine) * (1 + cosine))
    turns = [sign * factor * rest for sign in (-1, 1) for factor in (3, 9)]  # of the mean over v
    u, weights = normal_points(0.0, deviation, turns)
    u, weights = u[u > 0], weights[u > 0]  # at -u there is the same
    v, likely = normal_points(cosine * u, rest)
    size = math.tanh(u[-1])
    first, second = np.tanh(u) / size, (likely * (np.tanh(v) / size)).sum(-1)
    return float((weights * first) @ second / ((weights * first) @ first))


def expected(sigma_w: float, sigma_b: float, cosine: float, depth: int) -> tuple[Array, Array]:
    """(q, c) in infinite width, both (depth + 1,): of the inputs, then of z_1 ... z_depth.

    c is NaN where nothing is left to have an angle: q = 0. sigma_w and sigma_b: 0 to 1e150.
    """
    sigma_w = real("sigma_w", sigma_w, least=0, most=1e150)
    sigma_b = real("sigma_b", sigma_b, least=0, most=1e150)
    size, c = 1.0, real("cosine", cosine, least=-1, most=1)  # size: of what the weights see
    deviation, sizes, cosines = 1.0, [1.0], [c]
    for layer in range(whole("depth", depth, least=1)):
        if layer and deviation > 0:
            size, c = float(root_mean_square("tanh", deviation)), correlation(deviation, c)
        deviation = math.hypot(sigma_w * size, sigma_b)
        if deviation > 0:
            # The biases, common to both, are a share of the variance, and have the correlation 1.
            common = (sigma_b / deviation) ** 2
            c = min(c + common * (1 - c), 1.0)
        else:
            size, c = 0.0, math.nan
        sizes.append(deviation)
        cosines.append(c)
    return np.square(sizes), np.array(cosines)


def depth_scale(sigma_w: float, sigma_b: float) -> float:
    """xi_c of tanh, in layers: how slowly the correlation of two inputs forgets where it began.

    Far down, c_l - c* shrinks by exp(-1/xi_c) a layer, the slope of the map of correlations at its
    fixed point c*. In order c* = 1 and the slope is chi_1. sigma_w > 0, sigma_b > 0. Schoenholz,
    Gilmer, Ganguli and Sohl-Dickstein (2017), eq. 9; they find that networks train down to 6 xi_c.
    """
    deviation = math.sqrt(mean_field.fixed_point(sigma_w, sigma_b))
    common = (sigma_b / deviation) ** 2

    def after(c: float) -> float:
        value = correlation(deviation, c)
        return value + common * (1 - value)

    c, step = 0.5, 1e-4
    for _ in range(2000):
        c, before = after(c), c
        if abs(c - before) < 1e-12:
            break
    low, high = (c - step, min(c + step, 1.0))
    return -1 / math.log((after(high) - after(low)) / (high - low))


@lru_cache(maxsize=1)
def _draw(width: int, depth: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Standard normal weights over sqrt(width), and biases, of each layer."""
    drawn = []
    for number in range(1, depth + 1):
        stream = seeding.generator(seed, f"layer {number}")
        weight = initializers.lecun_normal(width, width, stream)
        drawn.append((weight, torch.randn(width, generator=stream, dtype=torch.float64)))
    return drawn


def measured(
    sigma_w: float,
    sigma_b: float,
    cosine: float,
    depth: int,
    *,
    width: int = WIDTH,
    pairs: int = PAIRS,
    seed: int = 0,
    deepest: int = 100,
) -> Array:
    """c_0 ... c_depth of `pairs` pairs of inputs in one network, (pairs, depth + 1).

    Networks with equal seeds have equal draws up to layer `deepest`, for every sigma_w and sigma_b.
    """  # fmt: skip
    whole("depth", depth, least=1, most=deepest)
    angle = math.acos(real("cosine", cosine, least=-1, most=1))
    stream = seeding.generator(seed, "pairs")
    basis = torch.randn(pairs, 2, width, generator=stream, dtype=torch.float64)
    first, other = torch.linalg.qr(basis.mT).Q.mT.unbind(1)
    second = math.cos(angle) * first + math.sin(angle) * other
    h = math.sqrt(width) * torch.cat([first, second])
    cosines = [_cosine(h)]
    for weight, bias in _draw(width, deepest, whole("seed", seed))[:depth]:
        z = sigma_w * (h @ weight) + sigma_b * bias
        cosines.append(_cosine(z))
        h = torch.tanh(z)
    return torch.stack(cosines, dim=1).numpy()


def _cosine(rows: Tensor) -> Tensor:
    """Of row p and row p + P; NaN where one of them is 0."""
    largest = rows.abs().amax(1, keepdim=True)  # squares of tiny numbers would be 0
    first, second = (rows / largest).chunk(2)
    return (first * second).sum(1) / (first.norm(dim=1) * second.norm(dim=1))


def network(sigma_w: float, sigma_b: float, depth: int, *, seeds: Sequence[int]) -> Network:
    """A tanh network of width 64 on the digits that starts with these weights and biases."""
    return networks.mlp(
        [64] + [64] * whole("depth", depth, least=1) + [10], seeds=seeds, activation="tanh",
        init=partial(initializers.lecun_normal, gain=sigma_w),
        bias=partial(initializers.normal_bias, variance=sigma_b**2),
    )  # fmt: skip


def accuracy(
    sigma_w: float, sigma_b: float, *, depth: int, rate: float, seeds: Sequence[int] = SEEDS
) -> Array:
    """The accuracy on the training digits after `STEPS` steps of Adam from such a start, (R,)."""
    start, adam = network(sigma_w, sigma_b, depth, seeds=seeds), training.Adam(rate)
    *_, last = training.fit(start, data.digits(), steps=STEPS, optimizer=adam, record_every=STEPS)
    assert last.train_accuracy is not None
    return last.train_accuracy
