"""The loss of the best constant answer: what a network reaches that ignores its inputs.

For cross-entropy it is the entropy of the labels, for a squared error the variance of the targets:
a loss that falls to it and stays there says that only the last bias has learned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from course.doctor.tracing import LossCall, Trace

CONVEX: dict[str, Any] = {
    "cross_entropy": functional.cross_entropy,
    "nll_loss": functional.cross_entropy,  # of logits: the answer's softmax is its own
    "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
    "binary_cross_entropy_with_logits": functional.binary_cross_entropy_with_logits,
    "mse_loss": functional.mse_loss,
    "l1_loss": functional.l1_loss,
    "smooth_l1_loss": functional.smooth_l1_loss,
    "huber_loss": functional.huber_loss,
}
"""Losses that are convex in the answer (before its softmax or sigmoid), so one constant is best."""


def best_constant(traces: Sequence[Trace]) -> tuple[float, float] | None:
    """(loss of the best constant answer, least possible loss) over batches; None if not known.

    One trace for each batch, each with one call of a loss in `CONVEX`, which is all of the loss,
    and a mean. The constant has one entry per class, or per unit of an example. None, too, if all
    examples have one target (a generator's are all "real"): a constant is the right answer then.
    The least is 0, but for soft targets of cross-entropies, where it is their own entropy.
    """
    if not traces or any(len(trace.losses) != 1 for trace in traces):
        return None
    calls = [_some(trace.losses[0]) for trace in traces]
    if any(call.name != calls[0].name or call.input.dim() == 0 for call in calls):
        return None
    if calls[0].name not in CONVEX or _one_target(calls):
        return None
    for call, trace in zip(calls, traces, strict=True):  # nothing else is added to it
        if not abs(call.mean - trace.total) <= 0.01 * abs(trace.total):
            return None
    try:
        best = _least_loss(calls)
        floor = _floor(calls)
    except (RuntimeError, ValueError, IndexError):
        return None
    return (best, floor) if math.isfinite(best) and best > floor else None


NUMBERS = 1 << 20
"""Entries of an answer that are used at most, of its first examples."""


def _some(call: LossCall) -> LossCall:
    rows = call.input.shape[0] if call.input.dim() else 1
    most = max(1, NUMBERS * rows // max(1, call.input.numel()))
    if rows <= most or call.target.dim() == 0:
        return call
    return replace(call, input=call.input[:most], target=call.target[:most])


def _one_target(calls: Sequence[LossCall]) -> bool:
    """Whether all examples of all batches have the same target."""
    first = calls[0].target[:1]
    return all(
        call.target.dim() > 0 and call.target.shape[1:] == first.shape[1:]
        and bool((call.target == first).all())
        for call in calls
    )  # fmt: skip


def _least_loss(calls: Sequence[LossCall]) -> float:
    name = calls[0].name
    first = calls[0].input
    by_class = name in ("cross_entropy", "nll_loss")
    shape: tuple[int, ...] = tuple(first.shape[1:]) if first.dim() > 1 else ()
    if by_class:
        shape = (first.shape[1], *[1] * (first.dim() - 2))
    constant = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    targets = [_as_double(call.target) for call in calls]
    if not by_class:
        with torch.no_grad():
            middle = torch.cat([t.reshape(-1, *shape) for t in targets]).mean(0)
            if name in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
                middle = middle.clamp(1e-6, 1 - 1e-6).logit()
            constant.copy_(middle)

    def loss() -> Tensor:
        parts = []
        for call, target in zip(calls, targets, strict=True):
            settings: dict[str, Any] = {
                key: _as_double(value) if isinstance(value, Tensor) else value
                for key, value in call.settings.items()
            }
            if name == "binary_cross_entropy":
                settings.pop("weight", None)
            answer = constant.expand(call.input.shape)
            target = target if by_class else target.reshape(answer.shape)
            parts.append(CONVEX[name](answer, target, **settings))
        return torch.stack(parts).mean()

    search = torch.optim.LBFGS([constant], max_iter=30, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        search.zero_grad()
        value = loss()
        value.backward()
        return value

    search.step(closure)
    return float(loss().detach())


def _floor(calls: Sequence[LossCall]) -> float:
    if "binary" not in calls[0].name:
        return 0.0
    targets = torch.cat([_as_double(call.target).flatten() for call in calls])
    entropy = torch.special.entr(targets) + torch.special.entr(1 - targets)
    return float(entropy.mean())


def _as_double(x: Tensor) -> Tensor:
    return x.detach().cpu().double() if x.is_floating_point() else x.detach().cpu()
