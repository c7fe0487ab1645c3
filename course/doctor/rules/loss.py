"""Rules about what the loss is given: seen in the call itself, so certain."""

from __future__ import annotations

import torch
from torch import Tensor

from course.doctor.evidence import Evidence
from course.doctor.tracing import LossCall
from course.doctor.verdict import Finding
from course.doctor.words import number

ROUNDING = 1e-3
"""How far the sum of probabilities may be from 1: float16 keeps three digits."""


def _calls(evidence: Evidence, *names: str) -> list[LossCall]:
    return [call for call in evidence.trace.losses if call.name in names and call.input.numel()]


def broadcast(evidence: Evidence) -> Finding | None:
    """(N, 1) and (N,) meet in the loss and make (N, N)."""
    if evidence.trace.crossed is None:
        return None
    one, other = evidence.trace.crossed
    says = f"shapes {one} and {other} meet in the loss and make ({max(one)}, {max(one)})"
    return Finding("broadcast in the loss", ("loss",), says)


def softmax_twice(evidence: Evidence) -> Finding | None:
    """What goes into cross-entropy has no negative entry and sums to 1 for each example, or came
    out of a sigmoid as it is."""
    for call in _calls(evidence, "cross_entropy"):
        x = call.input.double()
        axis = 1 if x.dim() > 1 else 0
        if x.shape[axis] > 1 and bool((x >= 0).all()):
            sums = x.sum(axis)
            if bool(((sums - 1).abs() < ROUNDING).all()):
                says = "what goes into cross_entropy sums to 1 for every example: probabilities"
                return Finding("softmax before cross-entropy", ("loss",), says)
            if _came_from(evidence, call.input, "sigmoid"):
                says = "what goes into cross_entropy came out of a sigmoid: all between 0 and 1"
                return Finding("softmax before cross-entropy", ("loss",), says)
    return None


def sigmoid_twice(evidence: Evidence) -> Finding | None:
    """What goes into binary cross-entropy with logits came out of a sigmoid or softmax as it is."""
    for call in _calls(evidence, "binary_cross_entropy_with_logits"):
        if _came_from(evidence, call.input, "sigmoid") or _came_from(
            evidence, call.input, "softmax"
        ):
            low, high = float(call.input.min()), float(call.input.max())
            says = (
                f"what goes into binary_cross_entropy_with_logits came out of a sigmoid: all "
                f"between {number(low)} and {number(high)}"
            )
            return Finding("sigmoid twice", ("loss",), says)
    return None


def missing_squash(evidence: Evidence) -> Finding | None:
    """nll_loss gets rows that are no logarithms of probabilities: sum of exp(x) is not 1."""
    for call in _calls(evidence, "nll_loss"):
        x = call.input.double()
        sums = x.logsumexp(1 if x.dim() > 1 else 0)
        if float(sums.abs().median()) > 0.05:
            says = (
                f"nll_loss expects logarithms of probabilities; exp of a row sums to "
                f"{number(float(sums.exp().median()))}, not 1"
            )
            return Finding("missing sigmoid or softmax", ("loss",), says)
    return None


def wrong_axis(evidence: Evidence) -> Finding | None:
    """The answer came out of a softmax over one unit, or over the axis of the batch."""
    answer = evidence.outputs
    if not isinstance(answer, Tensor) or answer.dim() < 2 or len(answer) < 2:
        return None
    for name, result, axis in evidence.trace.squashed:
        if name == "sigmoid" or result.numel() != answer.numel() or axis is None:
            continue
        if not torch.equal(result.flatten(), answer.flatten()):
            continue
        axis %= result.dim()
        if result.shape[axis] == 1:
            says = f"the answer is a {name} over 1 unit: always {1 if name == 'softmax' else 0}"
            return Finding("softmax over the wrong axis", ("output",), says)
        if axis == 0:
            says = (
                f"the answer is a {name} over the axis of the batch, of shape {tuple(result.shape)}"
            )
            return Finding("softmax over the wrong axis", ("output",), says)
    return None


def _came_from(evidence: Evidence, x: Tensor, name: str) -> bool:
    """Whether x is, number by number, the result of that function in this pass."""
    return any(
        kind == name and result.numel() == x.numel() and torch.equal(result.flatten(), x.flatten())
        for kind, result, _ in evidence.trace.squashed
    )
