"""A layer in one forward pass: what a probe keeps of its output, and the measures of that."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy
import torch
from torch import Tensor

from course.measures import representations, signals

UNITS = 8192
"""Numbers of a sample that are kept at most."""

# What `Probe.table` measures on the activations (R, B, n) of a layer: one number per replica.
MEASURES: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.mean((-2, -1)),
    "sd": lambda x: x.std((-2, -1), correction=0),
    "norm": representations.sample_norm,
    "nonfinite": lambda x: (~x.isfinite()).double().mean((-2, -1)),
    "cosine": representations.mean_cosine,
}
# The same from the singular values of the centred activations, which are computed once.
RANKS: dict[str, Callable[[Tensor], Tensor]] = {
    "effective_rank": representations.entropy_rank,
    "participation_ratio": representations.participation,
}
WHOLE = ("mean", "sd", "norm", "nonfinite")
"""What is measured of all numbers of a sample, also where only some are kept."""


@dataclass(frozen=True)
class Activations:
    """One layer's output.

    values: (R, B, k) on the CPU, all numbers of each sample, or UNITS of them, the same of each.
    whole: by name, the measures of all numbers, (R,) float64, where only some are kept.
    """

    values: Tensor
    whole: dict[str, Tensor]

    def measures(self, names: Sequence[str], labels: Tensor | None) -> dict[str, Tensor]:
        """The measures of these names, (R,) float64 each; labels (B,) or (R, B) for neighbours."""
        x = self.values
        wide = x.to(torch.float64)
        result = {
            name: self.whole[name] if name in self.whole else MEASURES[name](wide)
            for name in names
            if name in MEASURES
        }
        if any(name in RANKS for name in names):
            singular = representations.relative_singular_values(x, centred=True)
            result |= {name: rank(singular) for name, rank in RANKS.items() if name in names}
        if "neighbours" in names:
            result["neighbours"] = (
                torch.full((x.shape[0],), torch.nan, dtype=torch.float64)
                if labels is None
                else representations.nearest_neighbour_accuracy(x, labels)
            )
        return {name: result[name] for name in names}


@dataclass
class Layer:
    """One layer in one forward pass, as a probe saw it."""

    name: str
    kind: str
    activation: str = ""
    flat: list[Tensor] = field(default_factory=list)  # share saturated, per activation inside
    zero: list[Tensor] = field(default_factory=list)  # share dead, likewise
    output: Activations | None = None
    shape: tuple[int, ...] = ()
    replicas: int = 1
    samples: int = 0
    history: bool = False  # whether autograd knows where the output came from
    gradient: Tensor | None = None
    known: dict[str, numpy.ndarray] = field(default_factory=dict)

    def record(self, names: Sequence[str], labels: Tensor | None, reached: bool) -> dict[str, Any]:
        """The record of `Probe.table`, with the measures of these names.

        reached: whether a backward pass was seen, here or elsewhere in the module.
        """
        if self.output is not None and not self.known:
            fits = labels is not None and labels.shape[-1] == self.samples
            few = (
                labels[..., : self.output.values.shape[1]] if labels is not None and fits else None
            )
            measured = self.output.measures(names, few)
            self.known = {name: value.numpy() for name, value in measured.items()}
        none = numpy.full(self.replicas, math.nan)
        return {
            "layer": self.name,
            "kind": self.kind,
            "activation": self.activation,
            "shape": self.shape,
            **{name: self.known.get(name, none) for name in names},
            "saturated": torch.stack(self.flat).mean(0).numpy() if self.flat else none,
            "dead": torch.stack(self.zero).mean(0).numpy() if self.zero else none,
            "gradient": none if self.gradient is None else self.gradient.numpy(),
            "backward": self._backward(reached),
        }

    def _backward(self, reached: bool) -> str:
        if self.gradient is not None:
            return "finite" if self.gradient.isfinite().all() else "not finite"
        if not self.shape:
            return "no output"
        if not self.history:
            return "no history"
        return "detached or unused" if reached else "no backward pass"


def keep(x: Tensor, measure: Sequence[str]) -> Activations:
    """A copy of the output x (R, B, n) that what runs next can't overwrite."""
    n = x.shape[-1]
    if n <= UNITS:
        return Activations(x.to("cpu", copy=True), {})
    whole = _of_all(x) if any(name in WHOLE for name in measure) else {}
    return Activations(x.index_select(-1, _some(n).to(x.device)).cpu(), whole)


@cache
def _some(n: int) -> Tensor:
    """UNITS of n places, drawn at random (for each n the same), in rising order."""
    source = torch.Generator().manual_seed(n)
    return torch.randperm(n, generator=source)[:UNITS].sort().values


def _of_all(x: Tensor) -> dict[str, Tensor]:
    """mean, sd, norm and nonfinite of all of x (R, B, n), in float64 and in little memory."""
    pieces = x.split(max(1, representations.CHUNK // x.shape[-1]), dim=1)
    parts = [torch.stack(part).cpu() for part in zip(*map(_moments, pieces), strict=True)]
    mean, sd, norm, nonfinite = parts
    share = torch.tensor([piece.shape[1] for piece in pieces]).double()[:, None] / x.shape[1]
    middle = (share * mean).sum(0)
    spread = (share * (sd.square() + (mean - middle).square())).sum(0).sqrt()
    length = (share.log() + 2 * norm.log()).logsumexp(0).div(2).exp()  # rms; no square overflows
    return dict(mean=middle, sd=spread, norm=length, nonfinite=(share * nonfinite).sum(0))


def _moments(piece: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    size = piece[0].numel()
    values = signals.in_double(piece.detach(), copy=True)
    mean = values.mean((-2, -1))
    norm = torch.linalg.vector_norm(values, dim=(-2, -1)) / values.shape[1] ** 0.5
    if piece.dtype == torch.float64:  # squares of narrower numbers never overflow in float64
        norm = representations.sample_norm(piece).to(norm.device)
    if norm.isfinite().all():
        nonfinite = torch.zeros_like(norm)
    else:
        nonfinite = (~values.isfinite()).double().mean((-2, -1))
        norm = torch.where(nonfinite > 0, torch.nan, norm)
    values -= mean[:, None, None]
    return mean, torch.linalg.vector_norm(values, dim=(-2, -1)) / size**0.5, norm, nonfinite


def largest_by_unit(x: Tensor, replicas: int | None, most: int) -> Tensor:
    """The largest size of each unit over its places, (R, B, units), of the first `most` samples.

    Units are the channels of images, else the last axis. NaN and infinity stay what they are.
    """
    x = signals.split(x, replicas)[:, :most]
    x = x if x.dim() > 2 else x[..., None]
    places = tuple(range(3, x.dim())) if x.dim() > 4 else tuple(range(2, x.dim() - 1))
    return torch.maximum(x.amax(places), -x.amin(places)) if places else x
