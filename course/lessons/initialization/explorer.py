"""The first weights under your hands: their scale against depth, and order against chaos."""

from __future__ import annotations

import math
from functools import lru_cache

import ipywidgets
import numpy as np

from course.arguments import one_of, reject
from course.lessons.initialization import angles, depth_width, mean_field, pictures
from course.live import Control, LivePanel, LiveRun, live, live_run
from course.plots import style
from course.plots.growing import GrowingCurves

KINDS = ("identity", "relu", "tanh")
WIDTHS = (10, 30, 100)
SCALES = np.linspace(0.0, 3.0, 31)
LARGEST = (3.0, 1.0)
"""Of sigma_w and of sigma_b."""


@lru_cache(maxsize=8)
def _map(activation: str, depth: int, width: int, seed: int) -> mean_field.Sizes:
    return mean_field.measured(activation, SCALES, depth, width=width, seed=seed)


@lru_cache(maxsize=8)
def _theory(activation: str, depth: int) -> mean_field.Sizes:
    return mean_field.expected(activation, SCALES, depth)


def explore(
    *, activation: str = "relu", scale: float = 1.0, depth: int = 50, width: int = 100
) -> LivePanel:
    """Sizes of a signal and of its gradient by weight scale and layer, measured and in theory.

    Weights are N(0, scale^2 / width). The arguments are the first values of the controls:
    activation one of `KINDS`, scale 0 to 3, depth 1 to 100, width one of `WIDTHS`. ValueError else.
    """
    one_of("activation", activation, KINDS)
    if width not in WIDTHS:
        raise reject("width", width, f"one of {', '.join(map(str, WIDTHS))}")
    fig, axes = style.figure(11.0, 4.6, ncols=3)
    panels = pictures.Sizes(fig, axes, SCALES)

    def draw(activation: str, scale: float, depth: int, width: int, seed: int) -> str:
        scale = round(scale, 4)
        whole, theory = _map(activation, depth, width, seed), _theory(activation, depth)
        panels.show_maps(
            (whole.forward[:, 1:], whole.backward[:, 1:]),
            (theory.forward[:, 1:], theory.backward[:, 1:]),
        )
        found = mean_field.measured(activation, [scale], depth, width=width, seed=seed)
        wanted = mean_field.expected(activation, [scale], depth)
        panels.show_scale(
            scale,
            (
                found.forward[0, 1:], wanted.forward[0, 1:],
                found.backward[0, 1:], wanted.backward[0, 1:],
            ),
        )  # fmt: skip
        return size_words(activation, scale, depth, width, found, wanted)

    layout = {"width": "440px"}
    return live(
        fig, draw, seed=0,
        activation=ipywidgets.Dropdown(
            options=KINDS, value=activation, description="activation",
            tooltip="what every unit applies; identity makes a linear network", layout=layout,
        ),
        scale=Control(0.0, 3.0, 0.01, scale, "weight scale", "a factor on weights N(0, 1/n)"),
        depth=Control(1, 100, 1, depth, "depth L", "number of layers"),
        width=ipywidgets.Dropdown(
            options=WIDTHS, value=width, description="width n",
            tooltip="units in every layer; theory is exact in the limit", layout=layout,
        ),
    )  # fmt: skip


def size_words(
    activation: str, scale: float, depth: int, width: int,
    found: mean_field.Sizes, wanted: mean_field.Sizes,
) -> str:  # fmt: skip
    """What the picture shows at the scale chosen: both ends, measured and in theory."""
    layers = f"{depth} layer{'s' * (depth > 1)} of width {width}"
    return "\n".join(
        [
            f"{activation}, weight scale {scale:.3g}, {layers}.",
            f"Signal: size {_short(found.forward[0, -1])} at layer {depth}, "
            f"theory {_short(wanted.forward[0, -1])}. {_verdict(found.forward[0, -1])}",
            f"Gradient: size {_short(found.backward[0, 1])} at layer 1, "
            f"theory {_short(wanted.backward[0, 1])}. {_verdict(found.backward[0, 1])}",
        ]
    )


