"""Samples of the Jacobian between two layers: do unrelated directions stay unrelated?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course import measures
from course.doctor import patient as patients
from course.doctor.evidence import Evidence
from course.doctor.words import number

DIRECTIONS = 4
"""Random directions: their six pairs give the mean cosine to about 0.1."""


def alignment(evidence: Evidence) -> tuple[float, float] | None:
    """(mean |cosine| of J^T v and J^T w, that of unrelated vectors), from the last hidden layer
    back to the first; None where no gradient comes, or the layers are no modules.

    J is the Jacobian of the one layer's output by the other's, for each of up to 32 examples; v
    and w are `DIRECTIONS` random normal directions: as many passes back. A Jacobian with one large
    singular value turns all into one direction, 1; an orthogonal one keeps sqrt(2 / (pi n)), for
    n numbers. Saxe et al. (2014); the notebook on degeneracy.
    """
    layers = [one.name for one in evidence.weighted[:-1]]
    modules = dict(evidence.model.named_modules())
    if len(layers) < 2 or layers[0] not in modules or layers[-1] not in modules:
        return None
    outputs: dict[str, Tensor] = {}

    def keep(name: str, output: object) -> None:
        x = next(patients.tensors(output), None)
        if x is not None and x.requires_grad:
            outputs.setdefault(name, x)

    handles = [
        modules[name].register_forward_hook(lambda *call, name=name: keep(name, call[2]))
        for name in (layers[0], layers[-1])
    ]
    try:
        with measures.untouched_buffers(evidence.model):
            evidence.patient.forward(evidence.model, evidence.trained[0])
    finally:
        for handle in handles:
            handle.remove()
    if len(outputs) < 2:
        return None
    first, last = outputs[layers[0]], outputs[layers[-1]]
    source = torch.Generator().manual_seed(0)
    rows = []
    for _ in range(DIRECTIONS):
        v = torch.randn(last.shape, generator=source).to(last)
        slope: Tensor | None = torch.autograd.grad(
            last, first, v, retain_graph=True, allow_unused=True
        )[0]
        if slope is None:
            return None
        rows.append(slope.detach()[:32].double().flatten(1))
    return _cosine(torch.stack(rows, 1)), (2 / (torch.pi * rows[0].shape[1])) ** 0.5


def in_words(evidence: Evidence) -> list[str]:
    """A sentence on the alignment, where it was measured."""
    turned = alignment(evidence)
    if turned is None:
        return []
    layers = [one.name for one in evidence.weighted[:-1]]
    return [
        f"{DIRECTIONS} random directions at {layers[-1]} come back to {layers[0]} with a mean "
        f"|cosine| of {number(turned[0])} (unrelated ones have {number(turned[1])})"
    ]


def _cosine(vectors: Tensor) -> float:
    """Mean |cosine| of the pairs among vectors (B, K, n), over those that are not 0."""
    unit = nn.functional.normalize(vectors, dim=-1)
    pairs = (unit @ unit.mT).abs()
    upper = torch.ones(pairs.shape[-2:], dtype=torch.bool).triu(1)
    alive = (vectors.norm(dim=-1) > 0).all(1)
    return float(pairs[alive][:, upper].mean()) if bool(alive.any()) else float("nan")
