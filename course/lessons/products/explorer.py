"""Products under your hands: singular values of many matrices, and a sheet of inputs.

The singular values move in the page, by `explorer.js` and `spectrum.js`; here are the same words,
and a still picture.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from course.lessons.products import pictures, science, sheets
from course.live import (
    BrowserPanel,
    Caption,
    Choice,
    LivePanel,
    Slices,
    Slider,
    Switch,
    count,
    in_browser,
    live,
    number,
    power,
)
from course.plots import style

SAMPLE = 40  # of so many points of a sheet one is asked how thin it is there
THRESHOLDS = (1e-1, 1e-3, 1e-6)
WIDTH, DRAWS, DEEPEST = 32, 3, 100
MAPS = 50


def product(*, depth: int = 10, kind: str = "Gaussian", scale: float = 1.0) -> BrowserPanel:
    """Singular values of a product of 32 x 32 random matrices; the middle of 3 draws, by rank.

    The arguments are the first values of the controls: depth 1 to 100, kind "Gaussian" or
    "orthogonal", scale 0 to 2. Raises ValueError outside.
    """
    return in_browser(
        Path(__file__).with_name("explorer.js"), still, seed=0,
        depth=Slider(1, DEEPEST, 1, depth, "factors", "number of matrices in the product"),
        kind=Choice(tuple(science.KINDS), kind, "kind", "how each matrix is drawn"),
        scale=Slider(0.0, 2.0, 0.05, scale, "scale", "a number that multiplies every matrix"),
    )  # fmt: skip


def still(depth: int, kind: str, scale: float, seed: int) -> tuple[Figure, Caption]:
    """The picture of `product` that does not move, and its words."""
    seeds = range(DRAWS * seed, DRAWS * (seed + 1))
    measured = science.spectrum(kind, depth, width=WIDTH, seeds=seeds).log10
    shift = depth * math.log10(scale) if scale else -math.inf
    gaussian = kind == "Gaussian"
    formula = depth * science.exponents(WIDTH) if gaussian else np.zeros(WIDTH)
    now = np.array([(measured < log).mean() for log in np.log10(THRESHOLDS)])
    depths = np.arange(1.0, DEEPEST + 1)
    expected = [science.share_below(t, depths) * gaussian for t in THRESHOLDS]
    middle = np.sort(np.median(measured, axis=0))[::-1]
    fig, axes = style.figure(10.0, 4.2, ncols=2)
    picture = pictures.Product(fig, axes, THRESHOLDS)
    picture.show(middle + shift, formula + shift, depths, np.stack(expected), depth, now)
    return fig, Caption(_product_words(depth, kind, scale, middle + shift, now), seen=1)


def _product_words(depth: int, kind: str, scale: float, logs: np.ndarray, now: np.ndarray) -> str:
    shares = ", ".join(
        f"{share:.0%} are below {size_in_words(math.log10(t))}"
        for share, t in zip(now, THRESHOLDS, strict=True)
    )
    if scale == 0:
        sizes = "All singular values are 0: nothing gets through."
    else:
        sizes = (
            f"The largest singular value is {size_in_words(logs[0])}, the middle one "
            f"{size_in_words(logs[len(logs) // 2])}, the smallest {size_in_words(logs[-1])}."
        )
    matrices = "matrix" if depth == 1 else "matrices"
    return (
        f"{depth} {kind} {matrices} of {WIDTH} x {WIDTH}, scale {scale:.2f}.\n{sizes}\n"
        f"Apart from the scale, {shares}."
    )


def size_in_words(log10: float) -> str:
    """10 to this power: plain while it is near 1."""
    if abs(log10) < 2:
        return number(10**log10)
    return power(log10)


def sheet(*, depth: int = 6, connected: bool = False) -> LivePanel:
    """A square of points after 0 to 50 random smooth maps of the plane, and how thin it is."""
    fig, axes = style.figure(10.0, 4.6, ncols=2)
    picture = pictures.SheetPicture(fig, axes, sheets.expected_ratio(np.arange(MAPS + 1)))
    square = sheets.square()

    @lru_cache(4)
    def thinned(seed: int, connected: bool) -> np.ndarray:
        return sheets.crush(square[::SAMPLE], MAPS, seed=seed, connected=connected).ratio

    @lru_cache(4)
    def moved(seed: int, connected: bool) -> Slices[np.ndarray]:
        """All points, after as many maps as have been asked for."""
        return Slices(sheets.moved(square, seed=seed, connected=connected))

    def crushed(depth: int, connected: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """All points after so many maps, (N, 2), and how thin the sheet is after each."""
        points = moved(seed, connected)
        while len(points.items) <= depth:
            points.advance(0)
        return points.items[depth], thinned(seed, connected)

    def draw(depth: int, connected: bool, seed: int) -> str:
        points, ratio = crushed(depth, connected, seed)
        picture.show(points.reshape(4, -1, 2), ratio, depth)
        return _sheet_words(depth, connected, float(ratio[depth].mean()))

    return live(
        fig, draw, ahead=crushed, seed=1,
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
    width = f"an ellipse; its width is {size_in_words(log10)} of its length" if depth else "a disc"
    return f"{count(depth, 'map')}; {how}. {state}\nA small disc comes out as {width}."
