"""Two starts without a norm: SELU, which comes back to one size, and looks-linear, which keeps it.

SELU (Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks", 2017) has a
fixed point: units with mean 0 and variance 1 give such units again. Looks-linear weights
(`initializers.mirrored`) make a ReLU network linear in its input, and of orthogonal matrices.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from course import measures, networks, seeding, training
from course.arguments import one_of, real, whole
from course.data import Dataset
from course.lessons.initialization import gaussian_means
from course.networks import activations, initializers, one_thread

Array = NDArray[np.float64]
MAPS = ("Gaussian", "orthogonal", "looks-linear")


@dataclass(frozen=True)
class Moments:
    """Mean and variance over units and examples at layers 0 (the input) ... L; (L + 1,) or with R
    draws (L + 1, R)."""

    mean: Array
    variance: Array


def expected_moments(
    activation: str, depth: int, *, gain: float = 1.0, mean: float = 0.0, deviation: float = 1.0
) -> Moments:
    """Moments in infinite width, with weights N(0, gain^2 / n): only the size of a layer matters.

    With r_l the root mean square of layer l, the units of the next see gain r_l z, z standard
    normal, and so return f(gain r_l z).
    """
    scale, means = real("gain", gain, least=0), [real("mean", mean)]
    deviations = [real("deviation", deviation, least=0)]
    for _ in range(whole("depth", depth, least=1)):
        size = scale * math.hypot(means[-1], deviations[-1]) if scale else 0.0
        units = gaussian_means.mean_and_deviation(activation, size)
        means.append(float(units[0]))
        deviations.append(float(units[1]))
    with np.errstate(over="ignore", under="ignore"):
        return Moments(np.array(means), np.square(deviations))


def measured_moments(
    activation: str,
    depth: int,
    *,
    gain: float = 1.0,
    mean: float = 0.0,
    deviation: float = 1.0,
    width: int = 100,
    examples: int = 100,
    seeds: Sequence[int] = (0, 1, 2),
) -> Moments:
    """The same in random networks of finite width, one for each seed, on Gaussian inputs."""
    f = activations.activation(activation)
    rows = []
    for seed in seeds:
        stream = seeding.generator(seed, "inputs")
        h = torch.randn(examples, width, generator=stream, dtype=torch.float64)
        h = mean + deviation * h
        moments = [(h.mean().item(), h.var(correction=0).item())]
        for layer in range(1, whole("depth", depth, least=1) + 1):
            weights = _weights(width, layer, seed)
            h = f(gain * (h @ weights))
            moments.append((h.mean().item(), h.var(correction=0).item()))
        rows.append(moments)
    values = np.array(rows)  # (R, L + 1, 2)
    return Moments(values[:, :, 0].T, values[:, :, 1].T)


@lru_cache(maxsize=300)  # 24 MB
def _weights(width: int, layer: int, seed: int) -> Tensor:
    return initializers.lecun_normal(width, width, seeding.generator(seed, f"layer {layer}"))


@dataclass(frozen=True)
class LayerMap:
    """A whole network at its start, `layers` matrices w V_1, ..., w V_n with ReLU in between.

    sizes (n + 1, R): |h_k| / |x| for k = 0 (the input) ... n (the output). singular (m, R): those
    values of the derivative of the output by the input, largest first.
    """

    sizes: Array
    singular: Array


def whole_map(
    kind: str, weight: float, layers: int, *, units: int = 32, seeds: Sequence[int] = (0, 1, 2)
) -> LayerMap:
    """The map from `units` numbers over `layers` - 1 hidden layers with 2 units each to `units`.

    kind: "looks-linear", mirrored orthogonal matrices times `weight`; "orthogonal", orthogonal ones
    times weight sqrt(2), so that after ReLU sizes change by `weight` per layer on average, too;
    "Gaussian", entries of the same variance as those, but independent. No norm, no biases, float64.
    """
    one_of("kind", kind, MAPS)
    size, hidden = real("weight", weight, least=0), whole("layers", layers, least=2) - 1
    names = [*(f"layer {k}" for k in range(hidden)), "head"]
    fans = itertools.pairwise([units, *[2 * units] * hidden, units])
    stream = seeding.generator(seeds[0], "inputs")
    h = torch.randn(1, units, generator=stream, dtype=torch.float64)
    h, slopes = h.expand(len(seeds), 1, units), torch.eye(units, dtype=torch.float64)
    lengths = [h.norm(dim=(1, 2))]
    with one_thread():
        for name, ends in zip(names, fans, strict=True):
            matrix = size * torch.cat([_matrix(kind, name, ends, seed) for seed in seeds])
            h, slopes = h @ matrix, slopes @ matrix
            if name != "head":  # ReLU, and its slope: 1 or 0
                slopes = slopes * (h > 0)
                h = h.relu()
            lengths.append(h.norm(dim=(1, 2)))
        singular = torch.linalg.svdvals(slopes)
    return LayerMap((torch.stack(lengths) / lengths[0]).numpy(), singular.numpy().T)


@lru_cache(maxsize=400)  # 13 MB
def _matrix(kind: str, name: str, ends: tuple[int, int], seed: int) -> Tensor:
    """The weights of the layer called so where w = 1, as in `networks.build`: (1, *ends)."""
    law: Any = {"orthogonal": initializers.orthogonal, "Gaussian": gaussian}.get(kind)
    if law is None:  # looks-linear
        edges = {"layer 0": initializers.mirrored_first, "head": initializers.mirrored_last}
        law = edges.get(name, initializers.mirrored)
    else:
        law = partial(law, gain=2**0.5)
    return initializers.replicate(law, *ends, seeding.generators([seed], name))


def gaussian(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """W_ij ~ N(0, gain^2 / max(fan_in, fan_out)), as the entries of gain Q, Q orthogonal, have."""
    wider = (fan_in / max(fan_in, fan_out)) ** 0.5
    return initializers.lecun_normal(fan_in, fan_out, generator, gain=gain * wider)


def losses_by_rate(
    examples: Dataset,
    rates: Sequence[float],
    *,
    depth: int,
    branch: float,
    steps: int = 60,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
) -> Array:
    """Training loss (N, R) of a residual ReLU network without a norm after `steps`, for N rates.

    Blocks h + branch F(h), F(h) = relu(h) W + b, He's weights, width 32, batches of 100, SGD with
    momentum 0.9 at a constant rate. What has exploded is nan or infinite.
    """
    losses = []
    for rate in rates:
        net = networks.build(
            "resnet", like=examples, width=32, depth=depth, seeds=seeds, norm=None, branch=branch,
            init="he_normal",
        )  # fmt: skip
        *_, last = training.fit(
            net, examples, steps=steps, batch=100, optimizer=training.SGD(rate, 0.9),
            evaluate_every=steps, record_every=steps,
        )  # fmt: skip
        losses.append(last.train_loss)
    return np.array(losses, dtype=float)


def growth_of_stream(
    examples: Dataset, *, depth: int, branch: float, seeds: Sequence[int] = range(10)
) -> Array:
    """Mean square after the last block over that after the stem, at the start, (R,)."""
    net = networks.build(
        "resnet", like=examples, width=100, depth=depth, seeds=seeds, norm=None, branch=branch,
        init="he_normal", bias=0.0, dtype=torch.float64,
    )  # fmt: skip
    signals = measures.one_pass(
        net, examples.x_train[:100].double(), layers=["stem", *measures.block_names(net)]
    )
    squares = signals.measure(lambda h: h.square().mean((1, 2)), [0, depth])
    return np.asarray(squares[1] / squares[0])
