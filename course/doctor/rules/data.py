"""Rules about the data: finite, different, mixed, well scaled, and with labels that belong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from course import measures
from course.doctor import patient as patients
from course.doctor.evidence import LEARNS, Evidence
from course.doctor.rules.loss import DIFFERENCES
from course.doctor.verdict import Finding
from course.doctor.words import number


def not_finite(evidence: Evidence) -> Finding | None:
    """NaN or infinity in a batch, and the loss or its gradient there is not finite either.

    Where they are, someone takes care of them: a mask of -inf, targets that are missing.
    """
    for says, batch in bad_batches(evidence):
        if not math.isfinite(evidence.gradient_length(batch, set(evidence.gradients))):
            return Finding("input not finite", ("data",), says)
    return None


def bad_batches(evidence: Evidence) -> Iterator[tuple[str, Any]]:
    """Batches with NaN or infinity, each with a sentence on it."""
    for step, batch in enumerate(evidence.patient.batches):
        some = [x for x in patients.tensors(batch) if x.is_floating_point()]
        bad = sum(int((~x.isfinite()).sum()) for x in some)
        if bad:
            total = sum(x.numel() for x in some)
            yield f"{bad} of {total} numbers of batch {step + 1} are NaN or infinite", batch


PICTURE = 16
"""Numbers in a target from which on one example can be a task of its own (a picture drawn from one
noise, Ulyanov et al. 2018); with fewer, a loader that gives it over and over is broken."""


def one_example(evidence: Evidence) -> bool:
    """Whether all examples of all batches are one, with a target of at least `PICTURE` numbers."""
    rows = [list(patients.tensors(batch)) for batch in evidence.patient.batches]
    if len(rows[0]) < 2 or any(len(parts) != len(rows[0]) for parts in rows):
        return False
    if rows[0][-1].dim() < 1 or rows[0][-1][:1].numel() < PICTURE:
        return False
    if len(rows) == 1 and all(len(part) == 1 for part in rows[0] if part.dim()):
        return False  # all that was given, not all that there is
    return all(
        part.shape[1:] == first.shape[1:] and part.dim() > 0 and bool((part == first[:1]).all())
        for parts in rows for part, first in zip(parts, rows[0], strict=True)
    )  # fmt: skip


def constant(evidence: Evidence) -> Finding | None:
    """All examples of all batches are equal in all inputs (at least 4 examples), and not in their
    targets."""
    x = evidence.inputs
    if x is None or len(x) < 4 or x.numel() == 0 or not bool((x == x[:1]).all()):
        return None
    if one_example(evidence):
        return None
    rows = [list(patients.tensors(batch)) for batch in evidence.patient.batches]
    for parts in zip(*rows, strict=False):
        first = parts[0][:1] if parts[0].dim() else parts[0]
        last = parts[0] is rows[0][-1]  # the targets
        if not last and not all(bool((part == first).all()) for part in parts):
            return None
    return Finding("constant input", ("data",), f"all {len(x)} examples are the same")


def constant_label(evidence: Evidence) -> Finding | None:
    """All labels of a classification into several classes are one class (at least 32 examples)."""
    names = {call.name for call in evidence.trace.losses}
    y, answer = evidence.labels, evidence.outputs
    if y is None or len(y) < 32 or not names or not names <= {"cross_entropy", "nll_loss"}:
        return None
    if not isinstance(answer, Tensor) or answer.dim() < 2 or answer.shape[1] < 2:
        return None
    if not bool((y == y[0]).all()):
        return None
    says = f"all {len(y)} examples have the label {int(y[0])}, of {answer.shape[1]} classes"
    return Finding("constant label", ("data",), says)


def same_batch(evidence: Evidence) -> Finding | None:
    """Three or more batches of one pass through the loader are equal, number by number, and hold
    more than one example."""
    batches = evidence.patient.batches
    if len(batches) < 3 or one_example(evidence):
        return None
    first = list(patients.tensors(batches[0]))
    for batch in batches[1:]:
        parts = list(patients.tensors(batch))
        if len(parts) != len(first) or not all(map(torch.equal, parts, first)):
            return None
    return Finding(
        "same batch again and again", ("data",), f"{len(batches)} batches in a row are equal"
    )


def sorted_labels(evidence: Evidence) -> Finding | None:
    """Batches whose labels vary far less than those of all batches together.

    Entropy within batches, on average, under half of the pooled entropy. Of shuffled labels it is
    the pooled one less about (classes - 1) / (2 B) (Miller 1955), so batches of under 8, or under
    twice as many as there are classes, are not judged.
    """
    batches = evidence.patient.batches
    if evidence.labels is None or len(batches) < 4:
        return None
    labels = [patients.pair(batch)[1].flatten().long().cpu() for batch in batches]
    classes = int(torch.cat(labels).max()) + 1
    if int(torch.cat(labels).min()) < 0 or min(map(len, labels)) < 8:
        return None
    pooled = torch.cat(labels)
    if len(labels[0]) < 2 * len(pooled.unique()) and len(pooled.unique()) > 2:
        runs = _entropy(pooled, classes) > 0 and _run_share(pooled) > 0.8
        if not runs:
            return None
    within = sum(_entropy(y, classes) for y in labels) / len(labels)
    whole = _entropy(pooled, classes)
    if whole < 0.05 or within > 0.5 * whole:
        return None
    says = (
        f"labels of a batch have an entropy of {number(within)}, those of {len(batches)} batches "
        f"together {number(whole)}"
    )
    return Finding("sorted labels", ("data",), says)


def _run_share(labels: Tensor) -> float:
    return float((labels[1:] == labels[:-1]).double().mean())


def _entropy(labels: Tensor, classes: int) -> float:
    share = torch.bincount(labels, minlength=classes).double() / len(labels)
    return float(torch.special.entr(share).sum())


def badly_scaled(evidence: Evidence) -> Finding | None:
    """Inputs far from standard, and the same copy with standardized inputs learns.

    Far: a root mean square above 5 or below 0.05, a mean above 3 SD, or SDs of inputs that differ
    by more than 100 times. That alone is no illness (batch norm may follow): the trial decides.
    """
    x = evidence.inputs
    if x is None or not x.is_floating_point() or len(x) < 8:
        return None
    flat = x.double().flatten(1)
    size, mean = float(flat.square().mean().sqrt()), float(flat.mean())
    spread = flat.std(0)
    spread = spread[spread > 0]
    if not len(spread):
        return None
    overall = float(spread.square().mean().sqrt())
    ratio = float(spread.max() / spread.quantile(0.25))
    if 0.05 <= size <= 5 and abs(mean) <= 3 * overall and ratio <= 100:
        return None
    if evidence.gain(patient=True, standardized=True) < LEARNS:
        return None
    better = evidence.what_if(standardized=True)
    says = (
        f"inputs have root mean square {number(size)}, mean {number(mean)} and SD "
        f"{number(overall)}; after {len(better.losses)} steps with standardized inputs the loss is "
        f"{number(better.now)} (as given {number(evidence.trial.now)})"
    )
    return Finding("badly scaled input", ("data",), says)


def badly_scaled_target(evidence: Evidence) -> Finding | None:
    """Float targets far from standard under a loss of differences, and with standard ones the same
    copy learns. Far: a root mean square above 10 or below 0.03, or a mean above 5 SD."""
    names = {call.name for call in evidence.trace.losses}
    if not evidence.one_input or not names or not names <= set(DIFFERENCES):
        return None
    y = torch.cat([call.target.double().flatten() for call in evidence.trace.losses])
    size, mean, sd = float(y.square().mean().sqrt()), float(y.mean()), float(y.std())
    if len(y) < 8 or not sd or (0.03 <= size <= 10 and abs(mean) <= 5 * sd):
        return None
    if evidence.gain(patient=True, targets=True) < LEARNS:
        return None
    better = evidence.what_if(targets=True)
    says = (
        f"targets have root mean square {number(size)} and mean {number(mean)}; with standardized "
        f"ones the loss falls from {number(better.start)} to {number(better.now)} in "
        f"{len(better.losses)} steps"
    )
    return Finding("badly scaled target", ("data",), says)


LEAST = 200
"""Examples from which on neighbours are counted: the standard error of their agreement is under
0.035 then."""


def unrelated_labels(evidence: Evidence) -> Finding | None:
    """Nearest neighbours among the inputs agree in their label as often as by chance, and nothing
    that is learned carries over to batches held out.

    By chance: within 2 standard errors of sum_k p_k^2. Shifted, not shuffled: labels moved by one
    to three places agree by 5 standard errors. If not shifted, a linear map must fail on the other
    half of the examples as well: neighbours in many dimensions may know nothing, and a network may
    not generalize yet.
    """
    x, y = evidence.inputs, evidence.labels
    if x is None or y is None or len(x) != len(y) or len(x) < LEAST or x[0].numel() < 2:
        return None
    if not x.is_floating_point() or not evidence.one_input:
        return None
    flat = x[:500].double().flatten(1)[:, :2000]
    labels = y[:500]
    share = torch.bincount(labels - labels.min()).double() / len(labels)
    chance = float(share.square().sum())
    error = math.sqrt(max(chance * (1 - chance), 1e-9) / len(labels))
    agreement = float(measures.nearest_neighbour_accuracy(flat, labels))
    if agreement > chance + 2 * error or chance > 0.9:
        return None
    shifted = {
        places: float(measures.nearest_neighbour_accuracy(flat, labels.roll(places)))
        for places in (-3, -2, -1, 1, 2, 3)
    }
    places, most = max(shifted.items(), key=lambda item: item[1])
    moved = most > chance + 5 * error
    trial = evidence.trial
    if not moved:
        if math.isnan(trial.held) or trial.share(trial.held) > 0.02:
            return None
        if _linear_gain(flat, labels) > 2 or not _memorizes(evidence):
            return None
    says = (
        f"of {len(labels)} nearest neighbours among the inputs {agreement:.0%} carry the same "
        f"label, by chance {chance:.0%}"
    )
    if moved:
        says += f"; with labels moved by {places:+d} it is {most:.0%}"
    else:
        says += "; one batch can be learned by heart, batches held out stay at guessing"
    return Finding("labels do not belong to inputs", ("data",), says)


def _linear_gain(x: Tensor, labels: Tensor) -> float:
    """How many standard errors a ridge regression, fitted on one half of the examples, is better
    on the other half than the most frequent label."""
    x = (x - x.mean(0)) / x.std(0).clamp(min=1e-12)
    names, y = labels.unique(return_inverse=True)
    onehot = torch.nn.functional.one_hot(y, len(names)).double()
    halves = (slice(0, None, 2), slice(1, None, 2))
    right = []
    for fit, test in (halves, halves[::-1]):
        gram = x[fit].mT @ x[fit] + len(x) * torch.eye(x.shape[1], dtype=x.dtype) / 10
        weights = torch.linalg.solve(gram, x[fit].mT @ (onehot[fit] - onehot[fit].mean(0)))
        right.append((x[test] @ weights + onehot[fit].mean(0)).argmax(1) == y[test])
    share = float(torch.cat(right).double().mean())
    usual = float(onehot.mean(0).max())
    return (share - usual) / max(1e-9, usual * (1 - usual) / len(x)) ** 0.5


def _memorizes(evidence: Evidence) -> bool:
    """Whether the network is able to learn one batch by heart, so that it is not to blame."""
    trial = evidence.trial
    if trial.share(trial.now) >= LEARNS:
        return True
    for rate in (1.0, 10.0, 0.1):
        one = evidence.what_if(only_first_batch=True, rate=rate)
        if one.broke is None and one.share(min(one.losses[-5:])) >= LEARNS:
            return True
    return False
