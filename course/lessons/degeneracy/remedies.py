"""What makes up for a start of the wrong scale, or for a degenerate one: a rate, Adam, a start."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch

from course import training
from course.lessons.degeneracy import science
from course.networks.initializers import Law, orthogonal
from course.training import Optimizer

SICK: dict[str, str | Law] = {
    **{f"{gain} orthogonal": partial(orthogonal, gain=gain) for gain in (1.1, 0.9, 0.8, 0.5)},
    "Fold 0": "lecun_normal",
}
"""Starts that fail with SGD at a small rate: of a wrong scale, and degenerate."""

REMEDIES: dict[str, Optimizer] = {
    "SGD, 0.01": training.SGD(0.01, momentum=0.0),
    "SGD, 0.3": training.SGD(0.3, momentum=0.0),
    "SGD, 1": training.SGD(1.0, momentum=0.0),
    "Adam, 0.001": training.Adam(0.001),
}
"""What may help without another start."""


def side_by_side(
    starts: Mapping[str, str | Law], optimizer: Optimizer, *, first: int = 0, draws: int = 5
) -> dict[str, np.ndarray]:
    """Losses on held-out examples after 300 steps of 30 layers of width 32, (draws,) by start.

    All are trained as one network: each run has a seed of its own, from `first` on, so a task, too.
    """
    network = science.deep_linear("zero", seeds=range(first, first + draws * len(starts)))
    with torch.no_grad():
        for place, init in enumerate(starts.values()):
            rows = slice(place * draws, (place + 1) * draws)
            drawn = science.deep_linear(init, seeds=network.seeds[rows])
            for weight, own in zip(network.parameters(), drawn.parameters(), strict=True):
                weight[rows] = own
    end = science.curve(science.train(network, optimizer=optimizer, every=300))
    return dict(zip(starts, end.final.reshape(-1, draws), strict=True))
