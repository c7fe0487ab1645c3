"""What norms and skips do to the representations and the gradients of deep networks.

Networks are compared at their start, with the same draws of He's law; then some are trained.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course import measures, networks, seeding
from course.arguments import one_of
from course.data import Dataset
from course.lessons.isometry import science as isometry
from course.lessons.products.science import along
from course.networks import BatchNorm, Network, initializers

VARIANTS: dict[str, dict[str, Any]] = {
    "bare": {"name": "plain", "norm": None},
    "layer norm": {"name": "plain", "norm": "layer"},
    "batch norm": {"name": "plain", "norm": "batch"},
    "skips, small branches": {"name": "resnet", "norm": None, "small": True},
    "skips, batch norm": {"name": "resnet", "norm": "batch"},
}
"""Five ReLU networks; small branches are multiplied by 1/sqrt(depth)."""


def variant(
    name: str,
    *,
    depth: int = 50,
    width: int = 64,
    seeds: Sequence[int] = range(5),
    like: Dataset | None = None,
) -> Network:
    """A ReLU network of `VARIANTS` with He's weights.

    From width to width, float64; with a data set `like`: a float32 network to train on it.
    """
    settings = dict(VARIANTS[one_of("name", name, VARIANTS)])
    if settings.pop("small", False):
        settings["branch"] = 1 / math.sqrt(max(depth, 1))
    return networks.build(
        width=width, depth=depth, seeds=seeds, init="he_normal", like=like, ends=like is not None,
        dtype=torch.float64 if like is None else torch.float32, **settings,
    )  # fmt: skip


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


def jacobian_spread(network: Network, x: Tensor) -> np.ndarray:
    """Spread of the Jacobian of all blocks at the first of the inputs x (B, n), for each seed (R,).

    Batch norms use the statistics of x, held fixed.
    """
    layers = measures.layer_jacobians(list(frozen(network, x).blocks), network.replicated(x[:1]))
    spectrum = along([layer[:, 0] for layer in layers], [len(layers)])
    return isometry.spread(spectrum)[0]


def unit_correlation(h: Tensor) -> Tensor:
    """Mean size of the correlation of two units over the examples, of signals (..., B, n): (...).

    Between 0 (no unit says anything of another) and 1 (all say the same), over the pairs of units
    that change with the examples; NaN where there are none.
    """
    centred = h - h.mean(dim=-2, keepdim=True)
    length = centred.norm(dim=-2, keepdim=True)
    changing = length > 1e-12 * h.abs().amax(dim=(-2, -1), keepdim=True)
    unit = torch.where(changing, centred / torch.where(changing, length, 1.0), 0.0)
    total = (unit.mT @ unit).abs().sum(dim=(-2, -1))
    count = changing.sum(dim=(-2, -1))
    return (total - count) / (count * (count - 1))


def divided(h: Tensor) -> Tensor:
    """Divisive normalization: each example over the root mean square of its units, (..., B, n)."""
    size = h.square().mean(dim=-1, keepdim=True).sqrt()
    return h / torch.where(size > 0, size, 1.0)


def one_layer(x: Tensor, *, units: int = 64, seeds: Sequence[int] = range(5)) -> Tensor:
    """ReLU units of one random layer on the inputs x (B, d), one draw for each seed: (R, B, n)."""
    streams = seeding.generators(seeds, "one layer")
    weights = initializers.replicate("he_normal", x.shape[-1], units, streams)
    return torch.relu(x.double() @ weights.double())


PATHS: dict[str, dict[str, Any]] = {
    "ReLU, 1 layer": {"name": "plain", "depth": 0, "norm": None},
    "ReLU, 24": {"name": "plain", "depth": 23, "norm": None},
    "ReLU, 24, layer norm": {"name": "plain", "depth": 23, "norm": "layer"},
    "ReLU, 24, batch norm": {"name": "plain", "depth": 23, "norm": "batch"},
    "skips, 50, batch norm": {"name": "resnet", "depth": 49, "norm": "batch", "branch": 1.0},
    "skips x 1/7, 50, no norm": {"name": "resnet", "depth": 49, "norm": None, "branch": 1 / 7},
}
"""ReLU networks of one input and one output, for `correlation`: He's weights, biases N(0, 0.1)."""
PATH = torch.linspace(-2, 2, 256, dtype=torch.float64)[:, None]
"""The inputs, in their order: neighbours are 1/64 apart."""


