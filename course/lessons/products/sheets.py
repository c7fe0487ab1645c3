"""A sheet of inputs in the plane, mapped by one random smooth map of the plane after another.

h_(k+1) = sqrt(2/F) cos(h_k W + b) A with F = 200 random frequencies, a draw of a smooth random map
(a Gaussian process, nearly). Its Jacobian is a 2 x 2 Gaussian matrix at every point, so sheets show
what products of random matrices do. "Connected": each map after the first also sees the input x, as
h_(k+1) = f([h_k, x]), with frequencies smaller by sqrt(2), so that f varies no faster than before.
After Duvenaud, Rippel, Adams and Ghahramani, "Avoiding pathologies in very deep networks" (2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course import networks, seeding
from course.arguments import whole
from course.networks import Linear, PostActivation

FEATURES = 200
CHUNK = 512  # points whose angles stay in the processor's cache


@dataclass(frozen=True)
class Sheet:
    """points: (D+1, N, 2), where each input is after 0 ... D maps.

    ratio: (D+1, M), log10 of s_2/s_1 of the Jacobian of the maps so far, at M of the inputs.
    largest: (D+1, M), log10 of s_1.
    """

    points: np.ndarray
    ratio: np.ndarray
    largest: np.ndarray


def square(side: int = 64, half: float = 1.5) -> np.ndarray:
    """side x side points of a square around 0: (side^2, 2), sorted into its four quarters."""
    along = np.linspace(-half, half, 2 * (whole("side", side, least=2) // 2))
    points = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)
    return points[np.lexsort((points[:, 0] > 0, points[:, 1] > 0))]


def crush(
    x: np.ndarray, depth: int, *, seed: int = 0, connected: bool = False, every: int = 1
) -> Sheet:
    """Send the inputs x (N, 2) through `depth` random maps; Jacobians at each `every`-th input."""
    whole("depth", depth)
    step = whole("every", every, least=1)
    sampled = x[::step]
    h, slope = x, np.broadcast_to(np.eye(2), (len(sampled), 2, 2))
    log_det, log_size = np.zeros(len(sampled)), np.zeros(len(sampled))
    points, ratios, lengths = [x], [np.zeros(len(sampled))], [np.zeros(len(sampled))]
    for layer in range(depth):
        joined = connected and layer > 0
        h, jacobian = _map(np.concatenate([h, x], 1) if joined else h, seed, layer, step)
        slope = slope @ jacobian[:, :2] + (jacobian[:, 2:] if joined else 0.0)
        if connected:
            log_det = _log_det(slope)
        else:  # the determinant of a product keeps what its rounded entries have lost
            size = np.linalg.norm(slope, axis=(1, 2))
            slope = slope / size[:, None, None]  # scaling changes no ratio
            log_det = log_det + _log_det(jacobian) - 2 * np.log10(size)
            log_size = log_size + np.log10(size)
        points.append(h)
        longest = np.log10(np.linalg.norm(slope, 2, axis=(1, 2)))
        ratios.append(np.minimum(log_det - 2 * longest, 0.0))
        lengths.append(longest + log_size)
    return Sheet(np.stack(points), np.stack(ratios), np.stack(lengths))


def expected_ratio(depth: int | np.ndarray) -> np.ndarray:
    """log10 of s_2/s_1 for many maps, the mean over draws: -(depth + 2) log10(2).

    Products of 2 x 2 Gaussian matrices have exponents that differ by ln 2 (`products.exponents`):
    the ratio halves with every map. A fixed direction falls short of the best one by ln 2 in the
    mean of the logarithm, and as their product is the determinant, s_2 by as much more: the 2.
    """
    return -(np.asarray(depth, dtype=float) + 2) * math.log10(2)


def expected_largest(depth: int | np.ndarray) -> np.ndarray:
    """log10 of s_1 for many maps, the mean over draws: L (ln 2 + psi(1)) / (2 ln 10) + log10(2).

    A fixed direction takes the factor |x W| per map, W 2 x 2 with entries of variance 1, of which
    the mean logarithm is (ln 2 + psi(1)) / 2 = 0.058; the best direction is ahead of it by ln 2.
    """
    per_map = (math.log(2) - np.euler_gamma) / (2 * math.log(10))
    return np.asarray(depth, dtype=float) * per_map + math.log10(2)


def mlp_ratio(width: int, depth: int, *, seeds: range) -> np.ndarray:
    """log10 of s_2/s_1 of a ReLU network from the plane to `width` units, for each seed, (R,).

    He's weights; at one input each. Where every unit is dead nothing is left to compare: NaN.
    """
    network = networks.mlp(
        [2] + [width] * depth + [1], seeds=seeds, init="he_normal", dtype=torch.float64
    )
    draws = [torch.randn(1, 2, generator=g) for g in seeding.generators(seeds, "input")]
    h, slope = torch.stack(draws).double(), torch.eye(2, dtype=torch.float64)
    with torch.no_grad():
        for block in network.blocks:
            h, jacobian = _through(block, h)
            slope = slope @ jacobian
            size = slope.abs().amax((-2, -1), keepdim=True)
            slope = slope / torch.where(size > 0, size, 1.0)  # scaling changes no ratio
    singular = torch.linalg.svdvals(slope)
    ratio = torch.where(singular[:, 0] > 0, singular[:, 1] / singular[:, 0], math.nan)
    return ratio.log10().numpy()


def _map(h: np.ndarray, seed: int, layer: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """The map of a layer at h (N, m): values (N, 2), and Jacobians (M, m, 2) at each step-th."""
    dimensions = h.shape[1]
    stream = seeding.generator(seed, f"sheet {layer}, {dimensions}")
    w = _normal(dimensions, stream) * math.sqrt(2 / dimensions)
    b = 2 * math.pi * torch.rand(FEATURES, generator=stream, dtype=torch.float64)
    a = _normal(2, stream).T * math.sqrt(2 / FEATURES)
    points = torch.from_numpy(h)
    slopes = -torch.addmm(b, points[::step], w).sin()[:, None, :] * w
    parts = points.split(CHUNK)
    values = torch.cat([torch.addmm(b, part, w).cos() @ a for part in parts])
    return values.numpy(), (slopes @ a).numpy()


def _through(block: nn.Module, h: Tensor) -> tuple[Tensor, Tensor]:
    """A ReLU layer at h (R, 1, m): its output (R, 1, n), and its Jacobian (R, m, n)."""
    assert isinstance(block, PostActivation) and isinstance(block.linear, Linear)
    z = block.linear(h)
    return block.act(z), block.linear.weight * (z > 0)


def _normal(rows: int, stream: torch.Generator) -> Tensor:
    return torch.randn(rows, FEATURES, generator=stream, dtype=torch.float64)


def _log_det(matrices: np.ndarray) -> np.ndarray:
    return np.log10(np.maximum(np.abs(np.linalg.det(matrices)), 1e-300))
