"""Rules about what the loss is given: seen in the call itself, so certain."""

from __future__ import annotations

import torch
from torch import Tensor

from course.doctor.evidence import Evidence
from course.doctor.tracing import LIMITS, LossCall
from course.doctor.verdict import Finding
from course.doctor.words import number

DIFFERENCES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
"""Losses that take the difference of answer and target."""

CROSSED = ("binary_cross_entropy",)

ROUNDING = 1e-3
"""How far the sum of probabilities may be from 1 (float16 keeps three digits), or as far as the
answer's own precision if that is less: bfloat16 keeps two."""


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
            if bool(((sums - 1).abs() < max(ROUNDING, torch.finfo(call.input.dtype).eps)).all()):
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
    """A loss that takes logarithms of probabilities (nll_loss, kl_div, ctc_loss) gets other rows:
    the sum of exp(x) is not 1 (by over 5 %, rounding is under 1e-3). Or over 5 % of what the loss
    clips to 0 ... 1, for a logarithm, lies outside."""
    if evidence.trace.clipped > 0.05 and evidence.trace.logarithm:
        share = evidence.trace.clipped
        says = f"{share:.0%} of the answers are outside of 0 to 1, where the loss clips them"
        return Finding("missing sigmoid or softmax", ("loss",), says)
    for call in _calls(evidence, "nll_loss", "kl_div", "ctc_loss"):
        x = call.input.double()
        axis = {"nll_loss": 1 if x.dim() > 1 else 0, "ctc_loss": -1}.get(call.name)
        if axis is None:  # kl_div asks for no axis: the one over which the targets sum to 1
            y = call.target.double()
            ones = [k for k in range(y.dim()) if bool(((y.sum(k) - 1).abs() < 0.01).all())]
            if not ones or x.shape != call.target.shape:
                continue
            axis = ones[-1]
        sums = x.logsumexp(axis)
        if float(sums.abs().median()) > 0.05:
            says = (
                f"{call.name} expects logarithms of probabilities; exp of a row sums to "
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


OUTSIDE = 0.05
"""Share of targets beyond the reach of the last function from which on it is called wrong: labels
smoothed or noisy by a little pass it, and one in twenty can be outliers."""


def out_of_reach(evidence: Evidence) -> Finding | None:
    """The answer came out of a function with limits, as it is, and targets lie beyond them.

    Sigmoid and softmax give 0 to 1, tanh -1 to 1, ReLU 0 and more. Beyond: by over 5 % of the
    spread of the targets. Softmax also gives rows that sum to 1: targets whose rows do not (in
    over half of the examples), as with several labels at once, are beyond it.
    """
    for call in _calls(evidence, *DIFFERENCES, *CROSSED):
        name = _last(evidence, call.input)
        y = call.target
        if name is None or not y.is_floating_point() or y.numel() != call.input.numel():
            continue
        outside = _outside(name, y)
        says = f"the answer is a {name}, and {outside:.0%} of the targets are beyond its limits"
        if outside > OUTSIDE:
            return Finding("target out of reach", ("output",), says)
        rows = y.reshape(len(y), -1).double().sum(1) if y.dim() > 1 else y.new_ones(1)
        if name == "softmax" and float(((rows - 1).abs() > 0.01).double().mean()) > 0.5:
            says = "answers are a softmax, which sums to 1, and targets have none or several ones"
            return Finding("target out of reach", ("output",), says)
    return None


def beyond(evidence: Evidence) -> Finding | None:
    """The same under a loss that torch does not have: float answers out of a function with limits,
    and targets beyond them. Such a loss may take its targets in its own way, so it counts only for
    a network that does not learn."""
    answer, y = evidence.outputs, evidence.targets
    if evidence.trace.losses or not isinstance(answer, Tensor) or not isinstance(y, Tensor):
        return None
    if answer.dim() != y.dim() or len(answer) != len(y) or not y.is_floating_point():
        return None
    name = _last(evidence, answer)
    if name is None:
        return None
    outside = _outside(name, y)
    says = f"the answer is a {name}, and {outside:.0%} of the targets are beyond its limits"
    return Finding("target out of reach", ("output",), says) if outside > OUTSIDE else None


def _outside(name: str, y: Tensor) -> float:
    """Share of targets beyond the limits of a function, by over 5 % of their spread."""
    low, high = LIMITS[name]
    slack = 0.05 * float(y.double().std(correction=0))
    return float(((y < low - slack) | (y > high + slack)).double().mean())


def cut_off(evidence: Evidence) -> Finding | None:
    """What goes into a cross-entropy came out of a ReLU: no class can be argued against. It slows
    a network down, and counts only for one that does not learn."""
    for call in _calls(evidence, "cross_entropy", "binary_cross_entropy_with_logits"):
        if _last(evidence, call.input) == "relu":
            says = f"what goes into {call.name} came out of a ReLU: never below 0"
            return Finding("target out of reach", ("output",), says)
    return None


def _last(evidence: Evidence, answer: Tensor) -> str | None:
    """The function with limits whose result the answer is, number by number (or its clip)."""
    for name, result in evidence.trace.limited:
        if result.numel() == answer.numel():
            same = result.flatten().to(answer.dtype)
            if torch.allclose(same, answer.flatten(), rtol=0, atol=1e-6):
                return name
    return None


def _came_from(evidence: Evidence, x: Tensor, name: str) -> bool:
    """Whether x is, number by number, the result of that function in this pass."""
    return any(
        kind == name and result.numel() == x.numel() and torch.equal(result.flatten(), x.flatten())
        for kind, result, _ in evidence.trace.squashed
    )
