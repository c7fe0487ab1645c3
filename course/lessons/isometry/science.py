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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from course import measures, networks, seeding, training
from course.arguments import one_of, real
from course.data import Dataset
from course.lessons.initialization import gaussian_means, mean_field
from course.lessons.products.science import products_along
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
    "linear, orthogonal": ("identity", "orthogonal", 1.0),
    "hard-tanh, orthogonal, q* = 1/10": ("hard-tanh", "orthogonal", 0.1),
    "tanh, orthogonal, q* = 1/64": ("tanh", "orthogonal", 1 / 64),
    "tanh, orthogonal, q* = 1/4": ("tanh", "orthogonal", 0.25),
    "tanh, Gaussian, q* = 1/64": ("tanh", "Gaussian", 1 / 64),
    "ReLU, Gaussian (He)": ("relu", "Gaussian", 1.0),
}
"""Activation, weights and length of the networks that are trained, the control first."""


def started(
    name: str, examples: Dataset, *, depth: int = 50, width: int = 24, seeds: Sequence[int]
) -> Network:
    """A network of `STARTS` before training, with a stem and a head for these examples."""
    activation, weights, length = STARTS[one_of("name", name, STARTS)]
    return chain(
        activation, weights, length=length, depth=depth, width=width, seeds=seeds, like=examples
    )


def learn(
    name: str,
    examples: Dataset,
    *,
    depth: int = 50,
    width: int = 24,
    seeds: Sequence[int] = range(5),
    steps: int = 100,
    optimizer: Optimizer | None = None,
) -> Iterator[Record]:
    """Train a network of `STARTS` on `examples`, batches of 50, by SGD(0.003) if None."""
    network = started(name, examples, depth=depth, width=width, seeds=seeds)
    optimizer = optimizer or training.SGD(0.003)
    return training.fit(network, examples, steps=steps, batch=50, optimizer=optimizer)


@dataclass(frozen=True)
class RateForEach(training.SGD):
    """SGD whose replicas have rates of their own, `rates` (R,): a sweep is then one training.

    `rate` is 1: it multiplies all of them.
    """

    rate: float = 1.0
    rates: tuple[float, ...] = ()

    def part(self, rows: slice) -> RateForEach:
        """The optimizer of these replicas alone, with their rates."""
        return replace(self, rates=self.rates[rows])

    def update(self, weights: Tensor, gradient: Tensor, state: dict, numbers: Tensor) -> None:
        """One step, in place."""
        own = gradient * gradient.new_tensor(self.rates)[:, None]
        super().update(weights, own, state, numbers)


RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)


