"""Products of random matrices: what is measured, and what is known in closed form.

A factor is n x n. "Gaussian": entries of variance 1/n, so a vector keeps its length on average.
The singular values of a product of such matrices drift apart by a factor with every matrix.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from course import measures, seeding
from course.arguments import one_of, real, reject, whole
from course.lessons.degeneracy import science as degeneracy
from course.networks import initializers

KINDS = {"Gaussian": "lecun_normal", "orthogonal": "orthogonal"}


def factors(kind: str, depth: int, *, width: int, seeds: Sequence[int]) -> list[Tensor]:
    """`depth` factors of a kind of `KINDS`, each (R, n, n), one draw for each seed.

    Factor l has a stream of its own, so that a longer product begins with the shorter one.
    """
    law = KINDS[one_of("kind", kind, KINDS)]
    streams = [
        seeding.generators(seeds, f"factor {layer}") for layer in range(whole("depth", depth))
    ]
    return [initializers.replicate(law, width, width, stream) for stream in streams]


def spectrum(kind: str, depth: int, *, width: int, seeds: Sequence[int]) -> measures.Spectrum:
    """Singular values of the products of `factors`: log10 is (R, n), largest first."""
    whole("depth", depth, least=1)
    return measures.product_spectrum(factors(kind, depth, width=width, seeds=seeds))


def along(matrices: Sequence[Tensor], depths: Sequence[int]) -> measures.Spectrum:
    """Singular values of M_1 M_2 ... M_d for each d of `depths`: log10 is (len(depths), ..., n).

    Products are multiplied out and scaled back, so values below 1e-13 times the largest are
    rounding (`floor`); `measures.product_spectrum` has no such limit, and takes longer.
    """
    rows = [
        (torch.linalg.svdvals(product), log) for product, log in products_along(matrices, depths)
    ]
    singular = torch.stack([values for values, _ in rows])
    floor = (singular <= 1e-13 * singular[..., :1]) & (singular[..., :1] > 0)
    log10 = singular.log10() + torch.stack([log for _, log in rows])[..., None]
    return measures.Spectrum(log10.numpy(), floor.numpy())


def products_along(
    matrices: Sequence[Tensor], depths: Sequence[int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """M_1 ... M_d for each d of `depths`, over its largest entry (..., n, n), and log10 of that."""
    product, log = matrices[0], torch.zeros(matrices[0].shape[:-2], dtype=torch.float64)
    for depth in range(1, max(depths) + 1):
        product = product @ matrices[depth - 1] if depth > 1 else product
        size = product.abs().amax((-2, -1), keepdim=True)
        size = torch.where(size > 0, size, 1.0)
        product, log = product / size, log + size[..., 0, 0].log10()
        if depth in depths:
            yield product, log


def exponents(width: int) -> np.ndarray:
    """How much log10 of each singular value gains per Gaussian factor, (n,), largest first.

    (log(2/n) + psi((n - i + 1)/2)) / (2 ln 10) for the i-th, psi the digamma function: the limit of
    log10(s_i) / L for many factors L. Newman, "The distribution of Lyapunov exponents: exact
    results for random matrices" (1986).
    """
    n = whole("width", width, least=1)
    free = torch.arange(n, 0, -1, dtype=torch.float64)
    psi = torch.special.digamma(free / 2).numpy()
    return (math.log(2 / n) + psi) / (2 * math.log(10))


def share_below(threshold: float, depth: int | np.ndarray) -> np.ndarray:
    """Share of the singular values of L Gaussian factors below t <= 1: t^(2/L), for n, L large.

    That is, s^(2/L) is spread evenly between 0 and 1. Isopi and Newman, "The triangle law for
    Lyapunov exponents of large random matrices" (1992).
    """
    t, layers = real("threshold", threshold, above=0, most=1), np.asarray(depth, dtype=float) + 0.0
    if not (layers >= 0).all():
        raise reject("depth", depth, "numbers of factors, >= 0")
    with np.errstate(divide="ignore", over="ignore"):  # no factor at all: nothing is below t < 1
        return np.asarray(np.power(t, 2 / layers))


def depth_for(share: float, threshold: float) -> float:
    """The number of factors at which this share of the singular values is below the threshold."""
    t = real("threshold", threshold, above=0, most=1)
    return 2 * abs(math.log(t) / math.log(real("share", share, above=0, most=1 - 1e-12)))


def directions(depth: int | np.ndarray, width: int) -> np.ndarray:
    """Participation ratio of L wide Gaussian factors of n x n: n / (L + 1), for L small beside n.

    The mean of s^2 is 1 and that of s^4 is L + 1: the moments of a product of L independent wide
    matrices are the Fuss-Catalan numbers. (`degeneracy.science.expected_gradients` has the exact
    fourth moments at finite n.)
    """
    return np.asarray(width / (np.asarray(depth, dtype=float) + 1))


def largest(depth: int | np.ndarray) -> np.ndarray:
    """The largest singular value of L wide Gaussian factors: ((L + 1)^(L + 1) / L^L)^(1/2).

    The upper edge of the law with the Fuss-Catalan moments: 2 for one factor, about
    sqrt(e (L + 1/2)) for many, while that is small beside sqrt(n).
    """
    layers = np.asarray(depth, dtype=float)
    return np.asarray(np.exp(((layers + 1) * np.log(layers + 1) - layers * np.log(layers)) / 2))


def multiply(matrices: Sequence[Tensor]) -> Tensor:
    """The product of square matrices in reading order, as plain multiplication rounds it."""
    product = matrices[0]
    for matrix in matrices[1:]:
        product = product @ matrix
    return product


def by_hand(matrices: Sequence[Tensor]) -> np.ndarray:
    """log10 of the singular values (n,) of the product, multiplied out in the factors' own type."""
    return torch.linalg.svdvals(multiply(matrices)).log10().numpy()


def by_qr(matrices: Sequence[Tensor]) -> np.ndarray:
    """About log10 of the singular values (n,) of the product, which is never multiplied out.

    P = Q R_1 R_2 ... R_L with triangles R; the diagonals multiply entry by entry, so that large
    and small stay apart. Each value is right to within a small factor, their product exactly.
    Benettin and others (1980) compute Lyapunov exponents so; exact values: `product_spectrum`.
    """
    Q = torch.eye(len(matrices[0]), dtype=matrices[0].dtype)
    logs = torch.zeros(len(Q), dtype=Q.dtype)
    for W in reversed(matrices):
        Q, R = torch.linalg.qr(W @ Q)
        logs += R.diagonal().abs().log10()
    return logs.sort(descending=True).values.numpy()


def four_starts(*, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Singular values (R, 32) of the products of 30 matrices, for the starts of notebook 06."""
    return {
        name: degeneracy.linear_map(degeneracy.deep_linear(law, seeds=seeds)).singular
        for name, law in degeneracy.STARTS.items()
    }
