"""The matrices of a deep linear network, without the network: a slider cannot wait for that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from course import seeding
from course.lessons.degeneracy import science
from course.networks import Network
from course.networks.draws import Draw, factors, gaussians
from course.networks.initializers import mixture


def first(
    *, fold: int, orthogonality: float, scale: float, depth: int, width: int, seeds: Sequence[int]
) -> Tensor:
    """The weights of `science.deep_linear` with this `science.start`, (L, R, n, n), float32.

    To draw all layers at once takes a tenth of the time.
    """
    names = [*(f"layer {number}" for number in range(depth - 1)), "head"]
    draw = factors if orthogonality else gaussians
    layers = [_drawn(draw, name, width, tuple(seeds)) for name in names]
    drawn = tuple(torch.stack(part) for part in zip(*layers, strict=True))
    weights = mixture(drawn, orthogonality, scale)[..., : width // 2**fold, :]
    return weights.repeat(1, 1, 2**fold, 1).float()


@lru_cache(maxsize=256)
def _drawn(draw: Draw, layer: str, width: int, seeds: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Draws for a layer, one for each seed: (R, n, n), and what else belongs to them."""
    each = [draw(width, width, stream) for stream in seeding.generators(seeds, layer)]
    return tuple(torch.stack(part) for part in zip(*each, strict=True))


def network_of(weights: Sequence[Tensor] | Tensor, seeds: Sequence[int]) -> Network:
    """A deep linear network of these: (L, R, n, n), or (L, n, n), the same for all seeds."""
    made = science.deep_linear("zero", depth=len(weights), width=weights[0].shape[-1], seeds=seeds)
    with torch.no_grad():
        for weight, matrix in zip(made.parameters(), weights, strict=True):
            weight.copy_(matrix)
    return made
