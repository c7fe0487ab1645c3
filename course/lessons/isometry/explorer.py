"""Isometry under your hands: the Jacobian of a deep network at its start."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from torch import Tensor

from course.lessons.initialization import mean_field
from course.lessons.isometry import pictures, science
from course.lessons.products.explorer import size_in_words
from course.lessons.products.science import along
from course.live import Caption, Choice, LivePanel, Slider, live, number
from course.plots import style

UNITS = 64
ACTIVATIONS = {
    "none (linear)": "identity", "tanh": "tanh", "hard-tanh": "hard-tanh", "ReLU": "relu",
}  # fmt: skip
DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80, 100)


def jacobian(
    *,
    depth: int = 30,
    activation: str = "relu",
    weights: str = "orthogonal",
    length: float = 0.1,
    scale: float = 1.0,
) -> LivePanel:
    """Singular values of a network's Jacobian at the start, 64 units wide, middle of 3 draws.

    The arguments are the first values of the controls: depth 1 to 100, activation one of
    `science.ACTIVATIONS`, weights "orthogonal" or "Gaussian", length (q*) 0.001 to 10, scale 0.5
    to 1.5 (1: critical). Raises ValueError outside.
    """
    fig, axes = style.figure(10.0, 4.2, ncols=2)
    picture = pictures.JacobianPicture(fig, axes)
    depths = np.array(DEPTHS)
    wide, ones = np.resize([-200.0, 200.0], UNITS), np.ones(len(DEPTHS))
    style.hold(fig, lambda: picture.show(wide, depths, ones, ones, 1, 1.0))

    each_layer = lru_cache(64)(science.spread_per_layer)

    @lru_cache(4)
    def draws(seed: int, weights: str) -> list[tuple[Tensor, Tensor]]:
        return science.draws(weights, depth=100, width=UNITS, seeds=_seeds(seed))

    @lru_cache(12)
    def layers(activation: str, weights: str, length: float, scale: float, seed: int) -> tuple:
        sigma_w, sigma_b = map(float, mean_field.critical_line(length, activation))
        x = science.start(activation, length, width=UNITS, seeds=_seeds(seed))
        sigmas = scale * sigma_w, sigma_b
        jacobians = science.drawn_jacobians(draws(seed, weights), activation, sigmas, x)
        spreads = np.median(science.spreads(jacobians, DEPTHS), axis=1)
        return jacobians, spreads, each_layer(activation, length, weights), sigmas

    def draw(
        depth: int, activation: str, weights: str, length: float, scale: float, seed: int
    ) -> Caption:
        jacobians, spreads, each, sigmas = layers(activation, weights, length, scale, seed)
        product = along(jacobians, [depth])
        log10 = np.where(product.floor, -math.inf, product.log10)[0]
        middle = np.sort(np.median(log10, axis=0))[::-1]
        now = float(np.median(science.spread(product)))
        picture.show(middle, depths, spreads, each * depths, depth, now)
        head = (
            f"{activation}, {weights} weights, q* = {length:.3g}: sigma_w = {sigmas[0]:.4f}, "
            f"sigma_b = {sigmas[1]:.4f}. Depth {depth}."
        )
        return Caption(f"{head}\n{_jacobian_words(middle, now, each * depth)}", seen=1)

    return live(
        fig, draw, ahead=layers, seed=0,
        depth=Slider(1, 100, 1, depth, "depth", "number of layers"),
        activation=Choice(ACTIVATIONS, activation, "activation", "what each unit does"),
        weights=Choice(tuple(science.WEIGHTS), weights, "weights", "how drawn"),
        length=Slider(0.001, 10.0, 0.25, length, "signal q*", "mean square of a unit's input",
                       log=True),
        scale=Slider(0.5, 1.5, 0.05, scale, "scale", "a factor on the critical weights"),
    )  # fmt: skip


def _seeds(seed: int) -> range:
    return range(3 * seed, 3 * (seed + 1))


def _jacobian_words(logs: np.ndarray, now: float, expected: float) -> str:
    dead = int((logs == -math.inf).sum())
    least = (
        f"at least {dead} of {len(logs)} are lost"
        if dead
        else f"smallest {size_in_words(logs[-1])}"
    )
    return (
        f"Singular values: largest {size_in_words(logs[0])}, {least}.\n"
        f"Spread {_spread(now)}; closed form, for a wide critical network: {_spread(expected)}."
    )


def _spread(value: float) -> str:
    return number(value if value > 1e-9 else 0.0)  # what is left of an isometry is rounding
