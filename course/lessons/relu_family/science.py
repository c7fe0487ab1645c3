"""ReLU networks on digits: units that are off or dead, ranks, and the angle of two inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from course import data, measures
from course.arguments import whole
from course.lessons.sigmoid_saturation.science import linears
from course.networks import Network


@dataclass(frozen=True)
class Units:
    """The units of the hidden layers 1 ... L on the first digits, all (L, R). See `measures`.

    off: share of (example, unit) pairs with z <= 0. dead: share of units that are 0 for every
    example. rank: effective rank of the outputs. cosine: the mean over pairs of examples.
    """

    off: np.ndarray
    dead: np.ndarray
    rank: np.ndarray
    cosine: np.ndarray


def units(network: Network, *, examples: int = 256) -> Units:
    """Measure the units of a network of this module, as it is, trained or not."""
    x, blocks = data.digits().x_train[:examples], measures.block_names(network)
    with measures.outputs_of(linears(network)) as inputs:
        signals = measures.one_pass(network, x, layers=blocks)
    return Units(
        np.stack([(z <= 0).double().mean((1, 2)).numpy() for z in inputs]),
        signals.measure(measures.dead),
        signals.measure(measures.effective_rank),
        signals.cosine,
    )


def expected_cosine(depth: int, *, examples: int = 256) -> np.ndarray:
    """Mean cosine over pairs of digits after each of `depth` ReLU layers, in infinite width, (L,).

    Gaussian weights, no bias: two inputs at the angle t leave a layer with the cosine
    (sin t + (pi - t) cos t) / pi. Cho and Saul, "Kernel methods for deep learning" (2009), eq. 6.
    """
    rows = torch.nn.functional.normalize(data.digits().x_train[:examples].double(), dim=1)
    pairs = torch.triu_indices(examples, examples, offset=1)
    cosine = (rows @ rows.T)[pairs[0], pairs[1]]
    means = []
    for _ in range(whole("depth", depth, least=1)):
        angle = cosine.clamp(-1, 1).arccos()
        cosine = (angle.sin() + (math.pi - angle) * angle.cos()) / math.pi
        means.append(cosine.mean().item())
    return np.array(means)


def cosine_map(cosine: np.ndarray | float) -> np.ndarray:
    """The cosine of two signals after a wide ReLU layer, from the one before.

    (sqrt(1 - c^2) + c (pi - arccos c)) / pi: Cho and Saul, "Kernel methods for deep learning"
    (2009), the kernel of degree 1. It is above c everywhere but at its fixed point 1.
    """
    c = np.clip(cosine, -1.0, 1.0)
    return (np.sqrt(1 - c**2) + c * (math.pi - np.arccos(c))) / math.pi
