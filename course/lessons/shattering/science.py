"""What normalization and skips do to the representations and the gradients of a deep ReLU network.

All networks here are at their start, drawn by He's law, and are compared with the same draws.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course import measures, networks, seeding, training
from course.arguments import one_of
from course.data import Dataset
from course.networks import BatchNorm, Network
from course.training import Record

VARIANTS: dict[str, dict[str, Any]] = {
    "bare": {"name": "plain", "norm": None},
    "layer norm": {"name": "plain", "norm": "layer"},
    "batch norm": {"name": "plain", "norm": "batch"},
    "skips": {"name": "resnet", "norm": None},
}


def variant(
    name: str,
    *,
    depth: int = 50,
    width: int = 64,
    seeds: Sequence[int] = (0, 1, 2),
    like: Dataset | None = None,
) -> Network:
    """A ReLU network of `VARIANTS`; the branches beside skips are multiplied by 1/sqrt(depth).

    From width to width, float64; with a data set `like`: a float32 network to train on it.
    """
    settings = dict(VARIANTS[one_of("name", name, VARIANTS)])
    if settings["name"] == "resnet":
        settings["branch"] = 1 / math.sqrt(max(depth, 1))
    return networks.build(
        width=width, depth=depth, seeds=seeds, init="he_normal", like=like, ends=like is not None,
        dtype=torch.float64 if like is None else torch.float32, **settings,
    )  # fmt: skip


def learn(
    name: str,
    examples: Dataset,
    *,
    depth: int = 30,
    width: int = 48,
    seeds: Sequence[int] = (0, 1, 2),
    steps: int = 100,
    rate: float = 0.001,
) -> Iterator[Record]:
    """Train a network of `VARIANTS` on `examples` by Adam, batches of 100; the records."""
    network = variant(name, depth=depth, width=width, seeds=seeds, like=examples)
    return training.fit(network, examples, steps=steps, optimizer=training.Adam(rate))


def inputs(count: int, width: int, seed: int = 0) -> Tensor:
    """`count` inputs x ~ N(0, I), (count, width)."""
    stream = seeding.generator(seed, "inputs")
    return torch.randn(count, width, generator=stream, dtype=torch.float64)


def by_depth(
    network: Network,
    x: Tensor,
    depths: Sequence[int],
    measure: Callable[[Tensor], Tensor] = measures.participation_ratio,
) -> np.ndarray:
    """`measure` of the signals after each of `depths` blocks, (len(depths), R); 0 is the input."""
    rows, h = [], network.stem(network.replicated(x))
    with torch.no_grad():
        for depth in range(max(depths) + 1):
            h = network.blocks[depth - 1](h) if depth else h
            if depth in depths:
                rows.append(measure(h))
    return torch.stack(rows).numpy()


def frozen(network: Network, x: Tensor) -> Network:
    """A copy whose batch norms keep the statistics of the batch x: each input is alone then."""
    fixed = copy.deepcopy(network)
    for module in fixed.modules():
        if isinstance(module, BatchNorm):
            module.momentum = 1.0
    with torch.no_grad():
        fixed.train()(x)
    return fixed.eval()


PATHS: dict[str, dict[str, Any]] = {
    "1 layer": {"name": "plain", "depth": 0, "norm": None},
    "plain, 24 layers": {"name": "plain", "depth": 23, "norm": None},
    "plain, 24, batch norm": {"name": "plain", "depth": 23, "norm": "batch"},
    "skips, 50 layers": {"name": "resnet", "depth": 49, "norm": None, "branch": 1.0},
    "skips, 50, batch norm": {"name": "resnet", "depth": 49, "norm": "batch", "branch": 1.0},
    "skips x 0.1, 50, batch norm": {"name": "resnet", "depth": 49, "norm": "batch", "branch": 0.1},
}
"""Networks of one input and one output, for `correlation`; the weights are torch's default."""


def correlation(
    name: str, lags: Sequence[int], *, width: int = 64, points: int = 256, seeds: Sequence[int]
) -> np.ndarray:
    """Correlation of gradients at inputs so many places apart, on a path from -2 to 2: (lags, R).

    Balduzzi et al., "The shattered gradients problem" (2017), section 3.
    """
    settings = dict(PATHS[one_of("name", name, PATHS)])
    path = torch.linspace(-2, 2, points, dtype=torch.float64)[:, None]
    correlations = []
    for seed in seeds:  # one after another: side by side they take a lot of memory
        network = networks.build(
            inputs=1, width=width, outputs=1, seeds=[seed], dtype=torch.float64, **settings
        )
        gradients = measures.path_gradients(network, path)
        correlations.append(measures.gradient_correlation(gradients, lags)[0])
    return torch.stack(correlations, dim=-1).numpy()