def sweep(
    network: Network, examples: Dataset, *, rates: Sequence[float] = RATES, steps: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Train replicas at several rates; training losses and accuracies, two (rates, draws).

    network: its first replicas get the first rate, and so on, the same number each. SGD with
    momentum 0.9, batches of 50. The loss of a run that broke down is infinite, its accuracy 0.
    """
    draws = network.replicas // len(rates)
    optimizer = RateForEach(rates=tuple(np.repeat(rates, draws).tolist()))
    *_, last = training.fit(network, examples, steps=steps, batch=50, optimizer=optimizer)
    loss, accuracy = (
        np.asarray(values).reshape(len(rates), draws)
        for values in (last.train_loss, last.train_accuracy)
    )
    whole = np.isfinite(loss)
    return np.where(whole, loss, np.inf), np.where(whole, accuracy, 0.0)


def best(loss: np.ndarray) -> int:
    """The place of the rate at which the mean of `loss` (rates, draws) is lowest."""
    return int(np.argmin(loss.mean(axis=1)))


def says(network: Network, replica: int, *, reach: float = 2.2, side: int = 60) -> np.ndarray:
    """How likely a replica holds each place of the plane for class 1, (side, side), rows upward.

    The square has the half side `reach`.
    """
    along = torch.linspace(-reach, reach, side)
    rows, columns = torch.meshgrid(along, along, indexing="ij")
    plane = torch.stack([columns, rows], dim=-1).reshape(-1, 2)
    with torch.no_grad():
        outputs = network.eval()(plane)[replica]
    return outputs.softmax(dim=-1)[:, 1].reshape(side, side).numpy()


def rings(seed: int = 0) -> Dataset:
    """A task for which no straight line helps: points of a disc, the inner half against the outer.

    1,200 points for training and 300 to test, standardized; radius below 1 is class "inner". Both
    classes have the mean 0, so the best linear answer is to guess.
    """
    stream = seeding.generator(seed, "rings")
    radius = (2 * torch.rand(1500, generator=stream)).sqrt()
    angle = 2 * math.pi * torch.rand(1500, generator=stream)
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    y = (radius > 1).long()
    x = x / x[:1200].std()
    return Dataset(
        "rings", x[:1200], y[:1200], x[1200:], y[1200:], ("inner", "outer"), (1, 1, 2), (0.0,),
        (1.0,),
    )  # fmt: skip


def signal_for(activation: str, each: float) -> float:
    """The signal q* at which an orthogonal layer adds `each` to the spread, by bisection.

    activation: "tanh" or "hard-tanh", whose spread grows with the signal. each: above 0, below 1.
    """
    one_of("activation", activation, ("tanh", "hard-tanh"))
    goal = real("each", each, above=0, most=1)
    low, high = 1e-8, 1e2
    for _ in range(60):
        middle = math.sqrt(low * high)
        if spread_per_layer(activation, middle, "orthogonal") < goal:
            low = middle
        else:
            high = middle
    return high


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


def draws(
    weights: str, *, depth: int, width: int, seeds: Sequence[int]
) -> list[tuple[Tensor, Tensor]]:
    """W_k (R, n, n) and b_k (R, 1, n) of a `chain` of sigma_w = sigma_b = 1: all are multiples."""
    law, drawn = WEIGHTS[one_of("weights", weights, WEIGHTS)], []
    for layer in range(1, depth + 1):
        streams = seeding.generators(seeds, f"layer {layer}")  # as in `networks.build`
        weight = initializers.replicate(law, width, width, streams)
        bias = initializers.replicate(initializers.normal_bias, width, width, streams, rows=1)
        drawn.append((weight, bias))
    return drawn


def drawn_jacobians(
    drawn: Sequence[tuple[Tensor, Tensor]], activation: str, sigmas: tuple[float, float], x: Tensor
) -> list[Tensor]:
    """`layer_jacobians` at x of the chain with sigma_w W_k and sigma_b b_k, of the `draws`."""
    scaled, sums, h = [sigmas[0] * weight for weight, _ in drawn], [], x
    for weight, (_, bias) in zip(scaled, drawn, strict=True):
        sums.append(h @ weight + sigmas[1] * bias)
        h = activations.activation(activation)(sums[-1])
    slopes = activations.derivative(activation, torch.stack(sums))  # of all layers at once
    return [weight * slope for weight, slope in zip(scaled, slopes, strict=True)]


def spreads(jacobians: Sequence[Tensor], depths: Sequence[int]) -> np.ndarray:
    """`spread` of `products.science.along`, (len(depths), ...), in a tenth of the time.

    No singular value is needed. With |A| the root of the sum of all squares: the sum of s^2 is
    |J|^2, that of s^4 is |J^T J|^2. So the variance of s^2 over its mean square is
    n |J^T J|^2 / |J|^4 - 1, to 1e-14 or so.
    """
    found = []
    for product, _ in products_along(jacobians, depths):
        second = product.square().sum((-2, -1))
        fourth = (product.mT @ product).square().sum((-2, -1))
        found.append((product.shape[-1] * fourth / second**2 - 1).clamp(min=0.0))
    return torch.stack(found).numpy()


def spread(found: measures.Spectrum) -> np.ndarray:
    """`measures.squared_spread` of each: 0 for an isometry."""
    return measures.squared_spread(found.relative).numpy()
