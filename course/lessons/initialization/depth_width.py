"""Depth against width on handwritten digits: five ReLU networks, about 20,000 parameters each.

64 inputs, L hidden layers of equal width, 10 outputs, He's weights, no norm, no skips; Adam with
one rate for all. They differ in how much one draw of the weights is unlike the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course import data, measures, networks, training
from course.arguments import reject
from course.networks import Network, initializers
from course.training import Record

Array = NDArray[np.float64]
SHAPES = {1: 267, 4: 70, 8: 48, 16: 34, 32: 24}
"""Width by depth, such that the numbers of parameters differ by 2 % at most."""
STEPS, BATCH, RATE = 200, 100, 0.003
SEEDS = range(3)


def width_of(depth: int) -> int:
    """The width that goes with a depth of `SHAPES`; ValueError for another depth."""
    if depth not in SHAPES:
        raise reject("depth", depth, f"one of {', '.join(map(str, SHAPES))}")
    return SHAPES[depth]


def network(
    depth: int,
    *,
    seeds: Sequence[int] = SEEDS,
    dtype: torch.dtype = torch.float32,
    width: int | None = None,
    default: bool = False,
) -> Network:
    """The network with `depth` hidden layers at its start, one of `SHAPES` if no width is given.

    default: with the weights and biases of torch.nn.Linear instead of He's weights and biases of 0.
    """
    widths = [64, *[width_of(depth) if width is None else width] * depth, 10]
    law = {"init": "torch_default", "bias": initializers.torch_default_bias}
    return networks.mlp(
        widths, seeds=seeds, activation="relu", dtype=dtype,
        **(law if default else {"init": "he_normal"}),
    )  # type: ignore[arg-type]  # fmt: skip


def parameters(depth: int) -> int:
    """How many numbers the network with `depth` hidden layers learns."""
    return sum(values[0].numel() for values in network(depth, seeds=[0]).parameters())


def train(
    network: Network, *, steps: int = STEPS, rate: float = RATE, every: int = 1
) -> Iterator[Record]:
    """Train in place with Adam, a record every `every` steps, evaluated at the end."""
    return training.fit(
        network, data.digits(), steps=steps, batch=BATCH, record_every=every,
        optimizer=training.Adam(rate),
    )  # fmt: skip


def rescale_(network: Network, *, examples: int = 256) -> Network:
    """The network, each draw's layers multiplied such that its signals keep their mean square.

    One number for each layer of each replica, in place; a layer whose outputs are all 0 stays.
    """
    x = data.digits().x_train[:examples]
    x = x.to(next(network.parameters()).dtype)
    size, h = x.square().sum(1).mean(), x.expand(network.replicas, *x.shape)
    with torch.no_grad():
        for block in network.blocks:
            linear: Any = block.linear  # type: ignore[union-attr]
            h = torch.relu(h @ linear.weight + linear.bias)
            factor = (size / h.square().sum(2).mean(1)).sqrt()[:, None, None]
            factor = torch.where(factor.isfinite(), factor, 1.0)
            linear.weight.mul_(factor)
            h = factor * h
    return network


def test_accuracy(network: Network, *, rate: float = RATE, steps: int = STEPS) -> Array:
    """The accuracy on the test examples after `train`ing in place, (R,)."""
    *_, last = train(network, steps=steps, rate=rate, every=steps)
    assert last.test_accuracy is not None
    return last.test_accuracy


def lengths(network: Network, *, examples: int = 256) -> Array:
    """log of the root mean square length of h_L, compared with that of the inputs, (R,)."""
    x = data.digits().x_train[:examples]
    last = measures.one_pass(network, x, layers=[f"block {len(network.blocks)}"]).outputs[0]
    ratio = last.square().sum(2).mean(1) / x.square().sum(1).mean()
    return (ratio.log() / 2).numpy()


def thin_tanh(law: str, *, seeds: Sequence[int] = SEEDS) -> Network:
    """32 tanh layers of 24 with weights of mean square 1/24: "lecun_normal", or "orthogonal"."""
    widths = [64, *[SHAPES[32]] * 32, 10]
    return networks.mlp(widths, seeds=seeds, activation="tanh", init=law, bias=0.0)


def directions(network: Network, *, examples: int = 256) -> Array:
    """Effective rank of the last hidden layer's outputs on the first digits, (R,)."""
    x, last = data.digits().x_train[:examples], f"block {len(network.blocks)}"
    outputs = measures.one_pass(network, x, layers=[last]).outputs[0]
    return measures.effective_rank(outputs).numpy()


def apart(network: Network, *, examples: int = 64) -> Array:
    """How far the outputs of two digits are apart, root mean square over pairs, (L, R)."""
    x = data.digits().x_train[:examples].to(next(network.parameters()).dtype)
    names = measures.block_names(network)
    signals = measures.one_pass(network, x, layers=names)
    return signals.measure(lambda h: (h - h.mean(1, keepdim=True)).square().sum(2).mean(1).sqrt())


def starts(depth: int, *, seeds: Sequence[int]) -> tuple[Array, Array]:
    """Lengths before training on the first digit, in each draw, float64: two arrays (R,).

    Of the signal h_L, compared with the input; and of the gradient of the loss with respect to the
    weights of the first layer.
    """
    start, digits = network(depth, seeds=seeds, dtype=torch.float64), data.digits()
    x, label = digits.x_train[:1].double(), digits.y_train[:1]
    last, first = f"block {depth}", "blocks.0.linear.weight"
    signals = measures.one_pass(start, x, label, layers=[last], weights=[first])
    signal = signals.outputs[0].flatten(1).norm(dim=1) / x.norm()
    return signal.numpy(), signals.weight_gradients[first].flatten(1).norm(dim=1).numpy()


def spread(lengths: Array) -> float:
    """Standard deviation of the natural logarithm over draws: (R,) -> a number."""
    return float(np.log(lengths).std(ddof=1))


def expected_spread(depth: int) -> float:
    """Standard deviation, over draws, of the logarithm of what is left of a length after L layers.

    With He's weights one ReLU layer of width n multiplies the square of a length by a number of
    mean 1 and variance 5/n, and its logarithm has about the same variance. Layers are independent,
    so that the variances add: 5 L/n, and for the length itself a quarter of it. Hanin and Rolnick,
    "How to start training" (2018).
    """
    return math.sqrt(5 * depth / width_of(depth)) / 2
