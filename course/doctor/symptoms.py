"""What a history of losses, gradients and weights says while a run goes on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from course.doctor.verdict import Finding
from course.doctor.words import listed, number

UNMOVED = 1e-5
"""Update over weight under which a step does nothing: a hundredth of the usual 1e-3."""

RISE = 3.0
"""The loss of the last steps over that of the first, from which on a run diverges."""

PILES = 0.5
"""p.grad before the first backward pass of a step, over p.grad after it, when nothing cleared it.
"""


def ends(losses: Sequence[float]) -> tuple[float, float]:
    """Mean loss over the first and the last tenth of the steps (at least 1, at most 20)."""
    if not losses:
        return math.nan, math.nan
    few = max(1, min(20, len(losses) // 10))
    return float(np.mean(losses[:few])), float(np.mean(losses[-few:]))


def falls(losses: Sequence[float]) -> bool:
    """Whether the loss fell: by over 5 %, and by over 3 standard errors of the last steps."""
    if len(losses) < 20 or not math.isfinite(losses[-1]):
        return False
    start, now = ends(losses)
    late = np.asarray(losses[-20:], dtype=float)
    return start - now > max(0.05 * abs(start), 3 * float(late.std()) / len(late) ** 0.5)


def of_run(watch: Any) -> Iterator[Finding]:
    """Findings on a `Watch` after its last checkup, root first."""
    checkup = watch.checkups[-1]
    yield from _not_finite(watch, checkup)
    if watch.modes:
        says = f"{listed(watch.modes)} were in evaluation mode in step {checkup.step + 1}"
        yield Finding("evaluation mode", tuple(watch.modes), says)
    yield from _wiring(watch, checkup)
    yield from _piled(watch)
    yield from _still(watch)
    yield from rising(watch.losses)


def _not_finite(watch: Any, checkup: Any) -> Iterator[Finding]:
    bad = [n for n, g in zip(watch.names, checkup.gradients, strict=True) if math.isinf(g)]
    if checkup.step == watch.step and not math.isfinite(checkup.loss):
        lengths = [one.gradients for one in watch.checkups[:-1]]
        grown = len(lengths) > 1 and _total(lengths[-1]) > 100 * _total(lengths[0])
        says = f"the loss is {checkup.loss} at step {checkup.step + 1}"
        yield Finding("exploding gradients" if grown else "not finite", ("loss",), says)
    elif bad:
        says = f"the gradient of {bad[-1]} is infinite at step {checkup.step + 1}"
        yield Finding("not finite", (bad[-1],), says)


def _total(lengths: Sequence[float]) -> float:
    return math.hypot(*(value for value in lengths if math.isfinite(value)))


def _wiring(watch: Any, checkup: Any) -> Iterator[Finding]:
    """Parameters without a gradient in every checkup, or outside of the optimizer."""
    if len(watch.checkups) < 3:
        return
    mine = {id(p) for group in watch.optimizer.param_groups for p in group["params"]}
    out = [n for n, p in zip(watch.names, watch.parameters, strict=True) if id(p) not in mine]
    came = [not math.isnan(g) for g in checkup.gradients]
    if len(out) == len(watch.names):
        yield Finding(
            "not in the optimizer", tuple(out), "the optimizer has none of the parameters"
        )
    elif not any(came):
        yield Finding("detached", tuple(watch.names), "no gradient came to any parameter")


def _piled(watch: Any) -> Iterator[Finding]:
    """p.grad was there, not cleared, before the backward passes of the last three checkups."""
    last = [one for one in watch.checkups if one.step > 0][-3:]
    if len(last) == 3 and all(
        one.earlier > PILES * _total(one.gradients) > 0
        or one.earlier > 10 * _total(one.gradients) > 0
        for one in last
    ):
        says = f"p.grad was {number(last[-1].earlier)} long before the pass, and was not cleared"
        yield Finding("gradients pile up", ("p.grad",), says)


def _still(watch: Any) -> Iterator[Finding]:
    """The loss does not fall and the weights hardly move: why is in the gradients."""
    checkups = [one for one in watch.checkups if one.step >= watch.every]
    if len(checkups) < 3 or falls(watch.losses) or not math.isfinite(watch.losses[-1]):
        return
    for name in checkups[-1].dead:
        if all(one.dead.get(name, 0.0) >= 0.9 for one in checkups[-3:]):
            says = f"{checkups[-1].dead[name]:.0%} of the units of {name} gave 0 in three checkups"
            yield Finding("dead units", (name,), says)
            return
    gradients = [
        g for g, w in zip(checkups[-1].gradients, checkups[-1].weights, strict=True) if w > 0
    ]
    finite = [g for g in gradients if math.isfinite(g)]
    if len(finite) >= 6 and finite[0] < 1e-4 * max(finite):
        names = tuple(
            n
            for n, g in zip(watch.names, checkups[-1].gradients, strict=True)
            if g < 1e-4 * max(finite)
        )
        says = f"gradients go down to {number(min(finite))}, the largest is {number(max(finite))}"
        yield Finding("vanishing gradients", names, says)
    elif all(one.update < UNMOVED for one in checkups[-3:]):
        lengths = [_total(one.gradients) for one in checkups[-3:]]
        clipped = max(lengths) > 0 and max(lengths) - min(lengths) < 1e-3 * max(lengths)
        says = f"a step moves the weights by {number(checkups[-1].update)} of their length"
        if clipped:
            says += f"; the gradient is {number(lengths[-1])} long at every checkup"
            yield Finding("clipped to a standstill", ("clip",), says)
        else:
            yield Finding("rate too small", ("optimizer",), says)
    elif _total(checkups[-1].weights) < 1e-2 * _total(watch.checkups[0].weights):
        says = f"the weights shrank to {number(_total(checkups[-1].weights))}"
        yield Finding("decayed to a standstill", ("optimizer",), says)


def rising(losses: Sequence[float]) -> Iterator[Finding]:
    """The mean and the median loss of the last steps are over three times that of the first."""
    if len(losses) < 20:
        return
    start, now = ends(losses)
    if start > 0 and now > RISE * start and np.median(losses[-10:]) > RISE * start:
        says = f"the loss rose from {number(start)} to {number(now)} in {len(losses)} steps"
        yield Finding("rate too large", ("optimizer",), says)
