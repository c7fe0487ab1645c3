"""Checks of notebook 05, initialization, depth and width."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from course.lessons.initialization import gaussian_means, mean_field
from course.selfcheck import check_function


def solve_he_(layer: nn.Linear) -> None:
    fan_in = layer.weight.shape[1]
    with torch.no_grad():
        layer.weight.normal_(0.0, math.sqrt(2 / fan_in))
        layer.bias.zero_()


def _weights_of(he_: Callable[[nn.Linear], Any], fan_in: int, fan_out: int) -> Any:
    """What `he_` makes of a layer: fan_in times the variance; the mean in deviations, rounded.

    None if the layer is as before and nothing was returned: not written yet.
    """
    layer = nn.Linear(fan_in, fan_out)
    before = [part.detach().clone() for part in layer.parameters()]
    result = he_(layer)
    if (result is None or result is ...) and all(map(torch.equal, before, layer.parameters())):
        return None
    weight = layer.weight.detach()
    return fan_in * weight.var().item(), abs(round((weight.mean() / weight.std()).item(), 1))


def check_he(he_: Callable[[nn.Linear], Any]) -> None:
    """The function that the student builds: He's start for a layer of torch, in place."""
    laws: list[tuple[Callable[[int, int], float], str]] = [
        (lambda i, o: 1 / 3 / i, "Those are torch's own: change layer.weight itself, in place."),
        (lambda i, o: 2 / o, "That is 2 over the units of the layer. Which axis holds the inputs?"),
        (lambda i, o: (2 / i) ** 2, "normal_ wants the deviation: take the root of 2 / fan_in."),
        (lambda i, o: 1 / i, "That is LeCun's. ReLU loses half."),
        (lambda i, o: 2 / (i + o), "That is Glorot's."),
        (lambda i, o: 2 / i / 3, "A uniform law from -a to a has the variance a^2 / 3."),
    ]
    slips = [(_drawn_with(variance), words) for variance, words in laws]
    right = check_function(
        "he_", he_, [((400, 900), (2.0, 0.0)), ((900, 400), (2.0, 0.0))], tolerance=0.05,
        mistakes=slips, solution=solve_he_, trial=_weights_of,
        gives="sets (fan_in x variance, mean / deviation) to",
    )  # fmt: skip
    if not right:
        return
    layer = nn.Linear(400, 900)
    he_(layer)
    if layer.bias.detach().abs().max() > 0:
        print("The biases are still torch's: set them to 0.")
    else:
        _walk(he_)


def _drawn_with(variance: Callable[[int, int], float]) -> Callable[[nn.Linear], None]:
    """A start like `solve_he_`, with the variance(fan_in, fan_out) of another law."""

    def start(layer: nn.Linear) -> None:
        fan_out, fan_in = layer.weight.shape
        torch.nn.init.normal_(layer.weight, std=math.sqrt(variance(fan_in, fan_out)))

    return start


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
        "After 20 ReLU layers of width 200 two inputs differ by "
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
