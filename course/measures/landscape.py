"""The loss around a point in weight space, on a plane through it.

A plane is a start and two directions; a direction has a tensor for every parameter, like a state
dict. In a network of R replicas each replica has its own plane and its own loss surface.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from course import arguments, seeding
from course.measures import signals
from course.measures.loss import LOSSES, losses
from course.measures.points import outputs_at

Direction = Mapping[str, Tensor]


@dataclass(frozen=True)
class Surface:
    """loss[r, i, j] of replica r at start + alphas[i] first + betas[j] second; all float64.

    Both steps are even. A loss that overflows is infinity or NaN and stays so. `precision` is the
    relative rounding error of a loss: bends smaller than it could make are not counted.
    """

    alphas: numpy.ndarray
    betas: numpy.ndarray
    loss: numpy.ndarray
    precision: float = 1e-6

    def curvatures(self) -> numpy.ndarray:
        """Eigenvalues, ascending, of the Hessian of the slice: (R, len(alphas)-2, len(betas)-2, 2).

        Central second differences at the inner points of the grid, so that kinks (ReLU) count too.
        They are the curvatures of the slice: a negative one proves that the loss itself curves
        downward in some direction; two positive ones prove nothing about the other directions. NaN
        where one of the nine losses is not finite. Li et al. (2018), section 6.
        """
        f = numpy.where(numpy.isfinite(self.loss), self.loss, math.nan)
        da, db = self.alphas[1] - self.alphas[0], self.betas[1] - self.betas[0]
        inner = f[:, 1:-1, 1:-1]
        aa = (f[:, 2:, 1:-1] - 2 * inner + f[:, :-2, 1:-1]) / da**2
        bb = (f[:, 1:-1, 2:] - 2 * inner + f[:, 1:-1, :-2]) / db**2
        ab = (f[:, 2:, 2:] - f[:, 2:, :-2] - f[:, :-2, 2:] + f[:, :-2, :-2]) / (4 * da * db)
        middle, radius = (aa + bb) / 2, numpy.hypot((aa - bb) / 2, ab)
        return numpy.stack([middle - radius, middle + radius], -1)

    def bends_down(self) -> numpy.ndarray:
        """Inner points where the slice curves downward, (R, len(alphas)-2, len(betas)-2).

        That is where the smaller of `curvatures` is negative by more than rounding,
        4 precision |loss| / step^2. False where it isn't finite.
        """
        step = min(self.alphas[1] - self.alphas[0], self.betas[1] - self.betas[0])
        noise = 4 * self.precision * numpy.abs(self.loss[:, 1:-1, 1:-1]) / step**2
        with numpy.errstate(invalid="ignore"):
            return self.curvatures()[..., 0] < -noise

    def nonconvex_share(self) -> numpy.ndarray:
        """Share of inner points that `bends_down`, (R,): 0 for a convex slice, however steep.

        Points whose curvature isn't finite are left out; NaN if none is left.
        """
        known = ~numpy.isnan(self.curvatures()[..., 0])
        down, count = ((mask & known).sum((1, 2)) for mask in (self.bends_down(), known))
        return numpy.where(count > 0, down / numpy.maximum(count, 1), math.nan)

    def local_minima(self) -> numpy.ndarray:
        """Number of inner grid points below all their eight neighbours, (R,): those of `lowest`."""
        return self.lowest().sum((1, 2))

    def lowest(self) -> numpy.ndarray:
        """Which inner grid points lie below all their neighbours, (R, len(alphas)-2, len(betas)-2).

        Of equal neighbours the first in reading order may count, so a flat valley floor of two
        points is one minimum and a constant surface has none. A loss that is not finite is never a
        minimum, and a wall around others.
        """
        f = numpy.where(numpy.isfinite(self.loss), self.loss, math.inf)
        inner = f[:, 1:-1, 1:-1]
        least = numpy.isfinite(inner)
        rows, columns = inner.shape[1:]
        for i in range(3):
            for j in range(3):
                other = f[:, i : i + rows, j : j + columns]
                if (i, j) < (1, 1):
                    least &= inner < other
                elif (i, j) > (1, 1):
                    least &= inner <= other
        return least


def random_directions(network: nn.Module, *, seed: int = 0, count: int = 2) -> list[Direction]:
    """Directions of independent N(0, 1) numbers: a step of the same size for every weight.

    Biases and the parameters of norms get 0. The draw belongs to (seed of the replica, `seed`, name
    of the parameter); a module without `seeds` counts as a replica with seed 0. Shapes are those of
    the parameters. Whether such a step is large or small depends on the scale of the weights: see
    `filter_directions`.
    """
    arguments.whole("seed", seed)
    replicas, seeds = getattr(network, "replicas", None), getattr(network, "seeds", (0,))
    directions: list[Direction] = []
    for number in range(arguments.whole("count", count, least=1)):
        direction = {}
        for name, parameter in network.named_parameters():
            weight = parameter.detach()
            each = signals.split(weight, replicas)
            if each.dim() < 3 or (each is weight and name.rsplit(".")[-1] != "weight"):
                direction[name] = torch.zeros_like(weight)
                continue
            streams = seeding.generators(seeds, f"direction {seed} {number} {name}")
            drawn = torch.stack(
                [torch.randn(each.shape[1:], generator=g, dtype=torch.float64) for g in streams]
            )
            direction[name] = drawn.to(weight).reshape(weight.shape)
        directions.append(direction)
    return directions


def filter_directions(network: nn.Module, *, seed: int = 0, count: int = 2) -> list[Direction]:
    """`random_directions`, in each filter of the length of the weights: d_i <- d_i |w_i| / |d_i|.

    A filter is what feeds one unit: a column of a replicated weight (R, fan_in, fan_out), a row of
    torch's linear weight (fan_out, fan_in), a filter of a convolution. Without that, nets which
    differ only in the scale of their weights would look flat or sharp (ReLU and norms don't care).
    Li, Xu, Taylor, Studer and Goldstein, "Visualizing the loss landscape of neural nets" (2018),
    section 4 and their code, where biases and the parameters of norms get 0 too.
    """
    replicas = getattr(network, "replicas", None)
    directions = random_directions(network, seed=seed, count=count)
    for direction in directions:
        for name, parameter in network.named_parameters():
            weight = parameter.detach()
            each, drawn = (signals.split(w, replicas) for w in (weight, direction[name]))
            if each.dim() < 3:
                continue  # zeros
            filters = [1] if each is weight else list(range(2, each.dim()))
            size, target = (
                torch.linalg.vector_norm(w, dim=filters, keepdim=True) for w in (drawn, each)
            )
            drawn *= target / torch.where(size > 0, size, 1.0)
    return directions


@torch.no_grad()
def surface(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    directions: Sequence[Direction],
    *,
    alphas: Any = None,
    betas: Any = None,
    start: Direction | None = None,
    loss: str | Callable[[Tensor, Tensor], Tensor] = "cross_entropy",
    chunk: int | None = None,
) -> Surface:
    """The loss at start + alpha first + beta second, for two directions and all alphas and betas.

    alphas, betas: evenly spaced, at least three; 41 from -1 to 1 by default, betas like alphas.
    x: what the network takes. y: labels (B,) or (R, B), or for "mse" targets (B, k) or (R, B, k).
    loss: "cross_entropy", "mse", or a function of (outputs, y) that returns one loss per replica,
    (R,) or (). start: parameters, those of the network by default.
    The grid is one more replica axis (`points`), in pieces of `chunk` points, which are chosen for
    about 32 MB (128 MB on a GPU). Batch norm does what it does in the mode that the network is
    in (training: the statistics of the batch, at each point anew). The network is not changed.
    ValueError if directions or axes don't fit.
    """
    if len(directions) != 2:
        raise arguments.reject("directions", f"{len(directions)} of them", "two")
    first, second = directions
    across = _even("alphas", numpy.linspace(-1, 1, 41) if alphas is None else alphas)
    along = across if betas is None else _even("betas", betas)
    weights = {name: p.detach() for name, p in network.named_parameters()}
    middle = weights | dict(start or {})
    for direction in (first, second, middle):
        if {n: d.shape for n, d in direction.items()} != {n: w.shape for n, w in weights.items()}:
            allowed = "a tensor for each parameter of the network, of its shape"
            raise arguments.reject("directions or start", sorted(direction), allowed)
    measure = loss if callable(loss) else partial(_loss, kind=loss)
    if not callable(loss):
        arguments.one_of("loss", loss, LOSSES)
    if chunk is None:
        chunk = _points_at_once(network, x)
    some = next(iter(weights.values()))
    grid = torch.cartesian_prod(*(torch.from_numpy(axis) for axis in (across, along))).to(some)
    measured = vmap(lambda outputs: measure(outputs, y))
    parts = []
    for piece in grid.split(arguments.whole("chunk", chunk, least=1)):
        points = {
            n: _go(_go(w, piece[:, 0], first[n]), piece[:, 1], second[n]) for n, w in middle.items()
        }
        parts.append(measured(outputs_at(network, points, x)).to("cpu", torch.float64))
    values = torch.cat(parts).reshape(len(across), len(along), -1).movedim(-1, 0)
    return Surface(across, along, values.numpy(), 8 * torch.finfo(some.dtype).eps)


def _go(start: Tensor, steps: Tensor, direction: Tensor) -> Tensor:
    """start + step direction for each of P steps, (P, ...); start is one point, or P."""
    return torch.addcmul(start, steps.view(-1, *[1] * direction.dim()), direction)


def _loss(outputs: Tensor, y: Tensor, kind: str) -> Tensor:
    outputs = outputs if outputs.dim() == 3 else outputs[None]
    shape = outputs.shape[:2] if kind == "cross_entropy" else outputs.shape
    return losses(outputs, y.expand(shape), kind)


def _even(name: str, axis: Any) -> numpy.ndarray:
    values = numpy.asarray(axis, dtype=numpy.float64)
    steps = numpy.diff(values) if values.ndim == 1 else numpy.zeros(0)
    if len(steps) < 2 or not (steps > 0).all() or not numpy.allclose(steps, steps.mean(), 1e-6):
        raise arguments.reject(name, axis, "at least three evenly spaced, rising numbers")
    return values


def _points_at_once(network: nn.Module, x: Tensor) -> int:
    """How many grid points fit in 32 MB: their weights, and a few of the widest signals.

    A CPU keeps about so much close at hand: with four times as many it takes a third longer.
    """
    with signals.outputs_of(list(network.modules())) as outputs:
        functional_call(network, {n: b.clone() for n, b in network.named_buffers()}, (x,))
    sizes = [output.numel() for output in map(signals.first_tensor, outputs) if output is not None]
    widest = max(sizes, default=1)
    weights = sum(parameter.numel() for parameter in network.parameters())
    numbers = 2**25 if x.is_cuda else 2**23
    return max(1, numbers // (weights + 4 * widest))


@dataclass(frozen=True)
class Path:
    """A path of training on the plane that holds most of it.

    start: the parameters at the end of the path (the middle of the plane); directions: two, for
    `surface`, of length 1 and at right angles, in each replica; coordinates (R, T, 2): the path on
    the plane, ending at (0, 0); explained (R, 2): share of the variance of the path along each.
    """

    start: Direction
    directions: list[Direction]
    coordinates: numpy.ndarray
    explained: numpy.ndarray


def path_plane(snapshots: Sequence[Direction], replicas: int | None = None) -> Path:
    """The two principal directions of T >= 3 snapshots of the parameters, first to last.

    PCA of the rows theta_t - theta_T in each replica: Li et al. (2018), section 7.2. `replicas` as
    in the network that the snapshots come from (None: not replicated). A word of caution: two
    directions explain most of any path in many dimensions, even of a random walk (Antognini and
    Sohl-Dickstein, "PCA of high dimensional random walks", 2018), and the loss near the plane isn't
    the loss on it. NaN in a replica gives NaN for it. A path that stands still has explained 0.
    """
    if len(snapshots) < 3:
        raise arguments.reject("snapshots", f"{len(snapshots)} of them", "at least three")
    end = {name: value.detach().clone() for name, value in snapshots[-1].items()}
    rows = torch.stack([_flat(s, replicas) for s in snapshots], 1)  # (R, T, parameters)
    rows = rows - rows[:, -1:]
    finite = rows.isfinite().all(-1).all(-1)
    rows = torch.where(finite[:, None, None], rows, 0.0)
    centred = rows - rows.mean(1, keepdim=True)
    _, singular, axes = torch.linalg.svd(centred, full_matrices=False)
    power = singular.square()
    total = power.sum(-1, keepdim=True)
    explained = power[:, :2] / torch.where(total > 0, total, 1.0)
    coordinates = rows @ axes[:, :2].mT
    known = torch.where(finite, 1.0, math.nan)
    return Path(
        end,
        [_shaped(axes[:, k], end, replicas) for k in range(2)],
        (coordinates * known[:, None, None]).numpy(),
        (explained * known[:, None]).numpy(),
    )


def _flat(weights: Direction, replicas: int | None) -> Tensor:
    parts = [signals.split(w.detach(), replicas).flatten(1) for w in weights.values()]
    return torch.cat([part.to("cpu", torch.float64) for part in parts], 1)


def _shaped(flat: Tensor, like: Direction, replicas: int | None) -> Direction:
    sizes = [signals.split(weight, replicas)[0].numel() for weight in like.values()]
    pieces = flat.split(sizes, 1)
    return {
        name: piece.reshape(weight.shape).to(weight)
        for (name, weight), piece in zip(like.items(), pieces, strict=True)
    }
