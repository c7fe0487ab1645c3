"""What speaks for it that parameters are left alone on purpose: they look trained, or copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from course.doctor.evidence import Evidence
from course.doctor.patient import Patient


def in_optimizer(patient: Patient) -> set[int]:
    """The identities of the parameters that the optimizer has."""
    groups = [] if patient.optimizer is None else patient.optimizer.param_groups
    return {id(p) for group in groups for p in group["params"]}


def drawn_and_frozen(evidence: Evidence) -> list[str]:
    """Frozen matrices that look as they were drawn, and follow no other."""
    named = dict(evidence.model.named_parameters())
    silent = [n for n, p in named.items() if not p.requires_grad and p.dim() >= 2]
    return [n for n in silent if looks_drawn(named[n]) and not has_twin(named, n, silent)]


def why_drawn(evidence: Evidence, places: Sequence[str]) -> str | None:
    """What speaks for it that these were frozen on purpose though they look as drawn."""
    named = dict(evidence.patient.model.named_parameters())
    silent = [n for n, p in named.items() if not p.requires_grad and p.dim() >= 2]
    if any(not looks_drawn(named[n], small=True) for n in silent if n not in places):
        return "others that are frozen look trained"
    mine = in_optimizer(evidence.patient)
    if evidence.patient.optimizer is not None and not any(id(named[n]) in mine for n in places):
        return "the optimizer was not given them either"
    return None


def by_mistake(evidence: Evidence, named: Mapping[str, Tensor], places: Sequence[str]) -> bool:
    """Whether some matrix among those places looks as it was drawn, or is too small to tell, and
    is no copy of one elsewhere. Not, if others of them look trained and the network learns: after
    short training a single layer may look as drawn."""
    wide = [name for name in places if named[name].dim() >= 2]
    drawn = [name for name in wide if looks_drawn(named[name], small=True)]
    if len(drawn) < len(wide) and evidence.learns:
        return False
    return any(not has_twin(named, name, places) for name in drawn)


def has_twin(named: Mapping[str, Tensor], name: str, places: Sequence[str]) -> bool:
    """Whether a parameter elsewhere has the same shape and nearly its direction (cosine over 0.5),
    as in a target network that follows another one: a branch of the model of which all matrices
    are among those places. (Some layers start as copies of one another: there the rest of the
    branch is trained.)"""
    here = named[name].detach().double().flatten()
    alike = [n for n, p in named.items() if n not in places and p.shape == named[name].shape]
    for other in alike:
        if not _whole(named, name, other, places):
            continue
        there = named[other].detach().double().flatten()
        size = float(here.norm() * there.norm())
        if size and float(here @ there) > 0.5 * size:
            return True
    return False


def _whole(named: Mapping[str, Tensor], name: str, other: str, places: Sequence[str]) -> bool:
    """Whether all matrices are among those places of the branch of `name` that `other` is not in:
    "target" of "target.0.weight" beside "online.0.weight"."""
    parts = name.split(".")
    pairs = zip(parts, other.split("."), strict=False)
    fork = next((k for k, (mine, theirs) in enumerate(pairs) if mine != theirs), len(parts) - 1)
    branch = ".".join(parts[: fork + 1])
    inside = [n for n in named if n == branch or n.startswith(branch + ".")]
    return all(n in places for n in inside if named[n].dim() >= 2)


def looks_drawn(weight: Tensor, small: bool = False) -> bool:
    """Whether a matrix looks random: its entries are in no order.

    Training leaves large singular values behind. Random entries keep their largest one when they
    are shuffled (Marchenko and Pastur 1967), up to chance: it counts as drawn unless it is 5 %
    larger than in each of 20 shuffles. small: what is said of a matrix with a side under 4.
    """
    matrix = weight.detach().cpu().double()
    matrix = matrix.reshape([n for n in matrix.shape if n > 1] or [1])
    if matrix.dim() < 2 or min(matrix.flatten(1).shape) < 4:
        return small
    matrix = matrix.flatten(1)[:256, :1024]  # more would take seconds
    if not matrix.isfinite().all():
        return False
    source = torch.Generator().manual_seed(0)
    flat = matrix.flatten()
    largest = max(
        float(torch.linalg.matrix_norm(
            flat[torch.randperm(len(flat), generator=source)].view_as(matrix), 2
        ))
        for _ in range(20)
    )  # fmt: skip
    return float(torch.linalg.matrix_norm(matrix, 2)) <= 1.05 * largest
