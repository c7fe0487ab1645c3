"""A network to be mended: thirty matrices, a few of which let half of the directions fall.

All have singular values of the same mean square, so no norm of a matrix gives the sick ones away.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from course import seeding
from course.lessons.degeneracy import science
from course.lessons.degeneracy.matrices import network_of
from course.networks.initializers import folded, orthogonal

WIDTH, DEPTH = 32, 30
SICK = (4, 13, 21, 26)
"""The layers, 1 to 30, whose rows come in pairs."""


def patient(seed: int = 0) -> list[Tensor]:
    """The matrices W_1 ... W_30, each (32, 32), float32. Most are orthogonal, some are not."""
    matrices = []
    for layer in range(1, DEPTH + 1):
        stream = seeding.generator(seed, f"patient {layer}")
        if layer in SICK:
            order = torch.randperm(WIDTH, generator=stream)
            drawn = folded(WIDTH, WIDTH, stream, base=orthogonal)[order]
        else:
            drawn = orthogonal(WIDTH, WIDTH, stream)
        matrices.append(drawn.float())
    return matrices


def loss_after_training(
    matrices: Sequence[Tensor], *, seeds: Sequence[int] = range(5)
) -> np.ndarray:
    """The final loss (R,) of a network that starts with these matrices: 300 steps of Adam, 0.001.

    The runs start alike and differ in what they have to learn, and in their batches.
    """
    return science.curve(science.train(network_of(matrices, seeds), every=300)).final


@cache
def loss_of_the_patient() -> float:
    """The mean loss of `patient` after training, as it is."""
    return float(loss_after_training(patient()).mean())
