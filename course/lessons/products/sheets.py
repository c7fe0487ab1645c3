"""A sheet of inputs in the plane, mapped by one random smooth map of the plane after another.

h_(k+1) = sqrt(2/F) cos(h_k W + b) A with F = 200 random frequencies, a draw of a smooth random map
(a Gaussian process, nearly). Its Jacobian is a 2 x 2 Gaussian matrix at every point, so sheets show
what products of random matrices do. "Connected": each map after the first also sees the input x, as
h_(k+1) = f([h_k, x]), with frequencies smaller by sqrt(2), so that f varies no faster than before.
After Duvenaud, Rippel, Adams and Ghahramani, "Avoiding pathologies in very deep networks" (2014).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
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

    ratio: (D+1, N), log10 of s_2/s_1 of the Jacobian of the maps so far, at each input.
    largest: (D+1, N), log10 of s_1.
    """

    points: np.ndarray
    ratio: np.ndarray
    largest: np.ndarray


def square(side: int = 64, half: float = 1.5) -> np.ndarray:
    """side x side points of a square around 0: (side^2, 2), sorted into its four quarters."""
    along = np.linspace(-half, half, 2 * (whole("side", side, least=2) // 2))
    points = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)
    return points[np.lexsort((points[:, 0] > 0, points[:, 1] > 0))]


def moved(x: np.ndarray, *, seed: int = 0, connected: bool = False) -> Iterator[np.ndarray]:
    """The inputs x (N, 2) after 0, 1, 2, ... random maps, without end: what `crush` calls points.

    Each is computed when it is asked for.
    """
    h = x
    for layer in itertools.count():
        yield h
        draws = _draws(_dimensions(layer, connected), seed, layer)
        h = _values(np.concatenate([h, x], 1) if connected and layer else h, *draws)


def crush(x: np.ndarray, depth: int, *, seed: int = 0, connected: bool = False) -> Sheet:
    """Send the inputs x (N, 2) through `depth` random maps."""
    whole("depth", depth)
    h, slope = x, np.broadcast_to(np.eye(2), (len(x), 2, 2))
    log_det, log_size = np.zeros(len(x)), np.zeros(len(x))
    points, ratios, lengths = [x], [np.zeros(len(x))], [np.zeros(len(x))]
    for layer in range(depth):
        joined = connected and layer > 0
        draws = _draws(_dimensions(layer, connected), seed, layer)
        at = np.concatenate([h, x], 1) if joined else h
        h, jacobian = _values(at, *draws), _jacobians(at, *draws)
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


def _dimensions(layer: int, connected: bool) -> int:
    return 4 if connected and layer else 2


def _draws(dimensions: int, seed: int, layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """W (m, F), b (F,) and A (F, 2) of the map of a layer."""
    stream = seeding.generator(seed, f"sheet {layer}, {dimensions}")
    w = _normal(dimensions, stream) * math.sqrt(2 / dimensions)
    b = 2 * math.pi * torch.rand(FEATURES, generator=stream, dtype=torch.float64)
    return w, b, _normal(2, stream).T * math.sqrt(2 / FEATURES)


def _values(h: np.ndarray, w: Tensor, b: Tensor, a: Tensor) -> np.ndarray:
    """The map at h (N, m): (N, 2)."""
    parts = torch.from_numpy(h).split(CHUNK)
    return torch.cat([torch.addmm(b, part, w).cos() @ a for part in parts]).numpy()


def _jacobians(h: np.ndarray, w: Tensor, b: Tensor, a: Tensor) -> np.ndarray:
    """Its Jacobians at h (N, m): (N, m, 2)."""
    slopes = -torch.addmm(b, torch.from_numpy(h), w).sin()[:, None, :] * w
    return (slopes @ a).numpy()


def _through(block: nn.Module, h: Tensor) -> tuple[Tensor, Tensor]:
    """A ReLU layer at h (R, 1, m): its output (R, 1, n), and its Jacobian (R, m, n)."""
    assert isinstance(block, PostActivation) and isinstance(block.linear, Linear)
    z = block.linear(h)
    return block.act(z), block.linear.weight * (z > 0)


def _normal(rows: int, stream: torch.Generator) -> Tensor:
    return torch.randn(rows, FEATURES, generator=stream, dtype=torch.float64)


def _log_det(matrices: np.ndarray) -> np.ndarray:
    return np.log10(np.maximum(np.abs(np.linalg.det(matrices)), 1e-300))
