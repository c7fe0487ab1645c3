"""How evenly a deep network passes directions on: its Jacobian from layer to layer, at the start.

J_k = J_(k-1) W_k D_k, where D_k holds the slopes phi'(z) of the units of layer k. A network is an
isometry if all singular values of J are alike. The spread is the variance of s^2 over its mean
square; to first order each layer adds to it what `spread_per_layer` says.

Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through dynamical
isometry: theory and practice" (2017). Their q* is `length` here: the mean square that goes into the
activations of every layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from course import measures, networks, seeding, training
from course.arguments import one_of
from course.data import Dataset
from course.lessons.initialization import gaussian_means, mean_field
from course.networks import Linear, Network, PostActivation, activations, initializers
from course.training import Optimizer, Record

ACTIVATIONS = ("identity", "tanh", "hard-tanh", "relu")
WEIGHTS = {"orthogonal": initializers.orthogonal, "Gaussian": initializers.lecun_normal}


def spread_per_layer(activation: str, length: float, weights: str) -> float:
    """What a layer adds to the spread: E phi'^4 / (E phi'^2)^2 - 1, and 1 more if Gaussian.

    The spread of J at depth L is L times this, for n much larger than the result.
    """
    deviation = gaussian_means.deviations(length)
    second, fourth = (gaussian_means.slope_moment(activation, deviation, power) for power in (2, 4))
    own = float(fourth / second**2 - 1)
    return own + (one_of("weights", weights, WEIGHTS) == "Gaussian")


def chain(
    activation: str,
    weights: str,
    *,
    length: float = 1 / 64,
    scale: float = 1.0,
    depth: int = 50,
    width: int = 64,
    seeds: Sequence[int] = (0, 1, 2),
    like: Dataset | None = None,
) -> Network:
    """A plain network of `depth` layers on the critical line, its weights times `scale`.

    From width to width, float64; with a data set `like`: a float32 network to train on it, with a
    stem and a head.
    """
    sigma_w, sigma_b = map(float, mean_field.critical_line(length, activation))
    law = partial(WEIGHTS[one_of("weights", weights, WEIGHTS)], gain=scale * sigma_w)
    bias = partial(initializers.normal_bias, variance=sigma_b**2) if sigma_b else True
    return networks.build(
        "plain", width=width, depth=depth, seeds=seeds, activation=activation, norm=None,
        init=law, bias=bias, like=like, ends=like is not None,
        dtype=torch.float64 if like is None else torch.float32,
    )  # fmt: skip


STARTS: dict[str, tuple[str, str, float]] = {
    "hard-tanh, orthogonal, q* = 1/10": ("hard-tanh", "orthogonal", 0.1),
    "tanh, orthogonal, q* = 1/4": ("tanh", "orthogonal", 0.25),
    "tanh, orthogonal, q* = 1/64": ("tanh", "orthogonal", 1 / 64),
    "tanh, Gaussian, q* = 1/64": ("tanh", "Gaussian", 1 / 64),
    "ReLU, Gaussian (He)": ("relu", "Gaussian", 1.0),
}
"""Activation, weights and length of the networks that `learn` trains."""


def learn(
    name: str,
    examples: Dataset,
    *,
    depth: int = 50,
    width: int = 48,
    seeds: Sequence[int] = (0, 1, 2),
    steps: int = 100,
    optimizer: Optimizer | None = None,
) -> Iterator[Record]:
    """Train a network of `STARTS` on `examples`, batches of 100, by SGD(0.003) if None."""
    activation, weights, length = STARTS[one_of("name", name, STARTS)]
    network = chain(
        activation, weights, length=length, depth=depth, width=width, seeds=seeds, like=examples
    )
    return training.fit(network, examples, steps=steps, optimizer=optimizer or training.SGD(0.003))


def at_the_end(runs: Mapping[str, Sequence[Record]], what: str) -> dict[str, np.ndarray]:
    """`what` of the last record of each run, (R,), by name: without those that were stopped."""
    ended = {name: run[-1] for name, run in runs.items() if run and run[-1].evaluated}
    return {name: getattr(record, what) for name, record in ended.items()}


def start(activation: str, length: float, *, width: int, seeds: Sequence[int]) -> Tensor:
    """One random input for each seed, (R, 1, n), such that the first z has mean square `length`."""
    signal = float(gaussian_means.mean_square(activation, length))
    draws = [
        torch.randn(1, width, generator=g, dtype=torch.float64)
        for g in seeding.generators(seeds, "input")
    ]
    x = torch.stack(draws)
    return x / x.norm(dim=-1, keepdim=True) * math.sqrt(width * signal)


def layer_jacobians(network: Network, x: Tensor) -> list[Tensor]:
    """W_k D_k of each layer of a `chain` at x (R, 1, n), (R, n, n): quickly, without autograd."""
    found, h = [], x
    activation = network.recipe.activation
    with torch.no_grad():
        for block in network.blocks:
            assert isinstance(block, PostActivation) and isinstance(block.linear, Linear)
            z = block.linear(h)
            found.append(block.linear.weight.detach() * activations.derivative(activation, z))
            h = block.act(z)
    return found


def along(jacobians: Sequence[Tensor], depths: Sequence[int]) -> measures.Spectrum:
    """Singular values of J_1 J_2 ... J_d for each d of `depths`: log10 is (len(depths), ..., n).

    Products are multiplied out and scaled back, so values below 1e-13 times the largest are
    rounding (`floor`); `measures.product_spectrum` has no such limit, and takes longer.
    """
    product, log = jacobians[0], torch.zeros(jacobians[0].shape[:-2], dtype=torch.float64)
    rows = []
    for depth in range(1, max(depths) + 1):
        product = product @ jacobians[depth - 1] if depth > 1 else product
        size = product.abs().amax((-2, -1), keepdim=True)
        size = torch.where(size > 0, size, 1.0)
        product, log = product / size, log + size[..., 0, 0].log10()
        if depth in depths:
            rows.append((torch.linalg.svdvals(product), log))
    singular = torch.stack([values for values, _ in rows])
    floor = (singular <= 1e-13 * singular[..., :1]) & (singular[..., :1] > 0)
    log10 = singular.log10() + torch.stack([log for _, log in rows])[..., None]
    return measures.Spectrum(log10.numpy(), floor.numpy())


def spread(found: measures.Spectrum) -> np.ndarray:
    """`measures.squared_spread` of each: 0 for an isometry."""
    return measures.squared_spread(found.relative).numpy()
