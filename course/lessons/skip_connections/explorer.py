"""Skip connections under your hands: scale the skip, scale the branch, and see what arrives."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from torch import Tensor

from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.lessons.skip_connections import pictures, science
from course.live import Caption, LivePanel, Slider, count, describe, live, number
from course.networks import Network
from course.plots import style

RUNS, SAMPLES = 3, 128


def explore(
    examples: Dataset, *, depth: int = 30, skip: float = 0.9, branch: float = 1.0
) -> LivePanel:
    """h -> skip h + branch F(h), block by block, before any training; F is BN-ReLU-Linear.

    The arguments are the first values of the controls: depth 1 to 100, skip 0 to 1.2, branch 0 to
    2. Raises ValueError outside.
    """
    fig, axes = style.figure(11.0, 3.8, ncols=3)
    panels = pictures.Passage(fig, axes, examples.outputs)
    wide, ends = np.array([1e-40, 1e9]), np.array([0, 100])
    style.hold(fig, lambda: panels.show(wide, wide, wide, ends, np.ones((2, 1))))

    @lru_cache(maxsize=4)
    def drawn_network(depth: int, seed: int) -> tuple[Network, list[Tensor]]:
        """A network, and what the branch multiplies as it was drawn."""
        seeds = range(RUNS * seed, RUNS * (seed + 1))
        net = science.scaled(examples, 1.0, depth=depth, seeds=seeds)
        return net, [parameter.detach().clone() for parameter in science.branches(net)]

    @lru_cache(maxsize=64)
    def measured(depth: int, skip: float, branch: float, seed: int) -> tuple[np.ndarray, ...]:
        """Kept and gradients (L,), medians over runs; places (P,) and neighbours (P, R)."""
        net, drawn = drawn_network(depth, seed)
        science.rescale(net, drawn, skip, branch)
        signals = degradation.one_pass(net, examples, samples=SAMPLES)
        both = (science.kept_of(signals), signals.gradient_norms)
        kept, gradients = (np.median(values, axis=1)[1:] for values in both)
        return kept, gradients, *degradation.neighbours(signals, examples, places=5)

    def draw(depth: int, skip: float, branch: float, seed: int) -> Caption:
        kept, gradients, places, neighbours = measured(depth, skip, branch, seed)
        form = skip ** np.arange(1.0, depth + 1)
        panels.show(kept, form, gradients, places, neighbours)
        near = 100 * neighbours.mean(1)
        text = "\n".join(
            [
                f"skip s = {skip:g}, branch b = {branch:g}, {count(depth, 'block')}. Untrained, "
                f"{RUNS} runs.",
                f"Of the first signal, s^L = {number(form[-1])} should arrive by the skips; "
                f"measured: {number(kept[-1])}.",
                f"Gradient: {number(gradients[0])} at the first block, "
                f"{number(gradients[-1])} at the last.",
                f"Nearest neighbour of the same class: {near[0]:.0f} % after the stem, "
                f"{near[-1]:.0f} % after the last block.",
            ]
        )
        return describe(text, signal=kept, gradient=gradients, seen=1)

    return live(
        fig, draw, ahead=measured, seed=0,
        depth=Slider(1, 100, 1, depth, "depth L", "number of hidden blocks"),
        skip=Slider(0.0, 1.2, 0.05, skip, "skip s", "the factor of every skip connection"),
        branch=Slider(0.0, 2.0, 0.1, branch, "branch b", "the factor of every residual function"),
    )  # fmt: skip
