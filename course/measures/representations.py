"""What one matrix of activations says: its rank, its alignment, its neighbours, its flat units.

Every function takes activations of shape (..., B, n), B samples by n units, and gives one number
for each matrix: a float64 CPU tensor of shape (...). A matrix that holds NaN or infinity gives NaN.
Results do not depend on the scale of a matrix, so nothing overflows however large it is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy
import torch
from torch import Tensor

from course import arguments

# Outside (least, most) the slope of an activation is under 5 % of its greatest, and stays there:
# tanh'(2.178) = 0.05, and so on (the test differentiates). One that has no flat side has no bounds.
FLAT: dict[str, tuple[float, float]] = {
    "sigmoid": (-4.3565, 4.3565),
    "tanh": (-2.1783, 2.1783),
    "hard-tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "elu": (-2.9957, math.inf),
    "selu": (-2.9957, math.inf),
    "gelu": (-2.2786, math.inf),
    "silu": (-3.9299, math.inf),
    "leaky-relu": (-math.inf, math.inf),
    "identity": (-math.inf, math.inf),
}


def double(x: Any) -> Tensor:
    """`x` as a float64 tensor on the CPU, without its history."""
    return _tensor(x).detach().to("cpu", torch.float64)


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else torch.as_tensor(numpy.asarray(x))


def matrices(name: str, x: Any) -> tuple[Tensor, Tensor, Tensor]:
    """`x` (..., B, n) over a power of two each, which one, and whether `x` is finite, both (...).

    The largest entry of a scaled matrix is between 1/2 and 1 (scaling rounds nothing), or 0. What
    is not finite comes back as zeros. ValueError if `x` has fewer than two axes or no entry.
    """
    values = double(x)
    if values.dim() < 2 or 0 in values.shape[-2:]:
        raise arguments.reject(f"shape of {name}", tuple(values.shape), "(..., samples, units)")
    finite = values.isfinite().all(-1).all(-1)
    values = torch.where(finite[..., None, None], values, 0.0)
    power = torch.frexp(values.abs().amax((-2, -1))).exponent.double().clamp(min=-1000)
    return values * torch.exp2(-power)[..., None, None], power, finite


def lengths(name: str, x: Any) -> Tensor:
    """`x` as `double` returns it; ValueError where one of its numbers is below 0."""
    values = double(x)
    if (values < 0).any():
        raise arguments.reject(name, values.min().item(), "numbers >= 0")
    return values


def _over(values: Tensor, size: Tensor) -> Tensor:
    """values / size, and 0 where the size is 0."""
    return values / torch.where(size > 0, size, 1.0)


def _known(result: Tensor, finite: Tensor) -> Tensor:
    return torch.where(finite, result, math.nan)


WIDE = 1024
"""Length of a side beyond which a matrix is reduced to the products of its rows or columns."""

CHUNK = 1 << 20
"""Numbers that are handled at once: more would be slower, for want of cache."""


def relative_singular_values(x: Any, *, centred: bool = False) -> Tensor:
    """Singular values (..., min(B, n)), largest first, of each matrix over a power of two.

    centred: take from each column its mean over the samples first. What may be nothing but rounding
    counts as 0: errors of epsilon times the largest entry in each number, with the epsilon of the
    type of `x`, have singular values of up to epsilon (sqrt(B) + sqrt(n)) times that entry.
    With a side over `WIDE` they are the roots of the eigenvalues of x x^T (or x^T x, the smaller):
    tens of times faster, and what is less than 1e-7 of the largest counts as 0.
    """
    values, _, finite = matrices("x", x)
    if centred:
        largest = values.abs().amax((-2, -1), keepdim=True)[..., 0]
        values = values - values.mean(-2, keepdim=True)
    if max(values.shape[-2:]) <= WIDE:
        singular = torch.linalg.svdvals(values)
    else:
        turned = values if values.shape[-2] <= values.shape[-1] else values.mT
        squares = torch.linalg.eigvalsh(turned @ turned.mT).flip(-1)
        singular = torch.where(squares > 1e-14 * squares[..., :1], squares, 0.0).sqrt()
    if centred:
        kind = _tensor(x).dtype
        epsilon = torch.finfo(kind if kind.is_floating_point else torch.float64).eps
        rounding = epsilon * sum(math.sqrt(side) for side in values.shape[-2:]) * largest
        singular = torch.where(singular > rounding, singular, 0.0)
    return _known(singular, finite[..., None])


def entropy_rank(singular: Any) -> Tensor:
    """Effective rank of singular values s (..., k): exp(-sum_i p_i log p_i), p_i = s_i / sum_j s_j.

    Between 1 (one direction) and k (all alike); 0 when all are 0. Their common scale is irrelevant.
    Roy and Vetterli, "The effective rank: a measure of effective dimensionality" (2007).
    """
    values = lengths("singular", singular)
    share = _over(values, values.amax(-1, keepdim=True))
    share = _over(share, share.sum(-1, keepdim=True))
    rank = torch.special.entr(share).sum(-1).exp()
    return torch.where(values.amax(-1) == 0, 0.0, rank)


def participation(singular: Any) -> Tensor:
    """Participation ratio of singular values s (..., k): (sum_i s_i^2)^2 / sum_i s_i^4.

    Between 1 and k; 0 when all are 0. With variances v_i = s_i^2 it is (sum v)^2 / sum v^2: k equal
    ones count as k, and a small one hardly counts (in `entropy_rank` it counts more).
    Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement" (2017).
    """
    values = lengths("singular", singular)
    squares = _over(values, values.amax(-1, keepdim=True)) ** 2
    return _over(squares.sum(-1) ** 2, (squares**2).sum(-1))


def effective_rank(x: Any, *, centred: bool = True) -> Tensor:
    """`entropy_rank` of the singular values of activations (..., B, n).

    In how many directions the samples differ. Centred: the mean over the samples, which all have in
    common (`mean_cosine` sees it), is taken off first; not centred it counts as a direction.
    0 where all samples are alike.
    """
    return entropy_rank(relative_singular_values(x, centred=centred))


def participation_ratio(x: Any, *, centred: bool = True) -> Tensor:
    """`participation` of the singular values of activations (..., B, n), as `effective_rank`.

    Centred it is (tr C)^2 / tr C^2 with C the covariance matrix of the units.
    """
    return participation(relative_singular_values(x, centred=centred))


def mean_cosine(x: Any) -> Tensor:
    """Mean over all pairs of different samples of cos(x_a, x_b) = x_a . x_b / (|x_a| |x_b|).

    1: all inputs look alike to the next layer; 0: unrelated on average. A sample that is 0
    throughout has no direction and is left out; with fewer than two others the result is NaN.
    """
    values, _, finite = matrices("x", x)
    rows = _over(values, values.abs().amax(-1, keepdim=True))
    rows = _over(rows, torch.linalg.vector_norm(rows, dim=-1, keepdim=True))
    count = (rows != 0).any(-1).sum(-1)
    pairs = count * (count - 1)
    cosine = (rows.sum(-2).square().sum(-1) - count) / pairs.clamp(min=1)
    return _known(cosine, finite & (pairs > 0))


def nearest_neighbour_accuracy(x: Any, y: Any) -> Tensor:
    """Share of samples whose nearest other sample (Euclidean distance) carries the same label.

    x: (..., B, n); y: whole numbers (B,) or (..., B). Leave-one-out 1-nearest-neighbour accuracy:
    it says whether a layer still knows which inputs are alike. Of several nearest at exactly the
    same distance each counts in equal parts, so identical rows give the chance level. NaN for
    B = 1. Distances are taken entry by entry in float64: no cancellation between nearby rows. Of
    rows longer than `WIDE` they come from products of the centred rows, tens of times faster, and
    two of which the squares differ by less than 1e-13 of the rows' own squares count as the same.
    Cover and Hart, "Nearest neighbor pattern classification" (1967). ValueError if y doesn't fit.
    """
    values, _, finite = matrices("x", x)
    labels = _tensor(y).to("cpu")
    samples = values.shape[-2]
    if labels.shape not in ((samples,), values.shape[:-1]):
        allowed = f"({samples},), or for each matrix {tuple(values.shape[:-1])}"
        raise arguments.reject("shape of y", tuple(labels.shape), allowed)
    labels, values = labels.expand(values.shape[:-1])[None], values[None]
    if samples < 2:
        return torch.full(finite.shape, math.nan, dtype=torch.float64)
    pairs = zip(values.flatten(0, -3), labels.flatten(0, -2), strict=True)
    accuracy = torch.stack([_neighbours_agree(rows, names) for rows, names in pairs])
    return _known(accuracy.reshape(finite.shape), finite)


def _neighbours_agree(rows: Tensor, labels: Tensor) -> Tensor:
    if rows.shape[-1] <= WIDE:
        distance = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
        rounding = torch.zeros_like(distance)
    else:
        rows = rows - rows.mean(0)
        products = rows @ rows.mT
        squares = products.diagonal()
        sum_of_squares = squares[:, None] + squares
        distance, rounding = sum_of_squares - 2 * products, 1e-13 * sum_of_squares  # |a - b|^2
    distance.fill_diagonal_(math.inf)
    nearest = (distance - rounding <= distance.amin(-1, keepdim=True)).double()
    agree = (labels[:, None] == labels).double()
    return ((nearest * agree).sum(-1) / nearest.sum(-1)).mean()


def nearest_neighbours(x: Any, example: int, count: int = 6) -> Tensor:
    """Indices (..., count) of the samples nearest to one sample, the nearest first.

    x: (..., B, n), finite; example: the sample's index, which is not among its neighbours.
    Distances are Euclidean, in float64; of several at the same one the lower index comes first.
    """
    values, _, finite = matrices("x", x)
    if not finite.all():
        raise arguments.reject("x", "numbers that are not finite", "finite numbers only")
    most = values.shape[-2] - 1
    example = arguments.whole("example", example, most=most)
    count = arguments.whole("count", count, least=1, most=most)
    distance = torch.linalg.vector_norm(values - values[..., example, None, :], dim=-1)
    distance[..., example] = math.inf
    return distance.sort(stable=True, dim=-1).indices[..., :count]


def dead(x: Any) -> Tensor:
    """Share of units that are exactly 0 on every sample: nothing passes, forward or backward.

    x: (..., B, n), outputs of an activation (a ReLU unit that is off for all inputs is dead).
    """
    values, _, finite = matrices("x", x)
    return _known((values == 0).all(-2).double().mean(-1), finite)


def saturated(z: Any, activation: str) -> Tensor:
    """Share of (sample, unit) pairs where the activation is flat: slope under 5 % of its greatest.

    z: (..., B, n), what goes INTO the activation; `activation`: a key of `FLAT`, which has the
    bounds. For sigmoid abs(z) > 4.36, tanh abs(z) > 2.18, hard-tanh abs(z) >= 1, ReLU z <= 0.
    Leaky ReLU is flat nowhere. Glorot and Bengio (2010), section 3. ValueError if unknown.
    """
    least, most = FLAT[arguments.one_of("activation", activation, FLAT)]
    return share_outside(z, least, most)


def share_outside(z: Any, least: float, most: float) -> Tensor:
    """Share of the entries of z (..., B, n) that are not strictly between `least` and `most`."""
    values = _tensor(z).detach()
    count = torch.zeros(values.shape[:-2], dtype=torch.int64)
    finite = torch.ones(values.shape[:-2], dtype=torch.bool)
    size = values.shape[-2:].numel()
    for piece in values.split(max(1, CHUNK * values.shape[-2] // max(1, values.numel())), -2):
        count += ((piece <= least) | (piece >= most)).sum((-2, -1)).cpu()
        finite &= piece.isfinite().all(-1).all(-1).cpu()
    return _known(count.double() / size, finite)


def sample_norm(x: Any) -> Tensor:
    """Root mean square length of a sample of x (..., B, n): sqrt(mean_b |x_b|^2)."""
    values, power, finite = matrices("x", x)
    length = values.square().sum(-1).mean(-1).sqrt()
    return _known(length * torch.exp2(power), finite)
