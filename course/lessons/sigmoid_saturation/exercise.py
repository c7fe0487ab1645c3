"""Checks of notebook 03, sigmoid saturation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from course.lessons.sigmoid_saturation import science
from course.selfcheck import check_function, check_range


def solve_back(g: Any, z: Any, W: Any) -> Any:
    value = 1 / (1 + np.exp(-z))
    return (g * value * (1 - value)) @ W.T


def check_back(sigmoid_slope: Callable[..., Any], back: Callable[..., Any]) -> None:
    """The slope of a sigmoid and the way back through a layer; then through 20 layers."""
    points = np.linspace(-6.0, 6.0, 7).reshape(7, 1)
    slips: list[tuple[Callable[..., Any], str]] = [
        (_sigmoid, "That is the value. The slope is value (1 - value)."),
        (lambda z: _sigmoid(z) * (1 - z), "The slope is value times (1 - value), not (1 - z)."),
        (lambda z: 1 - np.tanh(z) ** 2, "That is the slope of tanh."),
    ]
    slope = check_function(
        "sigmoid_slope", sigmoid_slope, [((points,), _slope(points)), ((0.0,), 0.25)],
        mistakes=slips, solution=solve_slope,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    g, z, W = (rng.standard_normal(shape) for shape in ((2, 3), (2, 3), (4, 3)))
    wrong: list[tuple[Callable[..., Any], str]] = [
        (lambda g, z, W: g @ W.T, "The slopes of the units are missing."),
        (lambda g, z, W: (g @ W.T) * 1.0, "The slopes of the units are missing."),
        (lambda g, z, W: (g * _sigmoid(z)) @ W.T, "Those are values of the sigmoid, not slopes."),
        (lambda g, z, W: g * _slope(z), "Now the weights: the product with W turned round, W.T."),
    ]
    cases = [((g, z, W), (g * _slope(z)) @ W.T), ((g[:1], 9 * z[:1], W), _way(g[:1], 9 * z[:1], W))]
    if check_function("back", back, cases, mistakes=wrong, solution=solve_back) and slope:
        _compare_with_autograd(back)


def solve_slope(z: Any) -> Any:
    value = 1 / (1 + np.exp(-z))
    return value * (1 - value)


def _way(g: Any, z: Any, W: Any) -> Any:
    return (g * _slope(z)) @ W.T


def _compare_with_autograd(back: Callable[..., Any]) -> None:
    """Send a gradient of ones through 20 layers of the lesson's network, by both."""
    network = science.network("sigmoid", 20, seeds=[0], dtype=torch.float64)
    first = torch.rand(5, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    h, sums = first.requires_grad_(), []
    for layer in science.linears(network):
        sums.append(h @ layer.weight[0] + layer.bias[0])
        h = torch.sigmoid(sums[-1])
    (expected,) = torch.autograd.grad(h.sum(), first)
    g: Any = np.ones(h.shape)
    for layer, z in zip(reversed(science.linears(network)), reversed(sums), strict=True):
        g = back(g, z.detach().numpy(), layer.weight[0].detach().numpy())
    error = np.abs(g - expected.numpy()).max() / np.abs(expected.numpy()).max()
    print(f"20 layers, your way and autograd's: they differ by {error:.0e} of the gradient.")


def check_mended(scale: Any, bias: Any) -> None:
    """The exercise: first weights and biases with which ten sigmoid layers learn."""
    scale_fits = check_range("mended_scale", scale, 0, 100)
    if not check_range("mended_bias", bias, -100, 100) or not scale_fits:
        return
    network = science.network("sigmoid", 10, scale=scale, bias=bias)
    layers = science.hidden_layers(network, scale=scale)
    growth, saturated = layers.growth.mean(), layers.saturated[1:].mean()
    learned = science.accuracy(network).mean()
    print(
        f"Before training: {saturated:.0%} of the units saturated, a gradient takes the factor "
        f"{growth:.2g} a layer. After it: {learned:.0%} of the digits right."
    )
    if learned > 0.9:
        print("mended: right. It learns.")
    elif saturated > 0.5:
        print("Not mended yet: most units sit at an end of the curve. What puts them there?")
    elif growth < 0.6:
        print("Not mended yet: a layer passes on too little. What makes up for slopes below 1/4?")
    else:
        print("Not mended yet. Try weights a few times as large as Glorot's, units around 0.")


def _sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z)), elementwise, for every finite z."""
    small = np.exp(-np.abs(z))  # never overflows
    return np.where(np.asarray(z) < 0, small, 1.0) / (1 + small)


def _slope(z: Any) -> Any:
    return _sigmoid(z) * _sigmoid(-z)
