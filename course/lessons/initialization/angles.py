"""The angle of two inputs on its way through random tanh layers: order, chaos, and training there.

Both inputs have mean square 1, and every layer adds what `mean_field` describes. With q_l the
variance of z_l for each input, and c_l the correlation of the two,

    q_l c_l = sigma_w^2 E tanh(u) tanh(v) + sigma_b^2

where u, v are Gaussian with variance q_(l-1) and correlation c_(l-1); q_1 c_1 = sigma_w^2 c_0 +
sigma_b^2. Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli (2016), eqs. 5 and 6.
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
from course.lessons.initialization.mean_field import normal_points
from course.networks import Network, initializers

Array = NDArray[np.float64]
POINTS = 100
WIDTH, PAIRS = 200, 5
"""Of the network that is measured, and how many pairs of inputs go through it."""
STEPS, SEEDS = 200, range(3)
"""Of training."""


def expected(sigma_w: float, sigma_b: float, cosine: float, depth: int) -> tuple[Array, Array]:
    """(q, c) in infinite width, both (depth + 1,): of the inputs, then of z_1 ... z_depth.

    c is NaN where nothing is left to have an angle: q = 0.
    """
    square, bias = real("sigma_w", sigma_w, least=0) ** 2, real("sigma_b", sigma_b, least=0) ** 2
    z, weights = normal_points(POINTS)
    q, c = 1.0, real("cosine", cosine, least=-1, most=1)
    lengths, cosines, product = [q], [c], c
    for layer in range(whole("depth", depth, least=1)):
        if layer:
            first = math.sqrt(q) * z
            second = c * first[:, None] + math.sqrt(q * max(1 - c * c, 0.0)) * z
            out = np.tanh(first)
            product = float((weights * out) @ np.tanh(second) @ weights)
            q = float(weights @ out**2)
        q, shared = square * q + bias, square * product + bias
        c = min(max(shared / q, -1.0), 1.0) if q > 0 else math.nan
        lengths.append(q)
        cosines.append(c)
    return np.array(lengths), np.array(cosines)


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
