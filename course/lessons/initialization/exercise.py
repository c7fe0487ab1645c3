"""Checks of notebook 05, initialization, depth and width."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from course.lessons.initialization import gaussian_means, mean_field
from course.selfcheck import check_function, show_source


def solve_he_(layer: nn.Linear) -> None:
    fan_in = layer.weight.shape[1]
    with torch.no_grad():
        layer.weight.normal_(0.0, math.sqrt(2 / fan_in))
        layer.bias.zero_()


def check_he(he_: Callable[[nn.Linear], Any]) -> None:
    """The function that the student builds: He's start for a layer of torch, in place."""
    name, (fan_in, fan_out) = "he_", (400, 900)
    layer = nn.Linear(fan_in, fan_out)
    before = layer.weight.detach().clone()
    result = he_(layer)
    if result is ...:
        print(f"{name}: not yet. Write your answer in place of the ... above, then run this again.")
        return
    weight = layer.weight.detach()
    variance, mean = weight.var().item(), weight.mean().item()
    slips = {
        2 / fan_out: "That is 2 over the units of the layer. Which axis holds the inputs?",
        (2 / fan_in) ** 2: "normal_ wants the deviation: take the root of 2 / fan_in.",
        1 / fan_in: "That is LeCun's. ReLU loses half.",
        2 / (fan_in + fan_out): "That is Glorot's.",
        2 / fan_in / 3: "A uniform law from -a to a has the variance a^2 / 3.",
    }
    if torch.equal(before, weight):
        print(f"{name}: the layer has its old weights. Change layer.weight itself, in place.")
    elif abs(mean) > 0.01:
        print(f"{name}: the weights have the mean {mean:.3f}. It should be 0.")
    elif abs(variance * fan_in / 2 - 1) > 0.05:
        hints = [words for wrong, words in slips.items() if abs(variance / wrong - 1) < 0.05]
        print(f"{name}: {variance * fan_in:.3g} / fan_in is not right yet. {' '.join(hints)}")
    elif layer.bias.detach().abs().max() > 0:
        print(f"{name}: right for the weights. The biases are still torch's: set them to 0.")
    else:
        _walk(he_)
        show_source(solve_he_, "A worked solution, to compare with yours")


def _walk(he_: Callable[[nn.Linear], Any]) -> None:
    """What is left of a signal after 20 layers, as they come and with the student's start."""
    sizes = []
    for start in (lambda layer: None, he_):
        h = torch.randn(500, 200, generator=torch.Generator().manual_seed(0))
        for _ in range(20):
            layer = nn.Linear(200, 200)
            start(layer)
            with torch.no_grad():
                h = torch.relu(layer(h))
        sizes.append((h - h.mean(0)).norm().item() / math.sqrt(h.numel()))
    print(
        "he_: right. After 20 ReLU layers of width 200 two inputs differ by "
        f"{sizes[1]:.1g}; with torch's own start by {sizes[0]:.0e}."
    )


def solve_critical_scale(q: float, z: Any, weights: Any) -> float:
    slope = 1 - np.tanh(np.sqrt(q) * z) ** 2
    return 1 / np.sqrt(np.sum(weights * slope**2))


def check_critical_scale(critical_scale: Callable[..., Any]) -> None:
    """The exercise: sigma_w on the line between order and chaos, by a sum over points."""
    z, weights = gaussian_means.normal_points()
    cases = [
        ((q, z, weights), float(mean_field.critical_line(q)[0])) for q in (0.0, 0.25, 1.0, 4.0)
    ]
    slips = [
        (lambda q, z, w: _slope(q, z) ** 2 @ w, "That is the mean square of the slopes."),
        (lambda q, z, w: 1 / (_slope(q, z) ** 2 @ w), "That is sigma_w squared: take the root."),
        (lambda q, z, w: 1 / (_slope(q, z) @ w), "Square the slopes before the mean."),
        (lambda q, z, w: 1 / np.sqrt(_slope(q**2, z) ** 2 @ w), "z times the root of q, not q."),
        (
            lambda q, z, w: 1 / np.sqrt(np.mean(_slope(q, z) ** 2)),
            "Weigh the points: sum of weights times values, not their plain mean.",
        ),
        (
            lambda q, z, w: (
                1 / np.sqrt(np.sum(w * np.tanh(np.sqrt(q) * z) ** 2)) if q else math.inf
            ),
            "Those are values of tanh. The slope is 1 - value squared.",
        ),
    ]
    check_function(
        "critical_scale", critical_scale, cases, mistakes=slips, solution=solve_critical_scale
    )


def _slope(q: float, z: Any) -> Any:
    return 1 - np.tanh(np.sqrt(q) * z) ** 2
