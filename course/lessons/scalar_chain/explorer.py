"""The scalar chain under your hands: depth, weight, bias, input and precision.

It moves in the page, by `explorer.js` and `chain.js`; here are the same words, and a still picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from course.lessons.scalar_chain import science
from course.lessons.scalar_chain.pictures import Magnitudes
from course.live import BrowserPanel, Caption, Choice, Slider, describe, in_browser, number
from course.plots import style


def explore(
    *,
    depth: int = 50,
    weight: float = 1.1,
    bias: float = 0.0,
    x: float = 1.0,
    precision: str = "float64",
) -> BrowserPanel:
    """Activations and gradients of y_l = w y_(l-1) + b, layer by layer, closed form and measured.

    The arguments are the first values of the controls: depth 1 to 100, weight -2 to 2, bias and x
    -10 to 10, precision float16, float32 or float64. Raises ValueError outside.
    """
    return in_browser(
        Path(__file__).with_name("explorer.js"), still,
        depth=Slider(1, 100, value=depth, description="depth L", tooltip="number of layers"),
        weight=Slider(-2.0, 2.0, 0.01, weight, "weight w", "the factor of every layer"),
        bias=Slider(-10.0, 10.0, 0.1, bias, "bias b", "what every layer adds"),
        x=Slider(-10.0, 10.0, 0.1, x, "input x", "the number that goes in"),
        precision=Choice(
            science.PRECISIONS, precision, "precision", "how many digits each number has"
        ),
    )  # fmt: skip


def still(
    depth: int, weight: float, bias: float, x: float, precision: str
) -> tuple[Figure, Caption]:
    """The picture that does not move, and its words."""
    arguments = (weight, bias, x, depth, precision)
    formula, run = science.closed_form(*arguments), science.measure(*arguments)
    fig, (left, right) = style.figure(9.6, 4.2, ncols=2)
    forward = Magnitudes(left, "Forward: activations", "size $|y_l|$", k=0)
    backward = Magnitudes(
        right, "Backward: gradients", r"size $|\partial y_L / \partial y_l|$", k=1, beside=forward
    )
    style.legend_below(fig, forward.artists)
    forward.show(formula.activations, run.activations)
    backward.show(formula.gradients, run.gradients)
    text = words(formula, run)
    return fig, describe(text, signal=run.activations, gradient=run.gradients)


def words(formula: science.Chain, run: science.Chain) -> str:
    """What the picture shows: the regime, both ends of the chain, and how far the two agree."""
    c = run
    settings = f"w = {c.weight:.4g}, b = {c.bias:.4g}, x = {c.x:.4g}, L = {c.depth}, {c.precision}"
    lines = [  # always four, so that what stands below doesn't move
        f"{settings}. {regime(c.weight)}",
        f"Last activation y_L = {number(c.activations[-1], 3)}. "
        f"Gradient of y_L with respect to x = {number(c.d_input, 3)}, "
        f"to w = {number(c.d_weight, 3)}, to b = {number(c.d_bias, 3)}.",
        _overflow(c.overflow, c.gradient_overflow),
        _agreement(formula, run),
    ]
    return "\n".join(lines)


def _overflow(activation: int | None, gradient: int | None) -> str:
    places = [] if activation is None else [f"the activation at layer {activation}"]
    places += [] if gradient is None else [f"the gradient at layer {gradient}, going backward"]
    return f"Overflow: {' and '.join(places) or 'nowhere'}."


def regime(weight: float) -> str:
    """What w^L does as L grows, in a sentence."""
    if abs(weight) == 1:
        return "The gradient keeps its size at any depth."
    if abs(weight) > 1:
        return "The gradient grows with every layer it passes."
    return "The gradient shrinks with every layer it passes."


def _agreement(formula: science.Chain, run: science.Chain) -> str:
    ours = np.concatenate([formula.activations, formula.gradients]).astype(np.float64)
    theirs = np.concatenate([run.activations, run.gradients]).astype(np.float64)
    scale = np.concatenate(  # what rounding errors are measured by: the sizes that are added up
        [_sizes(formula), np.abs(formula.gradients.astype(np.float64))]
    )
    both = np.isfinite(ours) & np.isfinite(theirs) & (scale > 0)
    worst = np.max(np.abs(ours[both] - theirs[both]) / scale[both], initial=0.0)
    if worst < 1e-12:
        layers = "in every layer" if both.all() else "wherever both are finite and not 0"
        return f"Closed form and measurement agree to 12 digits {layers}."
    return (
        f"Closed form and measurement differ by up to {number(worst, 1)} times the value: "
        f"each layer rounds to {run.precision}."
    )


def _sizes(formula: science.Chain) -> np.ndarray:
    bound = science.closed_form(
        abs(formula.weight), abs(formula.bias), abs(formula.x), formula.depth
    )
    return bound.activations
