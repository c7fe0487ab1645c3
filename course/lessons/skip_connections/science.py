"""What a skip connection passes on: how much of a signal goes straight through a deep network.

Along the skips alone a signal is multiplied by one factor per block: 1 in a ResNet, 1 - T in a
Highway network (T its gate), s where skips are scaled by s. What arrives is the product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course import measures, networks, training
from course.arguments import one_of, real
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.lessons.spectra.shattering import frozen
from course.networks import Network, one_thread
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
    assert isinstance(net, networks.VariableActivationNetwork)
    ConstantSkip(skip).start(net.alpha, net.multiplier)
    with torch.no_grad():
        for block in net.blocks:
            for parameter in block.residual.linear.parameters():  # type: ignore[union-attr]
                parameter.mul_(real("branch", branch))
    return net


def train_scaled(
    examples: Dataset, skip: float, *, depth: int, epochs: int = 10
) -> Iterator[Record]:
    """Train `scaled` with its skips held at this factor; records as `degradation.science.train`."""
    net = scaled(examples, skip, depth=depth)
    return degradation.train(net, examples, epochs=epochs, skips=ConstantSkip(skip))


def kept(net: Network, examples: Dataset, *, samples: int = 200) -> np.ndarray:
    """How much of the stem's signal h_0 is in the output h_k of each block, (L + 1, R).

    |<h_0, h_k>| / |h_0|^2 over the first `samples` training examples and all units, centred; 1 for
    k = 0. Batch norm uses the statistics of these examples.
    """
    names = ["stem", *measures.block_names(net)]
    signals = measures.one_pass(net, examples.x_train[:samples], layers=names)
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


def with_gates(net: Network, examples: Dataset, records: Iterator[Record]) -> Iterator[Record]:
    """The same records of a Highway network in training; their `norms` hold the `gates` (R, L)."""
    layers = tuple(measures.block_names(net))
    try:
        for record in records:
            yield replace(record, layers=layers, norms={"gates": gates(net, examples).T})
    finally:
        records.close()  # type: ignore[attr-defined]


def gate_at(bias: float) -> float:
    """T = sigmoid(bias): where a Highway gate starts, on average."""
    small = math.exp(-abs(real("bias", bias)))  # never overflows
    return (1.0 if bias >= 0 else small) / (1 + small)


def correlation(
    name: str,
    lags: Sequence[int],
    *,
    depth: int = 24,
    norm: str | None = "batch",
    width: int = 100,
    points: int = 256,
    seeds: Sequence[int] = range(10),
    **options: Any,
) -> np.ndarray:
    """Correlation of gradients at inputs so many places apart, (len(lags), R), before training.

    The inputs are `points` even places on a path from -2 to 2, the networks have one input and one
    output; batch norm keeps the statistics of the whole path, so that each place has a gradient of
    its own. Balduzzi et al., "The shattered gradients problem" (2017), section 3.
    """
    path = torch.linspace(-2, 2, points, dtype=torch.float64)[:, None]
    rows = []
    for seed in seeds:  # one after another: the gradients of many replicas would fill the memory
        net = networks.build(
            name, inputs=1, width=width, outputs=1, depth=depth, norm=norm, seeds=(seed,),
            dtype=torch.float64, **options,
        )  # fmt: skip
        with one_thread():
            gradients = measures.path_gradients(frozen(net, path), path)
        rows.append(measures.gradient_correlation(gradients, lags))
    return torch.cat(rows).numpy().T
