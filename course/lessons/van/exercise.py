"""Checks of notebook 10a, VAN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from course.selfcheck import check_function


def solve_van_step(
    alpha: np.ndarray, multiplier: np.ndarray, slope: np.ndarray, eta: float, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    new = np.clip(alpha - eta * (slope + multiplier), 0, 1)
    return new, multiplier + ratio * eta * (alpha - 1)


def check_van_step(van_step: Callable[..., Any]) -> None:
    """Eqs. 7 and 8: alpha and lambda after a step, from arrays of one entry for each unit."""
    rng = np.random.default_rng(0)
    cases = []
    for eta, ratio in ((0.01, 0.5), (0.3, 0.1), (1.5, 1.0)):
        alpha, slope = rng.uniform(0, 1, 6), rng.normal(0, 0.3, 6)
        arguments = (alpha, rng.uniform(-1, 0.2, 6), slope, eta, ratio)
        cases.append((arguments, solve_van_step(*arguments)))

    def rise(eta: float, ratio: float, alpha: np.ndarray) -> np.ndarray:
        return ratio * eta * (alpha - 1)

    def new(a: np.ndarray, m: np.ndarray, s: np.ndarray, eta: float) -> np.ndarray:
        return np.clip(a - eta * (s + m), 0, 1)

    slips = [
        (
            lambda a, m, s, e, r: (a - e * (s + m), m + rise(e, r, a)),
            "Clip the new alpha to [0, 1].",
        ),
        (
            lambda a, m, s, e, r: (new(a, m, s, e), m + rise(e, r, new(a, m, s, e))),
            "Both updates use the old alpha.",
        ),
        (
            lambda a, m, s, e, r: (new(a, m, s, e), m - rise(e, r, a)),
            "The multiplier goes uphill: while alpha < 1 it must fall, and push harder.",
        ),
        (
            lambda a, m, s, e, r: (new(a, m, s, e), m + e * (a - 1)),
            "The multiplier's step is eta' = ratio times eta.",
        ),
        (
            lambda a, m, s, e, r: (np.clip(a + e * (s + m), 0, 1), m + rise(e, r, a)),
            "Alpha goes downhill: mind the sign.",
        ),
    ]
    check_function("van_step", van_step, cases, mistakes=slips, solution=solve_van_step)


def solve_certificate(
    h: np.ndarray, weights: Sequence[np.ndarray], alphas: Sequence[np.ndarray]
) -> float:
    with_skips = without = h
    for W, alpha in zip(weights, alphas, strict=True):
        with_skips = np.maximum(with_skips, 0) @ W + (1 - alpha) * with_skips
        without = np.maximum(without, 0) @ W
    return float(np.abs(with_skips - without).max())


def check_certificate(certificate_of: Callable[..., Any]) -> None:
    """What forcing all alphas to 1 changes, from (examples, units), matrices, and alphas (units,).

    One of the cases has all its alphas at 1.
    """
    rng = np.random.default_rng(0)
    cases = []
    for depth, low in ((1, 0.0), (3, 0.7), (4, 0.95), (3, 1.0)):
        h = rng.normal(size=(6, 4))
        weights = [rng.normal(0, 0.7, (4, 4)) for _ in range(depth)]
        arguments = (h, weights, [rng.uniform(low, 1, 4) for _ in range(depth)])
        cases.append((arguments, solve_certificate(*arguments)))

    def outputs(h: np.ndarray, weights: Any, alphas: Any, relu: bool = True) -> np.ndarray:
        for W, alpha in zip(weights, alphas, strict=True):
            h = (np.maximum(h, 0) if relu else h) @ W + (1 - alpha) * h
        return h

    def apart(h: Any, weights: Any, alphas: Any, to: float = 1.0, relu: bool = True) -> np.ndarray:
        other = outputs(h, weights, [np.full_like(alpha, to) for alpha in alphas], relu)
        return outputs(h, weights, alphas, relu) - other

    slips = [
        (lambda h, w, a: apart(h, w, a).max(), "A change may be negative: take absolute values."),
        (lambda h, w, a: np.abs(apart(h, w, a)).mean(), "The largest change, not the mean."),
        (
            lambda h, w, a: np.abs(apart(h, w, a, to=0.0)).max(),
            "At alpha = 0 the skips are whole. Force alpha to 1.",
        ),
        (lambda h, w, a: np.abs(apart(h, w, a, relu=False)).max(), "F(h) = relu(h) W."),
        (
            lambda h, w, a: np.abs((1 - a[-1]) * outputs(h, w[:-1], a[:-1])).max(),
            "Force every alpha, not only the last block's.",
        ),
    ]
    check_function(
        "certificate_of", certificate_of, cases, mistakes=slips, solution=solve_certificate
    )