def _short(value: float) -> str:
    if value == 0:
        return "exactly 0"
    return f"{value:.2g}" if math.isfinite(value) else "not finite"


def _verdict(size: float) -> str:
    if size < 0.1:
        return "It vanishes."
    return "It explodes." if size > 10 else "It stays within a factor of 10."


def explore_phases(
    *, sigma_w: float = 2.5, sigma_b: float = 0.05, cosine: float = 0.6, depth: int = 50
) -> LivePanel:
    """Order and chaos of random tanh layers: where you are, and what becomes of two inputs.

    The arguments are the first values of the controls: sigma_w 0 to 3, sigma_b 0 to 1, cosine (of
    the two inputs) 0 to 0.99, depth 1 to 100. ValueError outside.
    """
    fig, axes = style.figure(10.0, 4.2, ncols=2, width_ratios=(1, 1.4))
    line = mean_field.critical_line(np.linspace(0.0, 3.0, 121) ** 2)
    panels = pictures.Phases(fig, axes, line, angles.PAIRS, LARGEST)

    def draw(sigma_w: float, sigma_b: float, cosine: float, depth: int, seed: int) -> str:
        sigma_w, sigma_b, cosine = (round(value, 4) for value in (sigma_w, sigma_b, cosine))
        lengths, theory = angles.expected(sigma_w, sigma_b, cosine, depth)
        found = angles.measured(sigma_w, sigma_b, cosine, depth, seed=seed)
        panels.show(sigma_w, sigma_b, found, theory)
        return phase_words(sigma_w, sigma_b, found[:, -1], float(theory[-1]), float(lengths[-1]))

    return live(
        fig, draw, seed=0,
        sigma_w=Control(0.0, LARGEST[0], 0.05, sigma_w, "sigma_w", "weights: N(0, sigma_w²/n)"),
        sigma_b=Control(0.0, LARGEST[1], 0.05, sigma_b, "sigma_b", "biases: N(0, sigma_b²)"),
        cosine=Control(0.0, 0.99, 0.01, cosine, "first cosine", "of the two inputs"),
        depth=Control(1, 100, 1, depth, "depth L", "number of layers"),
    )  # fmt: skip


def phase_words(
    sigma_w: float, sigma_b: float, found: np.ndarray, theory: float, length: float
) -> str:
    """What the picture shows: the phase, chi, and the cosine at the last layer."""
    chi = mean_field.chi(sigma_w, sigma_b)
    phase = "On the line" if abs(chi - 1) < 1e-9 else "Order" if chi < 1 else "Chaos"
    scale = ""
    if chi > 0 and phase != "On the line":
        change = "shrink" if chi < 1 else "grow"
        scale = (
            f" Small differences {change} by a factor of e in {2 / abs(math.log(chi)):.1f} layers."
        )
    ends = "There is no cosine left to measure: the signal is 0."
    if np.isfinite(found).all() and math.isfinite(theory):
        ends = (
            f"Cosine at the last layer: {_rounded(found.min())} to {_rounded(found.max())}, "
            f"theory {_rounded(theory)}. Mean square of z there, in theory: {_short(length)}."
        )
    return "\n".join(
        [
            f"sigma_w = {sigma_w:.3g}, sigma_b = {sigma_b:.3g}. {phase}: chi = {chi:.3f}.{scale}",
            ends,
        ]
    )


def _rounded(cosine: float) -> str:
    return f"{cosine + 0.0:.2f}".replace("-0.00", "0.00")


def watch(*, steps: int = depth_width.STEPS) -> LiveRun:
    """Train the five shapes of `depth_width` side by side; `result` has their records by name."""
    runs = {
        f"{depth} x {width}": depth_width.train(depth_width.network(depth), steps=steps)
        for depth, width in depth_width.SHAPES.items()
    }
    fig, ax = style.figure(9.0, 3.4)
    curves = GrowingCurves(ax, list(runs), "loss", log=True, heading="layers x width")
    return live_run(runs, fig=fig, draw=curves.show, title="About 20,000 parameters each")