def correlation(
    name: str, lags: Sequence[int], *, width: int = 64, seeds: Sequence[int] = range(6)
) -> np.ndarray:
    """Correlation of gradients at inputs of `PATH` so many places apart, (lags, R).

    name: of `PATHS`. Balduzzi et al., "The shattered gradients problem" (2017), section 3.
    """
    return _correlation(lags, seeds, width=width, **_settings(name))


def gradients(name: str, *, width: int = 64, seed: int = 0) -> Tensor:
    """The gradients of a network of `PATHS` at the inputs of `PATH`, (256,)."""
    network = _of_a_path([seed], width=width, **_settings(name))
    return measures.path_gradients(network, PATH)[0].flatten()


def _settings(name: str) -> dict[str, Any]:
    bias = partial(initializers.normal_bias, variance=0.1)
    return {**PATHS[one_of("name", name, PATHS)], "init": "he_normal", "bias": bias}


def tanh_correlation(
    sigma_w: float,
    lags: Sequence[int],
    *,
    depth: int = 24,
    width: int = 64,
    seeds: Sequence[int] = range(6),
) -> np.ndarray:
    """The same for `depth` tanh layers without any norm or bias, (lags, R)."""
    law = partial(initializers.lecun_normal, gain=sigma_w)
    return _correlation(
        lags, seeds, name="plain", width=width, depth=depth - 1, norm=None, activation="tanh",
        init=law, bias=0.0,
    )  # fmt: skip


def _correlation(lags: Sequence[int], seeds: Sequence[int], **settings: Any) -> np.ndarray:
    correlations = []
    for seed in seeds:  # one after another: side by side they take a lot of memory
        gradients = measures.path_gradients(_of_a_path([seed], **settings), PATH)
        correlations.append(measures.gradient_correlation(gradients, lags)[0])
    return torch.stack(correlations, dim=-1).numpy()


def _of_a_path(seeds: Sequence[int], **settings: Any) -> Network:
    return networks.build(inputs=1, outputs=1, seeds=seeds, dtype=torch.float64, **settings)


def repaired(factor: float, depth: int, *, seeds: Sequence[int] = range(4)) -> tuple[float, float]:
    """Of a ResNet with batch norm whose branches are multiplied by a factor: two means over draws.

    The correlation of gradients at neighbours of `PATH`; and the share of the mean square after the
    last block that the branches have added to the stem's.
    """
    settings: dict[str, Any] = {"name": "resnet", "width": 64, "depth": depth, "norm": "batch",
                                "branch": factor, "init": "he_normal"}  # fmt: skip
    together = _correlation([1], seeds, **settings)
    network = _of_a_path(seeds, **settings)
    with torch.no_grad():
        first = h = network.stem(network.replicated(PATH))
        for block in network.blocks:
            h = block(h)
    share = 1 - float(first.var(dim=1).sum() / h.var(dim=1).sum())
    return float(together.mean()), share


SINGULAR: dict[str, list[list[float]]] = {
    "ordinary": [[1, 0, 0, 2], [0, 1, 0, 1], [0, 0, 2, 1], [1, 0, 1, 0]],
    "overlap": [[1, 1, 0, 2], [0, 0, 1, 1], [2, 2, 0, 1], [1, 1, 1, 0]],
    "elimination": [[0, 1, 0, 2], [0, 1, 1, 1], [0, 0, 2, 1], [0, 0, 1, 0]],
    "linear dependence": [[1, 0, 1, 2], [0, 1, 1, 1], [2, 1, 3, 1], [0, 1, 1, 0]],
}
"""Weights (4 inputs, 4 units). The first two units are copies; the first has no weights; the third
is the sum of the first two."""


def directions(weights: Sequence[Sequence[float]], *, skip: bool = False) -> int:
    """In how many directions four ReLU units answer to 100 inputs: the rank of relu(x W).

    The inputs are positive. With a skip around the layer, of x + relu(x W). What is missing to 4
    are directions in which the next weights can be changed and nothing happens.
    """
    x = torch.rand(100, 4, generator=seeding.generator(0, "positive"), dtype=torch.float64)
    h = torch.relu(x @ torch.tensor(weights, dtype=torch.float64))
    return int(torch.linalg.matrix_rank(h + x if skip else h))
