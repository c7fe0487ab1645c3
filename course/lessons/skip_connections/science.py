"""What a skip connection passes on: how much of a signal goes straight through a deep network.

Along the skips alone a signal is multiplied by one factor per block: 1 in a ResNet, 1 - T in a
Highway network (T its gate), s where skips are scaled by s. What arrives is the product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course import measures, networks, training
from course.arguments import one_of, real, whole
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.networks import Network
from course.training import Record


@dataclass(frozen=True)
class ConstantSkip(training.Fixed):
    """Skips of a VAN that keep the factor `skip` from the first step to the last."""

    skip: float = 1.0

    def __post_init__(self) -> None:
        real("skip", self.skip)

    def start(self, alpha: Tensor, multiplier: Tensor) -> None:
        """alpha = 1 - skip."""
        alpha.detach().fill_(1 - self.skip)

    def alpha(self, done: float) -> float:
        """1 - skip, always."""
        return 1 - self.skip


def scaled(
    examples: Dataset,
    skip: float,
    *,
    depth: int,
    branch: float = 1.0,
    seeds: Sequence[int] = (0, 1, 2),
) -> Network:
    """h -> skip h + branch F(h) in every block, F as in a ResNet; skip = branch = 1 makes it one.

    The factor of the branch is in the first weights, where training can change it.
    """
    net = degradation.network("van", examples, depth=depth, seeds=seeds)
    rescale(net, [parameter.detach().clone() for parameter in branches(net)], skip, branch)
    return net


def branches(net: Network) -> list[Tensor]:
    """The parameters that the factor of the branch multiplies: those of each F's linear layer."""
    blocks: Any = net.blocks
    return [p for block in blocks for p in block.residual.linear.parameters()]


def rescale(net: Network, drawn: Sequence[Tensor], skip: float, branch: float) -> None:
    """Give a network of `scaled` other factors, in place: nothing is drawn again.

    drawn: its `branches` as they were drawn, those of the factor 1.
    """
    assert isinstance(net, networks.VariableActivationNetwork)
    ConstantSkip(skip).start(net.alpha, net.multiplier)
    real("branch", branch)
    with torch.no_grad():
        for parameter, start in zip(branches(net), drawn, strict=True):
            torch.mul(start, branch, out=parameter)


def train_scaled(
    examples: Dataset,
    skip: float,
    *,
    depth: int,
    epochs: int = 10,
    seeds: Sequence[int] = (0, 1, 2),
) -> Iterator[Record]:
    """Train `scaled` with its skips held at this factor; records as `degradation.science.train`."""
    net = scaled(examples, skip, depth=depth, seeds=seeds)
    return degradation.train(net, examples, epochs=epochs, skips=ConstantSkip(skip))


def kept(net: Network, examples: Dataset, *, samples: int = 200) -> np.ndarray:
    """How much of the stem's signal h_0 is in the output h_k of each block, (L + 1, R).

    |<h_0, h_k>| / |h_0|^2 over the first `samples` training examples and all units, centred; 1 for
    k = 0. Batch norm uses the statistics of these examples.
    """
    names = ["stem", *measures.block_names(net)]
    return kept_of(measures.one_pass(net, examples.x_train[:samples], layers=names))


def kept_of(signals: measures.Signals) -> np.ndarray:
    """`kept` of a pass of which the first layer is the stem."""
    first = _centred(signals.outputs[0])
    square = first.square().sum((1, 2))
    return signals.measure(lambda h: (_centred(h) * first).sum((1, 2)).abs() / square)


def _centred(h: Tensor) -> Tensor:
    return h.double() - h.double().mean(1, keepdim=True)


def gates(net: Network, examples: Dataset, *, samples: int = 200) -> np.ndarray:
    """Mean of Highway's gate T over examples and units, (L, R), batch norm as in training."""
    one_of("network", net.name, ["highway"])
    names = [f"blocks.{block}.gate" for block in range(net.depth)]
    signals = measures.one_pass(net, examples.x_train[:samples], layers=names)
    return signals.measure(lambda gate: gate.mean((1, 2)))


def gate_at(bias: float) -> float:
    """T = sigmoid(bias): where a Highway gate starts, on average."""
    small = math.exp(-abs(real("bias", bias)))  # never overflows
    return (1.0 if bias >= 0 else small) / (1 + small)


def growth(depth: int, skip: float = 1.0, first: float = 1.0) -> float:
    """The factor on gradients from block `depth` back to block 1: of blocks skip h + F(h).

    F as in a ResNet with batch norm, wide, at the start. Each branch adds the variance 1 (the
    unit), so the stream's is q = first after the stem, and then skip^2 q + 1. A branch passes the
    square of a gradient with pi / (pi - 1), as a plain block does, times its share 1 / q. Per block

        skip^2 + pi / (pi - 1) / q.

    Without a skip that is pi / (pi - 1); for |skip| < 1 it tends to skip^2 + (1 - skip^2)
    pi / (pi - 1), a number above 1: gradients grow exponentially with depth. At skip = 1 the stream
    grows, q = first + l, and the factor with the power pi / (2 (pi - 1)) = 0.73 of the depth.
    first: the variance of the stem's output, in units of what a branch adds.
    """
    whole("depth", depth, least=1)
    kept, stream = real("skip", skip, least=-1, most=1) ** 2, real("first", first, least=0)
    square = 1.0
    for _ in range(depth - 1):
        stream = kept * stream + 1
        square *= kept + degradation.GROWTH**2 / stream
    return math.sqrt(square)


def measured_growth(net: Network, examples: Dataset) -> np.ndarray:
    """The factor on gradients from the last block to the first, (R,), over 200 examples."""
    gradients = degradation.profile(net, examples, places=2).gradients
    return gradients[1] / gradients[-1]


def growth_by_depth(
    name: str, examples: Dataset, depths: Sequence[int], seeds: Sequence[int]
) -> np.ndarray:
    """`measured_growth` of this architecture before training at each of N depths, (N, R)."""
    nets = (degradation.network(name, examples, depth=depth, seeds=seeds) for depth in depths)
    return np.array([measured_growth(net, examples) for net in nets])


def variances(net: Network, examples: Dataset, *, samples: int = 200) -> np.ndarray:
    """Variance over the examples of the outputs of stem and blocks, mean of the units, (L + 1, R).

    Batch norm uses the statistics of these examples.
    """
    names = ["stem", *measures.block_names(net)]
    signals = measures.one_pass(net, examples.x_train[:samples], layers=names)
    return signals.measure(lambda h: _centred(h).square().mean((1, 2)))


def cut_one(net: Network, examples: Dataset) -> np.ndarray:
    """Training accuracy with one block taken out, for each of the blocks, (L, R).

    The network is left as it was. Veit, Wilber and Belongie, "Residual networks behave like
    ensembles of relatively shallow networks" (2016), section 4.1.
    """
    rows = []
    for place in range(net.depth):
        block = net.blocks.pop(place)
        try:
            rows.append(measures.evaluate(net, examples.x_train, examples.y_train)[1])
        finally:
            net.blocks.insert(place, block)
    return np.array(rows)
