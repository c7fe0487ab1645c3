"""Singular values of a product of matrices that differ by hundreds of orders of magnitude.

The matrices are never multiplied. A chain of QR decompositions turns their product into a product
of triangles, the triangles into rows of moderate numbers, each with its own power of two, and
one-sided Jacobi rotations make the rows orthogonal. Their lengths are the singular values.
`spectra.product_spectrum` is the way in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

EPSILON = torch.finfo(torch.float64).eps
AGREE = 1.4e-3  # in log2: 0.1 %
SWEEPS = 40  # of Jacobi rotations; 4 to 10 are usual, and random products need 3


def product_logs(factors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """log2 of the k singular values of factors[0] @ factors[1] @ ..., and which can't be told.

    factors: finite float64 (R, m_0, m_1), (R, m_1, m_2), ...; k is the smallest of the m. Returns
    (R, k) in descending order, and (R, k) booleans: True where rounding decides the value. That
    is found out in two ways: directions that a factor loses are counted, and everything is computed
    a second time from the other end, where roundings differ: the two must agree to 0.1 %.
    """
    logs, lost = _logs_from_the_left(factors)
    again, lost_again = _logs_from_the_left([factor.mT for factor in reversed(factors)])
    k = logs.shape[-1]
    unsure = torch.arange(k) >= k - torch.maximum(lost, lost_again)[:, None]
    unsure |= (logs != again) & ~((logs - again).abs() < AGREE)
    return torch.where(unsure, torch.maximum(logs, again), logs), unsure


def _logs_from_the_left(factors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """log2 of the singular values, (R, k), and how many of the last are rounding for sure, (R,).

    Passing once from the left finds a basis Q of the input directions in the order of their
    singular values: the QR iteration for products, Stewart, "On graded QR decompositions of
    products of matrices" (1995). Passing back, A_i Q_i = Q_{i-1} R_i leaves the product of the R_i.
    Scaled rows with a well-conditioned rest keep small singular values accurate relative to
    themselves: Demmel and Veselic, "Jacobi's method is more accurate than QR" (1992).
    """
    replicas, first = factors[0].shape[:2]
    k = min(first, *(factor.shape[-1] for factor in factors))
    # Any start does that is at right angles to no singular direction: a fixed random one.
    start = torch.randn(first, k, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis = torch.linalg.qr(start).Q.expand(replicas, first, k)
    for factor in factors:
        basis = torch.linalg.qr(factor.mT @ basis).Q

    rows = torch.eye(k, dtype=torch.float64).expand(replicas, k, k)
    power = torch.zeros(replicas, k, dtype=torch.float64)
    lost = torch.zeros(replicas, k, dtype=torch.bool)
    for factor in reversed(factors):
        image = factor @ basis
        basis, triangle = torch.linalg.qr(image)
        size = torch.linalg.matrix_norm(image)[:, None]
        lost |= triangle.diagonal(dim1=-2, dim2=-1).abs() <= 4 * k * EPSILON * size
        rows, power = _multiply(triangle, rows, power)

    length = torch.linalg.vector_norm(rows, dim=-1)
    unit = rows / torch.where(length > 0, length, 1.0)[..., None]
    parallel = (torch.linalg.svdvals(unit) <= 4 * k * EPSILON * math.sqrt(k)).sum(-1)
    logs, small = _dense_logs(unit, power + length.log2())
    if small.any():
        logs[small] = jacobi_logs(unit[small], power[small], length[small].log2())
    return logs, torch.maximum(lost.sum(-1), parallel)


def _dense_logs(unit: Tensor, logs: Tensor) -> tuple[Tensor, Tensor]:
    """log2 of the singular values by LAPACK, and which matrices need Jacobi: (R, k) and (R,).

    Its errors are relative to the largest singular value, so above 1e-4 of that they don't matter.
    """
    most = logs.amax(-1, keepdim=True)
    most = torch.where(most == -math.inf, 0.0, most)
    values = torch.linalg.svdvals(unit * torch.exp2(logs - most)[..., None])
    return values.log2() + most, values[:, -1] <= 1e-4 * values[:, 0]


def _multiply(triangle: Tensor, rows: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
    """triangle @ (2^power rows) as new rows and powers; powers of two make the scaling exact."""
    mantissa, exponent = torch.frexp(triangle)
    exponent = torch.where(triangle == 0, -math.inf, exponent + power[:, None, :])
    shift = exponent.amax(-1)
    shift = torch.where(shift == -math.inf, 0.0, shift)
    product = (mantissa * torch.exp2(exponent - shift[..., None])) @ rows
    largest = product.abs().amax(-1)
    excess = torch.frexp(largest).exponent.double()
    power = torch.where(largest > 0, shift + excess, -math.inf)
    return product * torch.exp2(-excess)[..., None], power


def jacobi_logs(unit: Tensor, power: Tensor, fine: Tensor) -> Tensor:
    """log2 of the singular values of matrices (R, k, n) whose row i is 2^(power_i + fine_i) unit_i.

    One-sided Jacobi (Hestenes 1958): rotate pairs of rows until all are orthogonal; k/2 pairs at a
    time, in all replicas. With y / x = ratio <= 1 the lengths and c the cosine of two rows, the
    tangent of the angle is ratio tau, ratio^2 c tau^2 + (1 - ratio^2) tau - c = 0: no length
    appears but the ratio, which may underflow to 0 without harm. Zero rows give -inf.
    """
    odd = unit.shape[1] % 2
    unit = torch.nn.functional.pad(unit, (0, 0, 0, odd))
    power = torch.nn.functional.pad(power, (0, odd))
    fine = torch.nn.functional.pad(fine, (0, odd), value=-math.inf)
    k = unit.shape[1]
    rounds = _tournament(k)
    for _ in range(SWEEPS):
        order = (power + fine).argsort(-1, descending=True)
        unit = unit.gather(1, order[..., None].expand_as(unit))
        power, fine = power.gather(1, order), fine.gather(1, order)
        worst = 0.0
        for one, two in rounds:
            x, y = unit[:, one], unit[:, two]
            gap = (power[:, two] - power[:, one]) + (fine[:, two] - fine[:, one])
            swap = gap > 0  # the longer row is x
            gap = torch.where(gap.isnan(), -math.inf, -gap.abs())
            x, y = torch.where(swap[..., None], y, x), torch.where(swap[..., None], x, y)
            longer, shorter = torch.where(swap, two, one), torch.where(swap, one, two)
            cosine = (x * y).sum(-1)
            worst = max(worst, cosine.abs().max().item())
            square = torch.exp2(2 * gap)
            root = torch.sqrt((1 - square) ** 2 + 4 * square * cosine**2) + (1 - square)
            tau = torch.where(root > 0, 2 * cosine / torch.where(root > 0, root, 1.0), 0.0)
            shrink = -0.5 * torch.log2(1 + square * tau**2)
            for row, place in (
                (x + (square * tau)[..., None] * y, longer),
                (y - tau[..., None] * x, shorter),
            ):
                size = torch.linalg.vector_norm(row, dim=-1)
                row = row / torch.where(size > 0, size, 1.0)[..., None]
                unit = unit.scatter(1, place[..., None].expand_as(row), row)
                fine = fine.scatter(1, place, fine.gather(1, place) + size.log2() + shrink)
        if worst <= 4 * EPSILON * math.sqrt(k):
            break
    logs = (power + fine).sort(-1, descending=True).values
    return logs[:, : k - odd]


def _tournament(k: int) -> list[tuple[Tensor, Tensor]]:
    """k - 1 rounds (k even) in which every pair meets once: the circle method."""
    players = torch.arange(k)
    rounds = []
    for _ in range(k - 1):
        one, two = players[: k // 2], players[k // 2 :].flip(0)
        rounds.append((torch.minimum(one, two), torch.maximum(one, two)))
        players = torch.cat([players[:1], players[1:].roll(1)])
    return rounds
