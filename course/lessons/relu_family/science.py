"""ReLU networks on digits: units that are off or dead, ranks, and the angle of two inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from course import data, measures
from course.arguments import whole
from course.lessons.sigmoid_saturation.science import linears
from course.networks import Network


@dataclass(frozen=True)
class Units:
    """The units of the hidden layers 1 ... L on the first digits, all (L, R), when asked for.

    See `measures`. inputs: z of each layer, (R, B, n); signals: what the layers return.
    """

    inputs: list[Tensor]
    signals: measures.Signals

    @cached_property
    def off(self) -> np.ndarray:
        """Share of (example, unit) pairs with z <= 0."""
        return np.stack([(z <= 0).double().mean((1, 2)).numpy() for z in self.inputs])

    @cached_property
    def dead(self) -> np.ndarray:
        """Share of units that are 0 for every example."""
        return self.signals.measure(measures.dead)

    @cached_property
    def rank(self) -> np.ndarray:
        """Effective rank of the outputs."""
        return self.signals.measure(measures.effective_rank)

    @property
    def cosine(self) -> np.ndarray:
        """Cosine of two outputs, the mean over pairs of examples."""
        return self.signals.cosine


def units(network: Network, *, examples: int = 256, layers: Sequence[int] | None = None) -> Units:
    """The units of a network of this module, as it is, trained or not.

    layers: of 1 ... L, as the rows of what is measured; all of them if None.
    """
    x, chosen = data.digits().x_train[:examples], layers or range(1, len(network.blocks) + 1)
    with measures.outputs_of(linears(network)) as inputs:
        signals = measures.one_pass(network, x, layers=[f"block {layer}" for layer in chosen])
    return Units([inputs[layer - 1].detach() for layer in chosen], signals)


def sums(network: Network, *, layer: int, examples: int = 256) -> np.ndarray:
    """z of one hidden layer on the first digits, (R, B, n); layer: 1 ... L."""
    x = data.digits().x_train[:examples]
    with torch.no_grad(), measures.outputs_of(linears(network)) as inputs:
        network(x)
    return inputs[whole("layer", layer, least=1, most=len(inputs)) - 1].numpy()


def outputs(network: Network, *, layers: Sequence[int], examples: int = 256) -> dict[int, Tensor]:
    """{layer: h of the network's first replica on the first digits, (B, n)}; layers: of 1 ... L."""
    x, names = data.digits().x_train[:examples], [f"block {layer}" for layer in layers]
    signals = measures.one_pass(network, x, layers=names)
    return {layer: h[0].detach() for layer, h in zip(layers, signals.outputs, strict=True)}


def expected_cosine(depth: int, *, examples: int = 256) -> np.ndarray:
    """Mean of `cosine_map`, l times over, over pairs of digits: after layers l = 1 ... L, (L,)."""
    rows = torch.nn.functional.normalize(data.digits().x_train[:examples].double(), dim=1)
    pairs = torch.triu_indices(examples, examples, offset=1)
    cosine = (rows @ rows.T)[pairs[0], pairs[1]].numpy()
    means = []
    for _ in range(whole("depth", depth, least=1)):
        cosine = cosine_map(cosine)
        means.append(cosine.mean())
    return np.array(means)


def cosine_map(cosine: ArrayLike) -> np.ndarray:
    """The cosine of two signals after a ReLU layer from the one before, any shape.

    In infinite width, with Gaussian weights and no biases: two inputs at the angle t leave with
    the cosine (sin t + (pi - t) cos t) / pi. That is 2 E relu(u) relu(v) for standard normal u, v
    of the correlation cos t. It is above cos t everywhere but at its fixed point, 1. Cho and Saul,
    "Kernel methods for deep learning" (2009), eq. 6. What rounding left outside -1 to 1 is clipped.
    """
    c = np.clip(cosine, -1.0, 1.0)
    angle = np.arccos(c)
    return np.maximum((np.sin(angle) + (math.pi - angle) * c) / math.pi, 0.0)
