"""Rules about sizes through the layers: not finite, exploding, vanishing."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from course import measures
from course.doctor.evidence import Evidence
from course.doctor.rules import rate
from course.doctor.verdict import Finding, LayerRecord
from course.doctor.words import number

UNEQUAL = 1e3
"""Factor between the gradients (or signals) of the first and the last layer that is too much: steps
that suit the one do nothing, or too much, to the other. It counts only where the loss does not
fall; healthy residual networks pass it and train."""

PER_NORM = 1.1
"""Least growth of the gradient per batch norm that is laid to it: sqrt(pi / (pi - 1)) = 1.21 with
ReLU (mean-field theory, Yang et al. 2019; measured in the lesson on degradation), tanh 1.09."""


def half_precision(evidence: Evidence) -> Finding | None:
    """Parameters in float16, trouble as given, and a copy in float32 that has none."""
    halves = [n for n, p in evidence.model.named_parameters() if p.dtype == torch.float16]
    if not halves:
        return None
    trouble = bool(_first_bad(evidence)) or evidence.trial.broke is not None
    if not trouble and evidence.learns:
        return None
    wide = evidence.what_if(float32=True)
    if wide.broke is not None or not math.isfinite(wide.start):
        return None
    if not trouble and evidence.gain(float32=True) < 0.1:
        return None
    place = _first_bad(evidence) or ("loss",)
    says = f"in float16 {place[0]} is not finite or stays at 0; in float32 the loss falls to "
    return Finding("float16 overflow", place, says + number(wide.now))


def not_finite(evidence: Evidence) -> Finding | None:
    """NaN or infinity in the first pass that no growth through the layers explains."""
    place = _first_bad(evidence)
    if place is None or _grows(evidence):
        return None
    forward = any(float(row["nonfinite"][0]) > 0 for row in evidence.table)
    if forward:
        says = f"the output of {place[0]} is the first that is not finite"
    elif not math.isfinite(evidence.loss):
        says = "all layers are finite, and the loss is not"
    else:
        says = f"the loss is finite, the gradient of {place[0]} is not"
    return Finding("not finite", place, says)


def _first_bad(evidence: Evidence) -> tuple[str, ...] | None:
    """The first layer that is not finite, or the loss, or the parameter nearest to the loss whose
    gradient is not. None where loss and gradients are finite: a layer that masks with -infinity
    means it."""
    bad = [name for name, length in evidence.gradients.items() if not math.isfinite(length)]
    if math.isfinite(evidence.loss) and not bad:
        return None
    for row in evidence.table:
        if float(row["nonfinite"][0]) > 0 or math.isinf(float(row["norm"][0])):
            return (row["layer"],)
    if not math.isfinite(evidence.loss):
        return ("loss",)
    return (bad[-1],)


def _grows(evidence: Evidence) -> bool:
    """Whether finite sizes grow by over 1,000 from the first layer to the last finite one."""
    sizes = [one.size for one in evidence.weighted if math.isfinite(one.size) and one.size > 0]
    return len(sizes) >= 3 and sizes[-1] > UNEQUAL * sizes[0]


def _ends(evidence: Evidence) -> tuple[LayerRecord, LayerRecord] | None:
    """The first and the last hidden layer with weights, where there are at least 3 in all."""
    layers = evidence.weighted
    return (layers[0], layers[-2]) if len(layers) >= 3 else None


def exploding(evidence: Evidence) -> Finding | None:
    """Signals, or gradients on their way back, grow by over 1,000 through the layers."""
    ends = _ends(evidence)
    if ends is None:
        return None
    first, last = ends
    names = tuple(one.name for one in evidence.weighted)
    if _grows(evidence):
        sizes = [one.size for one in evidence.weighted if math.isfinite(one.size)]
        says = (
            f"the size of the signal grows from {number(sizes[0])} in {first.name} to "
            f"{number(sizes[-1])} in {names[len(sizes) - 1]}"
        )
        return Finding("exploding gradients", names, says)
    back = _ratio(first.gradient, last.gradient)
    if back > UNEQUAL and not _mostly_batch_norm(evidence):
        says = (
            f"the gradient grows {number(back)} times on its way from {last.name} to {first.name}"
        )
        return Finding("exploding gradients", names, says)
    return None


def through_batch_norm(evidence: Evidence) -> Finding | None:
    """Batch norm in most layers, gradients that grow with each on the way back, no rate helps."""
    ends = _ends(evidence)
    if ends is None or not _mostly_batch_norm(evidence):
        return None
    first, last = ends
    layers = len(evidence.weighted) - 2
    back = _ratio(first.gradient, last.gradient)
    if not back > 30 or back ** (1 / layers) < PER_NORM or rate.better(evidence) is not None:
        return None
    says = (
        f"the gradient grows {number(back)} times from {last.name} back to {first.name}, "
        f"{back ** (1 / layers):.2f} for each layer, while signals keep their size"
    )
    return Finding("exploding through batch norm", tuple(o.name for o in evidence.weighted), says)


def _mostly_batch_norm(evidence: Evidence) -> bool:
    norms = sum(isinstance(module, _BatchNorm) for module in evidence.model.modules())
    return norms >= 0.5 * max(1, len(evidence.weighted))


def vanishing(evidence: Evidence) -> Finding | None:
    """Gradients shrink by over 1,000 on their way back to the first layer, or do not arrive."""
    ends = _ends(evidence)
    if ends is None:
        return None
    first, last = ends
    back = _ratio(first.gradient, last.gradient)
    if not back < 1 / UNEQUAL:
        return None
    most = max(one.gradient for one in evidence.weighted if not math.isnan(one.gradient))
    names = tuple(one.name for one in evidence.weighted if one.gradient < most / UNEQUAL)
    says = (
        f"the gradient at {first.name} is {number(back)} of that at {last.name}; "
        f"{len(names)} of {len(evidence.weighted)} layers get under 1/1000 of the largest"
    )
    return Finding("vanishing gradients", names or (first.name,), says)


def _ratio(one: float, other: float) -> float:
    """NaN also over 0: a branch that starts at 0 hands no gradient on, and is no last layer."""
    return one / other if other else math.nan


def through_time(evidence: Evidence) -> Finding | None:
    """A recurrent layer's inputs: the gradient of the first step over that of the last is under
    1/10,000, or above 1,000, and no rate helps.

    Even healthy cells forget: nn.RNN keeps about 0.6 a step at its start, 0.01 over 8 steps.
    """
    slopes = _by_step(evidence)
    if slopes is None or len(slopes[1]) < 8:
        return None
    name, lengths = slopes
    ratio = _ratio(lengths[0], max(lengths))
    back = _ratio(lengths[0], lengths[-1])
    vanishes = ratio < 0.1 / UNEQUAL
    if not (vanishes or back > UNEQUAL) or rate.better(evidence) is not None:
        return None
    says = (
        f"the gradient at the first of {len(lengths)} steps of {name} is "
        f"{number(ratio if vanishes else back)} times that at the last"
    )
    illness = "vanishing gradients" if vanishes else "exploding gradients"
    return Finding(illness, (name,), says)


def _by_step(evidence: Evidence) -> tuple[str, list[float]] | None:
    """The first recurrent layer, and the length of the gradient at its input by step."""
    cells = [(n, m) for n, m in evidence.model.named_modules() if isinstance(m, nn.RNNBase)]
    if not cells:
        return None
    name, module = cells[0]
    inputs: list[Tensor] = []

    def replace(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        inputs.append(given[0].detach().requires_grad_())
        return (inputs[-1], *given[1:])

    handle = module.register_forward_pre_hook(replace)
    try:
        with measures.untouched_buffers(evidence.model):
            value = evidence.patient.value(evidence.model, evidence.trained[0])
            if not inputs or inputs[0].dim() != 3:
                return None
            slope: Tensor | None = torch.autograd.grad(value, inputs[:1], allow_unused=True)[0]
    finally:
        handle.remove()
    if slope is None:
        return None
    steps = slope.transpose(0, 1) if module.batch_first else slope
    return name, [float(step.double().norm()) for step in steps]
