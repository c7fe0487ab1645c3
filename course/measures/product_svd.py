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
    time, in all replicas. It begins with the columns of a triangle that has the same singular
    values, since these are nearly orthogonal where lengths differ much: Drmac and Veselic, "New
    fast and accurate Jacobi SVD algorithm" (2008). Zero rows give -inf.
    """
    rows, sizes = _sorted(unit, torch.stack([power, fine], -1))
    rows, sizes = _columns(torch.linalg.qr(rows.mT).R, sizes)
    odd = unit.shape[1] % 2
    rows = torch.nn.functional.pad(rows, (0, 0, 0, odd))
    sizes = torch.nn.functional.pad(sizes, (0, 0, 0, odd), value=-math.inf)
    half = rows.shape[1] // 2
    small = 4 * EPSILON * math.sqrt(2 * half)
    for _ in range(SWEEPS):
        (x, y), (of_x, of_y) = (each.split(half, 1) for each in _sorted(rows, sizes))
        worst = 0.0
        for _ in range(2 * half - 1):  # every pair meets once: the circle method
            cosine = (x * y).sum(-1)
            here = cosine.abs().max().item()
            worst = max(worst, here)
            if here > small:
                x, y, of_x, of_y = _rotate(x, y, of_x, of_y, cosine)
            x, y = _next_pairs(x, y)
            of_x, of_y = _next_pairs(of_x, of_y)
        rows, sizes = torch.cat([x, y], 1), torch.cat([of_x, of_y], 1)
        if worst <= small:
            break
    logs = sizes.sum(-1).sort(-1, descending=True).values
    return logs[:, : 2 * half - odd]


def _sorted(rows: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """The rows (R, k, n) with their sizes (R, k, 2), the longest first."""
    order = sizes.sum(-1).argsort(-1, descending=True)[..., None]
    return rows.gather(1, order.expand_as(rows)), sizes.gather(1, order.expand_as(sizes))


def _columns(triangle: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Directions and sizes of the columns of D L: L the transpose of the triangle, D the sizes.

    The sizes fall, and L_ij = 0 for i < j. So column j is 2^size_j (2^(size_i - size_j) L_ij)_i.
    """
    gap = (sizes[:, None] - sizes[:, :, None]).sum(-1)  # size_i - size_j at (j, i)
    columns = triangle * torch.where(gap > 0, 0.0, torch.exp2(gap)).nan_to_num()
    length = torch.linalg.vector_norm(columns, dim=-1)
    power, fine = sizes.unbind(-1)
    columns /= torch.where(length > 0, length, 1.0)[..., None]
    return columns, torch.stack([power, fine + length.log2()], -1)


def _rotate(
    x: Tensor, y: Tensor, of_x: Tensor, of_y: Tensor, cosine: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pairs of rows (R, k/2, n) made orthogonal, with their sizes (R, k/2, 2) as power and fine.

    With short / long = ratio <= 1 the lengths and c the cosine of two rows, the tangent of the
    angle is ratio tau, ratio^2 c tau^2 + (1 - ratio^2) tau - c = 0, and

        long + ratio^2 tau short,    short - tau long

    are the new directions: no length appears but the ratio, which may underflow to 0 without harm.
    """
    gap = (of_y - of_x).sum(-1)
    swapped = gap > 0  # y is the longer one
    square = torch.exp2(-2 * torch.where(gap.isnan(), math.inf, gap.abs()))
    root = torch.sqrt((1 - square) ** 2 + 4 * square * cosine**2) + (1 - square)
    tau = torch.where(root > 0, 2 * cosine / torch.where(root > 0, root, 1.0), 0.0)
    shrink = -0.5 * torch.log2(1 + square * tau**2)
    long, short = square * tau, -tau
    new = (
        torch.addcmul(x, torch.where(swapped, short, long)[..., None], y),
        torch.addcmul(y, torch.where(swapped, long, short)[..., None], x),
    )
    sizes: list[Tensor] = []
    for row, size in zip(new, (of_x, of_y), strict=True):
        length = torch.linalg.vector_norm(row, dim=-1)
        row /= torch.where(length > 0, length, 1.0)[..., None]
        power, fine = size.unbind(-1)
        sizes.append(torch.stack([power, fine + length.log2() + shrink], -1))
    return new[0], new[1], sizes[0], sizes[1]


def _next_pairs(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The pairs (x_i, y_i) of the next round: all but x_0 move on by one place in a circle."""
    if x.shape[1] == 1:
        return x, y
    return torch.cat([x[:, :1], y[:, :1], x[:, 1:-1]], 1), torch.cat([y[:, 1:], x[:, -1:]], 1)
