"""Saturation under your hands: where units sit on the curve, and what is left of the gradient.

It moves in the page, by `explorer.js` and `hidden.js`; here are the same words, and a still
picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from course import measures
from course.lessons.sigmoid_saturation import pictures, science
from course.live import (
    BrowserPanel,
    Caption,
    Choice,
    Slider,
    count,
    describe,
    in_browser,
    number,
)
from course.networks import activations
from course.plots import style

KINDS = ("sigmoid", "tanh", "hard-tanh")


def explore(
    *, activation: str = "sigmoid", depth: int = 20, scale: float = 1.0, input_scale: float = 1.0
) -> BrowserPanel:
    """An untrained network on digits: the units of each layer on the curve, and its gradients.

    The arguments are the first values of the controls: activation one of `KINDS`, depth 1 to 100,
    scale (a factor on Glorot's weights) 0 to 20, input_scale 0.01 to 100. ValueError outside.
    """
    return in_browser(
        Path(__file__).with_name("explorer.js"), still, seed=0,
        activation=Choice(KINDS, activation, "activation", "the curve that every unit applies"),
        depth=Slider(1, 100, 1, depth, "depth L", "number of hidden layers"),
        scale=Slider(0.0, 20.0, 0.1, scale, "weight scale", "a factor on Glorot's weights"),
        input_scale=Slider(
            0.01, 100.0, 0.1, input_scale, "input scale", "a factor on the digits", log=True
        ),
    )  # fmt: skip


def still(
    activation: str, depth: int, scale: float, input_scale: float, seed: int
) -> tuple[Figure, Caption]:
    """The picture that does not move, and its words."""
    layers = measured(activation, depth, scale, input_scale, seed)
    z = torch.linspace(-pictures.EDGE, pictures.EDGE, 321, dtype=torch.float64)
    value, slope = activations.activation(activation)(z), activations.derivative(activation, z)
    fig, axes = style.figure(10.0, 5.6, nrows=2, ncols=2)
    panels = pictures.Saturation(fig, axes)
    panels.show_curve(z.numpy(), value.numpy(), slope.numpy(), measures.FLAT[activation])
    panels.show(
        layers.z.reshape(depth, -1),
        *(values[:, 0] for values in (layers.saturated, layers.gradient, layers.expected)),
    )
    text = words(activation, depth, scale, input_scale, layers)
    return fig, describe(text, gradient=layers.gradient[:, 0], seen=2)


def measured(
    activation: str, depth: int, scale: float, input_scale: float, seed: int
) -> science.HiddenLayers:
    """The layers that the explorer shows for these values of its controls."""
    network = science.network(activation, depth, scale=scale, seeds=[seed], dtype=torch.float64)
    return science.hidden_layers(network, scale=scale, input_scale=input_scale)


def words(
    activation: str, depth: int, scale: float, input_scale: float, layers: science.HiddenLayers
) -> str:
    """What the picture shows: settings, saturation, slopes, and the gradient at both ends."""
    ends = [1, depth] if depth > 1 else [1]
    saturated = [f"{layers.saturated[layer - 1, 0]:.0%}" for layer in ends]
    slopes = [f"{math.sqrt(np.mean(layers.slope[layer - 1] ** 2)):.3f}" for layer in ends]
    gradients = [_size(layers.gradient[layer - 1, 0]) for layer in ends]
    return "\n".join(
        [
            f"{activation}, {count(depth, 'hidden layer')}, weight scale {scale:.4g}, "
            f"input scale {input_scale:.3g}.",
            f"Saturated: {_at(ends, saturated, 'of')}. Typical slope: {_at(ends, slopes, 'in')}.",
            f"Gradient: {_at(ends[::-1], gradients[::-1], 'at')}. "
            + _factor(float(layers.growth[0])),
            _agreement(layers),
        ]
    )


def _at(layers: Sequence[int], said: Sequence[str], where: str) -> str:
    return ", ".join(
        f"{words} {where} layer {layer}" for layer, words in zip(layers, said, strict=True)
    )


def _size(value: float) -> str:
    return number(value, zero="exactly 0")


def _factor(factor: float) -> str:
    if not math.isfinite(factor):
        return "There is no factor per layer."
    return f"A factor of {number(factor, 3)} per layer."


def _agreement(layers: science.HiddenLayers) -> str:
    measured, expected = layers.gradient[0, 0], layers.expected[0, 0]
    if not (measured > 0 and expected > 0):
        return "From the slopes alone: nothing to compare."
    return f"From the slopes alone: {_size(expected)} at layer 1."
