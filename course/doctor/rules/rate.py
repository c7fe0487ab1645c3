"""Rules about the optimizer: its rate, its decay, the clip, and the warm-up that post-norm needs.

Each is decided by a trial: the same copy, with one thing changed, learns.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from course.doctor.evidence import LEARNS, Evidence
from course.doctor.symptoms import RISE
from course.doctor.verdict import Finding
from course.doctor.words import number

LOWER = (0.1, 0.01, 0.001, 0.0001)
"""Factors on the rate, a decade apart: rates that learn reach over about one (the lesson on the
scalar chain: from nearly 0 to 2 over the curvature, the best in the middle)."""

HIGHER = (10.0, 100.0, 1000.0, 10000.0)
"""The same upwards."""

SHRUNK = 0.1
"""Share of their length down to which decay pulls the weights of a network that does not learn:
(1 - rate * decay)^steps. Usual settings (0.1, 5e-4, 240 steps) leave 0.99."""


FAR = 1.0
"""How far the weights may have gone, over their length, for the rate to be called too small: they
are others by then. Rates of a thousandth of the usual ones move them by under 0.05."""


def _rates(evidence: Evidence) -> str:
    rates = sorted({float(rate) for rate in evidence.trial.rates})
    return " and ".join(f"{rate:.2g}" for rate in rates)


def better(evidence: Evidence) -> float | None:
    """The factor on the rate nearest to 1 with which the copy learns; None if there is none."""
    for factor in (*LOWER, *HIGHER):
        if evidence.gain(rate=factor) >= LEARNS:
            return factor
    return None


def decayed(evidence: Evidence) -> Finding | None:
    """With weight decay the copy does not learn, without it does; or its weights shrink.

    They shrink as (1 - rate * decay)^steps where no gradient comes: to under `SHRUNK`.
    """
    optimizer = evidence.trial.optimizer
    decay = max((group.get("weight_decay") or 0.0 for group in optimizer.param_groups), default=0.0)
    if not decay or not evidence.patient.given:
        return None
    left = _left(evidence)
    if left < SHRUNK:
        says = (
            f"weight decay {number(decay)}: after {len(evidence.trial.losses)} steps the weights "
            f"have {number(left)} of their length"
        )
        return Finding("decayed to a standstill", ("optimizer",), says)
    if evidence.gain(patient=True, decay=False) < LEARNS:
        return None
    without = evidence.what_if(decay=False)
    says = (
        f"weight decay {number(decay)}: loss {number(evidence.trial.now)} after "
        f"{len(evidence.trial.losses)} steps; without it {number(without.now)} after "
        f"{len(without.losses)}"
    )
    return Finding("decayed to a standstill", ("optimizer",), says)


def _left(evidence: Evidence) -> float:
    """The length of all weight matrices after the trial over that before."""
    trial = evidence.trial
    if trial.broke is not None:
        return 1.0
    named = [(trial.before[n], p) for n, p in trial.model.named_parameters() if p.dim() >= 2]
    old, new = (math.hypot(*(float(x[k].norm()) for x in named)) for k in (0, 1))
    return new / old if old else 1.0


def clipped(evidence: Evidence) -> Finding | None:
    """With the clip the copy does not learn, without it does."""
    clip = evidence.patient.clip
    if clip is None or evidence.gain(patient=True, clip=False) < LEARNS:
        return None
    length = evidence.trial.lengths[0]
    says = f"gradients of length {number(length)} are clipped to {number(clip)}; without that the "
    says += f"loss falls to {number(evidence.what_if(clip=False).now)}"
    return Finding("clipped to a standstill", ("clip",), says)


def no_warm_up(evidence: Evidence) -> Finding | None:
    """Norms sit after the sums, and with a rate that rises over the first half the copy learns."""
    if not post_norm(evidence) or not evidence.patient.given:
        return None
    if evidence.gain(warm_up=True) < LEARNS:
        return None
    warm = evidence.what_if(warm_up=True)
    says = (
        f"rate {_rates(evidence)} from the first step: loss {number(evidence.trial.now)}; risen "
        f"to over {len(warm.losses) // 2} steps: {number(warm.now)}"
    )
    return Finding("no warm-up under post-norm", ("optimizer",), says)


def post_norm(evidence: Evidence) -> bool:
    """Whether most layer norms take the sum of a skip and a branch that nothing else takes."""
    norms = sum(isinstance(m, nn.LayerNorm | nn.RMSNorm) for m in evidence.model.modules())
    if norms < 2:
        return False
    encoders = [
        m for m in evidence.model.modules()
        if isinstance(m, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer)
    ]  # fmt: skip
    if encoders:
        return not any(layer.norm_first for layer in encoders)
    value = evidence.patient.value(evidence.model, evidence.trained[0])
    return _after_sums(value) > 0.5 * norms


def _after_sums(value: Tensor) -> int:
    """How many layer norms in the graph of a loss follow a sum that nothing else follows."""
    users: dict[object, int] = {}
    norms, stack, seen = [], [value.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        parents = [parent for parent, _ in node.next_functions if parent is not None]
        for parent in parents:
            users[parent] = users.get(parent, 0) + 1
        if "LayerNorm" in node.name() or "RmsNorm" in node.name():
            norms.append(parents[0] if parents else None)
        stack += parents
    sums = [one for one in norms if one is not None and one.name() == "AddBackward0"]
    return sum(
        users[one] == 1 and all(parent is not None for parent, _ in one.next_functions)
        for one in sums
    )


def too_large(evidence: Evidence) -> Finding | None:
    """With a tenth to a ten-thousandth of the rate the copy learns; or the loss rises
    (by `RISE`, or is no longer finite), and with such a rate it falls by as much."""
    if not evidence.patient.given:
        return None
    for factor in LOWER:
        if evidence.gain(rate=factor) >= LEARNS:
            return _other(evidence, factor, "rate too large")
    trial = evidence.trial
    if trial.broke is None and trial.now < RISE * trial.start:
        return None
    for factor in LOWER:
        other = evidence.what_if(rate=factor)
        if other.broke is None and RISE * other.now < other.start:
            return _other(evidence, factor, "rate too large")
    return None


def too_small(evidence: Evidence) -> Finding | None:
    """The rate is 0; or with 10 to 10,000 times the rate the copy learns, and with the given one
    the weights stay within their own length (`FAR`) of where they began."""
    if not evidence.patient.given:
        return None
    trial = evidence.trial
    if all(float(rate) == 0 for rate in trial.rates):
        return Finding("rate too small", ("optimizer",), "the rate is 0: nothing moves")
    if trial.way() > FAR:
        return None
    for factor in HIGHER:
        if evidence.gain(rate=factor) >= LEARNS:
            return _other(evidence, factor, "rate too small")
    return None


def _other(evidence: Evidence, factor: float, illness: str) -> Finding:
    trial, other = evidence.trial, evidence.what_if(rate=factor)
    now = "not finite" if trial.broke else number(trial.now)
    moved = [way for way in trial.moved().values() if math.isfinite(way)]
    says = (
        f"rate {_rates(evidence)}: loss {now} after {len(trial.losses)} steps, weights moved by "
        f"{number(max(moved, default=0.0))} of their length; rate times {factor:g}: loss "
        f"{number(other.now)} after {len(other.losses)}"
    )
    return Finding(illness, ("optimizer",), says)


def broke(evidence: Evidence) -> Finding | None:
    """The trial ended at NaN or infinity, and no rule knows why."""
    if evidence.trial.broke is None:
        return None
    step, what = evidence.trial.broke
    says = f"the {what} is not finite at step {step + 1} of the trial, at lower rates too"
    return Finding("not finite", (what,), says)
