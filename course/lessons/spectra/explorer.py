"""Spectra under your hands: products of matrices, a sheet of inputs, Jacobians of networks."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from course import measures
from course.lessons.initialization import mean_field
from course.lessons.spectra import isometry, pictures, products, sheets
from course.live import Choice, LivePanel, Slider, Switch, live, number, power
from course.plots import style

THRESHOLDS = (1e-1, 1e-3, 1e-6)
WIDTH, DRAWS = 32, 3
MAPS = 50
UNITS = 64
ACTIVATIONS = {
    "none (linear)": "identity", "tanh": "tanh", "hard-tanh": "hard-tanh", "ReLU": "relu",
}  # fmt: skip
DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80, 100)


def product(*, depth: int = 10, kind: str = "Gaussian", scale: float = 1.0) -> LivePanel:
    """Singular values of a product of 32 x 32 random matrices; the middle of 3 draws, by rank.

    The arguments are the first values of the controls: depth 1 to 100, kind "Gaussian" or
    "orthogonal", scale 0 to 2. Raises ValueError outside.
    """
    fig, axes = style.figure(10.0, 4.2, ncols=2)
    picture = pictures.Product(fig, axes, THRESHOLDS)
    depths = np.arange(1.0, 101.0)

    @lru_cache(200)
    def spectrum(kind: str, depth: int, seed: int) -> measures.Spectrum:
        seeds = range(DRAWS * seed, DRAWS * (seed + 1))
        return products.spectrum(kind, depth, width=WIDTH, seeds=seeds)

    def draw(depth: int, kind: str, scale: float, seed: int) -> str:
        measured = spectrum(kind, depth, seed).log10
        shift = depth * math.log10(scale) if scale else -math.inf
        gaussian = kind == "Gaussian"
        formula = depth * products.exponents(WIDTH) if gaussian else np.zeros(WIDTH)
        logs = np.log10(THRESHOLDS)
        now = np.array([(measured < log).mean() for log in logs])
        expected = [products.share_below(t, depths) * gaussian for t in THRESHOLDS]
        middle = np.sort(np.median(measured, axis=0))[::-1]
        picture.show(middle + shift, formula + shift, depths, np.stack(expected), depth, now)
        return _product_words(depth, kind, scale, middle + shift, now)

    return live(
        fig, draw, seed=0,
        depth=Slider(1, 100, 1, depth, "factors", "number of matrices in the product"),
        kind=Choice(tuple(products.KINDS), kind, "kind", "how each matrix is drawn"),
        scale=Slider(0.0, 2.0, 0.05, scale, "scale", "a number that multiplies every matrix"),
    )  # fmt: skip


def _product_words(depth: int, kind: str, scale: float, logs: np.ndarray, now: np.ndarray) -> str:
    shares = ", ".join(
        f"{share:.0%} are below {t:g}" for share, t in zip(now, THRESHOLDS, strict=True)
    )
    if scale == 0:
        sizes = "All singular values are 0: nothing gets through."
    else:
        sizes = (
            f"The largest singular value is {_power(logs[0])}, the middle one "
            f"{_power(logs[len(logs) // 2])}, the smallest {_power(logs[-1])}."
        )
    matrices = "matrix" if depth == 1 else "matrices"
    return (
        f"{depth} {kind} {matrices} of {WIDTH} x {WIDTH}, scale {scale:.2f}.\n{sizes}\n"
        f"Apart from the scale, {shares}."
    )


def _power(log10: float) -> str:
    """10 to this power in words: plain while it is near 1."""
    if abs(log10) < 2:
        return number(10**log10)
    return power(log10)


def sheet(*, depth: int = 6, connected: bool = False) -> LivePanel:
    """A square of points after 0 to 50 random smooth maps of the plane, and how thin it is."""
    fig, axes = style.figure(10.0, 4.6, ncols=2)
    picture = pictures.SheetPicture(fig, axes, sheets.expected_ratio(np.arange(MAPS + 1)))
    square = sheets.square()

    @lru_cache(4)
    def crushed(seed: int, connected: bool) -> sheets.Sheet:
        return sheets.crush(square, MAPS, seed=seed, connected=connected, every=40)

    def draw(depth: int, connected: bool, seed: int) -> str:
        sheet = crushed(seed, connected)
        picture.show(sheet.points[depth].reshape(4, -1, 2), sheet.ratio, depth)
        return _sheet_words(depth, connected, float(sheet.ratio[depth].mean()))

    return live(
        fig, draw, seed=1,
        depth=Slider(0, MAPS, 1, depth, "maps", "number of random maps so far"),
        connected=Switch(connected, "input to every map", "each map also sees the input"),
    )  # fmt: skip


def _sheet_words(depth: int, connected: bool, log10: float) -> str:
    how = "each map also sees the input" if connected else "each map sees only the one before"
    if depth == 0:
        state = "A square, as it goes in."
    elif log10 > -1:
        state = "It is bent and folded, and still a sheet."
    elif log10 > -2:
        state = "It is thin in most places."
    else:
        state = "It has become filaments: along them one can move, across them nothing is left."
    return (
        f"{depth} maps; {how}. {state}\n"
        f"A small disc comes out as an ellipse; its width is {_power(log10)} of its length."
    )


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
    `isometry.ACTIVATIONS`, weights "orthogonal" or "Gaussian", length (q*) 0.001 to 10, scale 0.5
    to 1.5 (1: critical). Raises ValueError outside.
    """
    fig, axes = style.figure(10.0, 4.2, ncols=2)
    picture = pictures.JacobianPicture(fig, axes)
    depths = np.array(DEPTHS)

    @lru_cache(8)
    def layers(seed: int, activation: str, weights: str, length: float, scale: float) -> tuple:
        seeds = range(3 * seed, 3 * (seed + 1))
        network = isometry.chain(
            activation, weights, length=length, scale=scale, depth=100, width=UNITS, seeds=seeds
        )
        x = isometry.start(activation, length, width=UNITS, seeds=seeds)
        jacobians = isometry.layer_jacobians(network, x)
        spreads = np.median(isometry.spread(isometry.along(jacobians, DEPTHS)), axis=1)
        return jacobians, spreads

    def draw(
        depth: int, activation: str, weights: str, length: float, scale: float, seed: int
    ) -> str:
        jacobians, spreads = layers(seed, activation, weights, length, scale)
        product = isometry.along(jacobians, [depth])
        log10 = np.where(product.floor, -math.inf, product.log10)[0]
        middle = np.sort(np.median(log10, axis=0))[::-1]
        now = float(np.median(isometry.spread(product)))
        each = isometry.spread_per_layer(activation, length, weights)
        picture.show(middle, depths, spreads, each * depths, depth, now)
        sigma_w, sigma_b = map(float, mean_field.critical_line(length, activation))
        head = (
            f"{activation}, {weights} weights, q* = {length:.3g}: sigma_w = {scale * sigma_w:.4f}, "
            f"sigma_b = {sigma_b:.4f}. Depth {depth}."
        )
        return f"{head}\n{_jacobian_words(middle, now, each * depth)}"

    return live(
        fig, draw, seed=0,
        depth=Slider(1, 100, 1, depth, "depth", "number of layers"),
        activation=Choice(ACTIVATIONS, activation, "activation", "what each unit does"),
        weights=Choice(tuple(isometry.WEIGHTS), weights, "weights", "how drawn"),
        length=Slider(0.001, 10.0, 0.25, length, "signal q*", "mean square of a unit's input",
                       log=True),
        scale=Slider(0.5, 1.5, 0.05, scale, "scale", "a factor on the critical weights"),
    )  # fmt: skip


def _jacobian_words(logs: np.ndarray, now: float, expected: float) -> str:
    dead = int((logs == -math.inf).sum())
    least = f"at least {dead} of {len(logs)} are lost" if dead else f"smallest {_power(logs[-1])}"
    return (
        f"Singular values: largest {_power(logs[0])}, {least}.\n"
        f"Spread {_spread(now)}; closed form, for a wide critical network: {_spread(expected)}."
    )


def _spread(value: float) -> str:
    return number(value if value > 1e-9 else 0.0)  # what is left of an isometry is rounding
