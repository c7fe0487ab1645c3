"""The same deep network on handwritten digits with one activation or another: notebooks 03 and 04.

    z_l = h_(l-1) W_l + b_l,   h_l = f(z_l),   l = 1 ... L,   outputs h_L W + b

64 inputs, L layers of width 64, 10 outputs, cross entropy. Weights are Glorot's times `scale`: at
width 64 throughout their variance is scale^2/64: scale 1 is LeCun's law too, and sqrt(2) He's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from course import data, measures, networks, training
from course.arguments import one_of, real, whole
from course.networks import Network, activations, initializers
from course.training import Optimizer, Record

WIDTH, BATCH, STEPS, RATE = 64, 128, 300, 0.003
SEEDS = range(3)
SCALES = {"relu": math.sqrt(2), "leaky-relu": math.sqrt(2), "gelu": math.sqrt(2)}
"""What the weights are multiplied by if not said otherwise: He's sqrt(2) here, else Glorot's 1."""


def network(
    activation: str,
    depth: int,
    *,
    scale: float | None = None,
    bias: float = 0.0,
    seeds: Sequence[int] = SEEDS,
    dtype: torch.dtype = torch.float32,
) -> Network:
    """The network at its start, one replica per seed. depth: hidden layers, at least 1.

    scale: on Glorot's weights of all layers, as in `SCALES` if None. bias: of every hidden unit.
    Equal seeds draw equal weights, whatever the activation, scale and depth.
    """
    one_of("activation", activation, activations.ACTIVATIONS)
    scale = SCALES.get(activation, 1.0) if scale is None else real("scale", scale, least=0.0)
    widths = [64] + [WIDTH] * whole("depth", depth, least=1) + [10]
    law = partial(initializers.glorot_normal, gain=scale)
    net = networks.mlp(widths, seeds=seeds, activation=activation, init=law, bias=bias, dtype=dtype)
    head: Any = net.head
    with torch.no_grad():
        head.bias.zero_()
    return net


def like_tanh(
    depth: int, *, seeds: Sequence[int] = SEEDS, dtype: torch.dtype = torch.float32
) -> Network:
    """The sigmoid network that computes exactly what ``network("tanh", depth)`` computes.

    sigma(z) = (1 + tanh(z/2)) / 2. So with weights 4 W and biases -2 (sum of each column of W),
    z_l = 2 (tanh(z_(l-1)/2)) W_l: twice the z of the tanh network. The first layer takes 2 W (its
    input has mean 0 already), the last one 2 W and minus the sum of each column.
    """
    sigmoid, tanh = (network(f, depth, seeds=seeds, dtype=dtype) for f in ("sigmoid", "tanh"))
    ours, theirs = ([*linears(net), net.head] for net in (sigmoid, tanh))
    with torch.no_grad():
        for number, (mine, layer) in enumerate(zip(ours, theirs, strict=True)):
            factor = 2 if number in (0, depth) else 4
            mine.weight.copy_(factor * layer.weight)
            if number:
                mine.bias.copy_(-mine.weight.sum(1, keepdim=True) / 2)
    return sigmoid


def linears(network: Network) -> list[Any]:
    """The linear layers in front of the activations."""
    return [block.linear for block in network.blocks]


def train(
    network: Network,
    *,
    optimizer: Optimizer | None = None,
    steps: int = STEPS,
    every: int = 1,
) -> Iterator[Record]:
    """Train in place on the digits, a record every `every` steps. optimizer: None: Adam(0.003)."""
    return training.fit(
        network, data.digits(), steps=steps, batch=BATCH, record_every=every,
        optimizer=optimizer or training.Adam(RATE),
    )  # fmt: skip


def accuracy(
    network: Network, *, optimizer: Optimizer | None = None, steps: int = STEPS
) -> np.ndarray:
    """The accuracy on the training examples after `train`ing in place, (R,)."""
    *_, last = train(network, optimizer=optimizer, steps=steps, every=steps)
    assert last.train_accuracy is not None
    return last.train_accuracy


@dataclass(frozen=True)
class HiddenLayers:
    """What a network does to B examples in its hidden layers 1 ... L.

    z, slope: (L, R, B, n), what goes into the activations, and f'(z).
    saturated: (L, R), share of (example, unit) pairs, as in `measures`.
    spread: (L, R), how much the outputs h_l differ from example to example: root mean square over
        examples of the distance from their mean.
    gradient: (L, R), of each example's own loss with respect to h_l: root mean square of the norm.
    expected: (L, R), the same from the slopes alone: see `hidden_layers`.
    growth: (R,), the mean factor on the gradient per layer on the way back,
        (first / last)^(1 / (L - 1)). NaN for one layer, and where there is no gradient.
    """

    z: np.ndarray
    slope: np.ndarray
    saturated: np.ndarray
    spread: np.ndarray
    gradient: np.ndarray
    expected: np.ndarray
    growth: np.ndarray


def hidden_layers(
    network: Network, *, scale: float, input_scale: float = 1.0, examples: int = 128
) -> HiddenLayers:
    """Measure a network of this module, float64, on `input_scale` times the first digits.

    scale: that of its weights, for `expected`. One layer back, dl/dh_(l-1) = (dl/dh_l f'(z_l)) W^T.
    With independent weights of variance scale^2/n and width n throughout, the mean square of the
    gradient takes the factor scale^2 E f'(z_l)^2; `expected` starts from the gradient measured at
    layer L, and multiplies. After Glorot and Bengio (2010), eq. 6, which has f' = 1.
    """
    digits = data.digits()
    exact = networks.rebuild(network, dtype=torch.float64)
    exact.load_state_dict(network.state_dict())
    x, y = input_scale * digits.x_train[:examples].double(), digits.y_train[:examples]
    with measures.outputs_of(linears(exact)) as inputs:
        signals = measures.one_pass(exact, x, y, layers=measures.block_names(exact))
    activation, z = exact.recipe.activation, torch.stack(inputs).detach()
    slope = activations.derivative(activation, z)
    factors = scale * slope.square().mean((2, 3)).sqrt().numpy()
    gradient = signals.gradient_norms
    return HiddenLayers(
        z.numpy(),
        slope.numpy(),
        measures.saturated(z, activation).numpy(),
        signals.measure(lambda h: (h - h.mean(1, keepdim=True)).square().sum(2).mean(1).sqrt()),
        gradient,
        np.multiply.accumulate([gradient[-1], *factors[:0:-1]])[::-1],
        signals.growth,
    )


def nearest(
    network: Network, example: int, *, layers: Sequence[int], examples: int = 300, count: int = 6
) -> dict[int, list[int]]:
    """{layer: the digits that it holds nearest to digit `example`, nearest first}, by their index.

    layers: of 1 ... L, of the network's first replica, on the first digits.
    """
    x = data.digits().x_train[:examples].to(next(network.parameters()).dtype)
    signals = measures.one_pass(network, x, layers=[f"block {layer}" for layer in layers])
    return {
        layer: measures.nearest_neighbours(outputs[0], example, count).tolist()
        for layer, outputs in zip(layers, signals.outputs, strict=True)
    }
