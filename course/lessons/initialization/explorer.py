"""The first weights under your hands: their scale against depth, and order against chaos.

Both move in the page, by `explorer.js` and `explorer_phases.js`; here are the same words, and still
pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from course.lessons.initialization import angles, depth_width, mean_field, pictures
from course.live import (
    BrowserPanel,
    Caption,
    Choice,
    LiveRun,
    Slider,
    count,
    describe,
    in_browser,
    live_run,
    number,
)
from course.plots import style
from course.plots.growing import GrowingCurves
from course.training import Record

KINDS = ("identity", "relu", "tanh")
WIDTHS = (10, 30, 100)
SCALES = np.linspace(0.0, 3.0, 31)
LARGEST = (3.0, 1.0)
"""Of sigma_w and of sigma_b."""


def explore(
    *, activation: str = "relu", scale: float = 1.0, depth: int = 50, width: int = 100
) -> BrowserPanel:
    """Sizes of a signal and of its gradient by weight scale and layer, measured and in theory.

    Weights are N(0, scale^2 / width). The arguments are the first values of the controls:
    activation one of `KINDS`, scale 0 to 3, depth 1 to 100, width one of `WIDTHS`. ValueError else.
    """
    return in_browser(
        Path(__file__).with_name("explorer.js"), still, seed=0,
        activation=Choice(
            KINDS, activation, "activation",
            "what every unit applies; identity makes a linear network",
        ),
        scale=Slider(0.0, 3.0, 0.01, scale, "weight scale", "a factor on weights N(0, 1/n)"),
        depth=Slider(1, 100, 1, depth, "depth L", "number of layers"),
        width=Choice(
            WIDTHS, width, "width n", "units in every layer; theory is exact in the limit"
        ),
    )  # fmt: skip


def still(
    activation: str, scale: float, depth: int, width: int, seed: int
) -> tuple[Figure, Caption]:
    """The picture of `explore` that does not move, and its words."""
    grid = mean_field.measured(activation, SCALES, depth, width=width, seed=seed)
    theory = mean_field.expected(activation, SCALES, depth)
    measured = mean_field.measured(activation, [scale], depth, width=width, seed=seed)
    expected = mean_field.expected(activation, [scale], depth)
    fig, axes = style.figure(11.0, 4.6, ncols=3)
    panels = pictures.Sizes(fig, axes, SCALES)
    panels.show_maps(
        (grid.forward[:, 1:], grid.backward[:, 1:]), (theory.forward[:, 1:], theory.backward[:, 1:])
    )
    signal, gradient = measured.forward[0, 1:], measured.backward[0, 1:]
    panels.show_scale(scale, (signal, expected.forward[0, 1:], gradient, expected.backward[0, 1:]))
    text = size_words(activation, scale, depth, width, measured, expected)
    return fig, describe(text, signal=signal, gradient=gradient, seen=1)


def size_words(
    activation: str, scale: float, depth: int, width: int,
    measured: mean_field.Sizes, expected: mean_field.Sizes,
) -> str:  # fmt: skip
    """What the picture shows at the scale chosen: both ends, measured and in theory."""
    signal, gradient = measured.forward[0, -1], measured.backward[0, 1]
    return "\n".join(
        [
            f"{activation}, weight scale {scale:.3g}, {count(depth, 'layer')} of width {width}.",
            f"Signal: size {_size(signal)} at layer {depth}, "
            f"theory {_size(expected.forward[0, -1])}. {_verdict(signal)}",
            f"Gradient: size {_size(gradient)} at layer 1, "
            f"theory {_size(expected.backward[0, 1])}. {_verdict(gradient)}",
        ]
    )


def _size(value: float) -> str:
    return number(value, zero="exactly 0")


def _verdict(size: float) -> str:
    if size < 0.1:
        return "It vanishes."
    return "It explodes." if size > 10 else "It stays within a factor of 10."


def explore_phases(
    *, sigma_w: float = 2.5, sigma_b: float = 0.05, cosine: float = 0.6, depth: int = 50
) -> BrowserPanel:
    """Order and chaos of random tanh layers: where you are, and what becomes of two inputs.

    The arguments are the first values of the controls: sigma_w 0 to 3, sigma_b 0 to 1, cosine (of
    the two inputs) 0 to 0.99, depth 1 to 100. ValueError outside.
    """
    return in_browser(
        Path(__file__).with_name("explorer_phases.js"), still_phases, seed=0,
        sigma_w=Slider(0.0, LARGEST[0], 0.05, sigma_w, "weights σ_w", "weights: N(0, σ_w²/n)"),
        sigma_b=Slider(0.0, LARGEST[1], 0.05, sigma_b, "biases σ_b", "biases: N(0, σ_b²)"),
        cosine=Slider(0.0, 0.99, 0.01, cosine, "first cosine", "of the two inputs"),
        depth=Slider(1, 100, 1, depth, "depth L", "number of layers"),
    )  # fmt: skip


def still_phases(
    sigma_w: float, sigma_b: float, cosine: float, depth: int, seed: int
) -> tuple[Figure, Caption]:
    """The picture of `explore_phases` that does not move, and its words."""
    lengths, theory = angles.expected(sigma_w, sigma_b, cosine, depth)
    measured = angles.measured(sigma_w, sigma_b, cosine, depth, seed=seed)
    fig, axes = style.figure(10.0, 4.2, ncols=2, width_ratios=(1, 1.4))
    line = mean_field.critical_line(np.linspace(0.0, 3.0, 121) ** 2)
    picture = pictures.Phases(fig, axes, line, angles.PAIRS, LARGEST)
    picture.show(sigma_w, sigma_b, measured, theory)
    return fig, phase_caption(sigma_w, sigma_b, measured[:, -1], theory[-1], lengths[-1])


def phase_caption(
    sigma_w: float, sigma_b: float, cosines: np.ndarray, theory: float, length: float
) -> Caption:
    """The words of `explore_phases` with their badge; all of the last layer."""
    lost = not np.isfinite(cosines).all()  # then that is what there is to see
    alike = not lost and cosines.min() > 0.99
    words = phase_words(sigma_w, sigma_b, cosines, float(theory), float(length))
    return Caption(words, "degenerate" if alike else "", seen=int(lost))


def phase_words(
    sigma_w: float, sigma_b: float, cosines: np.ndarray, theory: float, length: float
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
    if np.isfinite(cosines).all() and math.isfinite(theory):
        ends = (
            f"Cosine at the last layer: {_rounded(cosines.min())} to {_rounded(cosines.max())}, "
            f"theory {_rounded(theory)}. Mean square of z there, in theory: {_size(length)}."
        )
    return "\n".join(
        [
            f"sigma_w = {sigma_w:.3g}, sigma_b = {sigma_b:.3g}. {phase}: chi = {chi:.3f}.{scale}",
            ends,
        ]
    )


def _rounded(cosine: float) -> str:
    return f"{cosine + 0.0:.2f}".replace("-0.00", "0.00")


def _train(depth: int, steps: int) -> Iterator[Record]:
    return depth_width.train(depth_width.network(depth), steps=steps)


def watch(*, steps: int = depth_width.STEPS) -> LiveRun:
    """Train the five shapes of `depth_width` side by side; `result` has their records by name."""
    runs = {
        f"{depth} x {width}": partial(_train, depth, steps)
        for depth, width in depth_width.SHAPES.items()
    }
    fig, ax = style.figure(9.0, 3.4)
    curves = GrowingCurves(ax, list(runs), "loss", log=True, heading="layers x width")
    return live_run(runs, fig=fig, draw=curves.show, title="About 20,000 parameters each")
