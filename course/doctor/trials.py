"""Training steps on a copy: as given, or with one thing changed to see whether that is it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from course import measures
from course.doctor import patient as patients
from course.doctor.baselines import best_constant
from course.doctor.patient import Patient
from course.doctor.tracing import Trace, Tracing


@dataclass(frozen=True)
class Change:
    """What differs from the training as given. rate: factor on every rate; warm_up: whether the
    rate rises linearly over the first half of the steps; decay, clip: False leaves them out;
    standardized: each input minus its mean, over its SD; targets: the same of the targets;
    float32: all in single precision;
    only_first_batch: the same batch at every step."""

    rate: float = 1.0
    warm_up: bool = False
    decay: bool = True
    clip: bool = True
    standardized: bool = False
    targets: bool = False
    float32: bool = False
    only_first_batch: bool = False


AS_GIVEN = Change()

PASSES = 3
"""Passes through the network that a step of a trial may cost on average. An optimizer that asks for
the loss again (LBFGS: up to 25 times in a step, by default) gets fewer steps instead."""


class Trial:
    """A copy of the patient that trains step by step on `batches` under a `Change`.

    traces: of a trial on the same batches, if there was one; they give the best constant answer.

    losses: of each step's batch before its update. start, now: mean loss over the first `few` of
    the batches, in the mode of training, before the first step and at present; held_start, held:
    likewise over batches that were never trained on (NaN without any). lengths: of the gradient at
    each step. passes: through the network, in training. history: (steps, `now`) after each call of
    `advance`. first: how far each parameter went in the first step, over its length. broke: (step,
    what) where a loss or a gradient was first not finite; the trial ends there. scheduled: whether
    the rate rises, also because a schedule holds it below its initial one.
    """

    few = 4

    def __init__(
        self,
        patient: Patient,
        batches: Sequence[Any],
        held_out: Sequence[Any] = (),
        change: Change = AS_GIVEN,
        traces: list[Trace] | None = None,
    ) -> None:
        self.patient, self.change = patient, change
        prepare = _preparation(batches, change)
        self.batches = [prepare(batch) for batch in batches]
        self.held_out = [prepare(batch) for batch in held_out]
        if change.only_first_batch:
            self.batches = self.batches[:1]
        self.model, self.optimizer = patient.fresh()
        if change.float32:
            self.model.float()
        for group in self.optimizer.param_groups:
            group["lr"] = group["lr"] * change.rate
            if not change.decay and "weight_decay" in group:
                group["weight_decay"] = 0.0
        self.scheduled = change.warm_up
        self.rates = []
        for group in self.optimizer.param_groups:
            full = group.get("initial_lr", 0.0) * change.rate  # a schedule is at work
            self.scheduled |= bool(full > group["lr"])
            self.rates.append(max(full, group["lr"]))
        self.losses: list[float] = []
        self.lengths: list[float] = []
        self.passes = 0
        self.first: dict[str, float] = {}
        self.broke: tuple[int, str] | None = None
        self.before = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        self.start = self.evaluate(self.batches)
        self.traces = self._traces() if traces is None else traces
        self.held_start = self.evaluate(self.held_out)
        self.now, self.held = self.start, self.held_start
        self.history = [(0, self.start)]

    def advance(self, steps: int) -> Trial:
        """Train so many steps more, or until they cost `PASSES` times as many passes; evaluate."""
        torch.manual_seed(1)  # the same dropout in each trial
        ramp = max(1, steps // 2)
        most = self.passes + PASSES * steps
        for _ in range(steps):
            if self.broke is not None or self.passes >= most:
                break
            for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
                share = min(1.0, (len(self.losses) + 1) / ramp) if self.scheduled else 1.0
                group["lr"] = rate * share
            self._step(self.batches[len(self.losses) % len(self.batches)])
        self.now, self.held = self.evaluate(self.batches), self.evaluate(self.held_out)
        self.history.append((len(self.losses), self.now))
        return self

    def _step(self, batch: Any) -> None:
        step = len(self.losses)
        self.passes += 1
        value = self.patient.value(self.model, batch)
        self.losses.append(float(value.detach()))
        if not math.isfinite(self.losses[-1]):
            self.broke = (step, "loss")
            return
        trainable = [p for p in self.model.parameters() if p.requires_grad]
        if not value.requires_grad or not trainable:
            return
        for p, slope in zip(trainable, self.patient.slopes(value, trainable), strict=True):
            p.grad = slope
        came = [p.grad for p in trainable if p.grad is not None]
        length = float(torch.linalg.vector_norm(torch.stack(
            [torch.linalg.vector_norm(g.coalesce().values() if g.is_sparse else g).float()
             for g in came]
        ))) if came else 0.0  # fmt: skip
        self.lengths.append(length)
        if not math.isfinite(length):
            self.broke = (step, "gradient")
            return
        if self.patient.clip is not None and self.change.clip and came:
            torch.nn.utils.clip_grad_norm_(trainable, self.patient.clip)
        if self._asks_again:
            self.optimizer.step(lambda: self._again(batch, trainable))
        else:
            self.optimizer.step()
        if step == 0:
            self.first = self.moved()

    @property
    def _asks_again(self) -> bool:
        """Whether the optimizer is one that may need the loss several times in a step."""
        kind = type(self.optimizer)
        return not kind.__module__.startswith("torch.optim") or kind is torch.optim.LBFGS

    @torch.enable_grad()  # type: ignore[untyped-decorator]
    def _again(self, batch: Any, trainable: Sequence[nn.Parameter]) -> float:
        self.passes += 1
        value = self.patient.value(self.model, batch)
        for p, slope in zip(trainable, self.patient.slopes(value, trainable), strict=True):
            p.grad = slope
        return float(value.detach())

    def evaluate(
        self, batches: Sequence[Any], change: Callable[[Tensor], Tensor] | None = None
    ) -> float:
        """Mean loss over the first few batches, in the mode of training; buffers stay.

        change: what is done to the targets before.
        """
        with self.patient.still(), measures.untouched_buffers(self.model):
            torch.manual_seed(2)
            values = [
                float(self.patient.value(self.model, batch, change).detach())
                for batch in batches[: self.few]
            ]
        return math.fsum(values) / len(values) if values else math.nan

    def _traces(self) -> list[Trace]:
        with self.patient.still(), measures.untouched_buffers(self.model):
            traces = []
            for batch in self.batches[: self.few]:
                with Tracing() as tracing:
                    value = self.patient.value(self.model, batch)
                tracing.trace.total = float(value.detach())
                traces.append(tracing.trace)
        return traces

    @cached_property
    def baseline(self) -> tuple[float, float] | None:
        """Loss of the best constant answer and least possible loss; see `best_constant`."""
        return best_constant(self.traces)

    def share(self, loss: float) -> float:
        """How far a loss has come from the best constant answer (0) to the least possible (1).

        Below 0 it is worse than a constant. Where that is not known: how far it fell from the
        start, as a share of its size there, or how far it is below the loss with the targets of
        other examples, whichever is less. -infinity for a loss that is not finite.
        """
        if not math.isfinite(loss):
            return -math.inf
        if self.baseline is not None:
            best, least = self.baseline
            return (best - loss) / (best - least)
        if not math.isfinite(self.start) or loss == self.start:
            return 0.0
        fallen = (self.start - loss) / max(abs(self.start), 1e-12)
        if loss != self.now or not self._asks_for_targets:
            return fallen
        control = self.evaluate(self.batches, _of_others)
        if not math.isfinite(control):
            return fallen
        return min(fallen, (control - loss) / max(abs(control), 1e-12))

    @property
    def _asks_for_targets(self) -> bool:
        """Whether the loss is another one when all targets are 0 (some losses take none), and
        targets of other examples are other targets."""
        if self.evaluate(self.batches, torch.zeros_like) == self.evaluate(self.batches):
            return False
        with self.patient.still(), measures.untouched_buffers(self.model):
            some = [self.patient.forward(self.model, one)[1] for one in self.batches[: self.few]]
        return any(not torch.equal(y, _of_others(y)) for y in patients.tensors(some))

    def way(self) -> float:
        """How far all parameters together went, over their length."""
        pairs = [(self.before[n], p.detach()) for n, p in self.model.named_parameters()]
        way, length = (
            math.hypot(*map(patients.length, part))
            for part in ([new - old for old, new in pairs], [old for old, _ in pairs])
        )
        return way / length if length else math.inf

    def moved(self) -> dict[str, float]:
        """How far each parameter went over its own length: 0 if not at all, infinite from 0."""
        result = {}
        for name, p in self.model.named_parameters():
            old = self.before[name]
            way, length = patients.length(p.detach() - old), patients.length(old)
            result[name] = way / length if length else (math.inf if way else 0.0)
        return result


def _of_others(y: Tensor) -> Tensor:
    """Targets in reverse: those of other examples."""
    return y.flip(0) if y.dim() else y


def _preparation(batches: Sequence[Any], change: Change) -> Callable[[Any], Any]:
    """What is done to each batch before it is used."""

    def prepare(batch: Any) -> Any:
        if change.standardized:
            batch = _with_standard(batch, 0, inputs)
        if change.targets:
            batch = _with_standard(batch, -1, targets)
        if change.float32:
            batch = patients.apply(batch, lambda x: x.float() if x.is_floating_point() else x)
        return batch

    inputs = _scale(batches, 0) if change.standardized else None
    targets = _scale(batches, -1) if change.targets else None
    return prepare


def _scale(batches: Sequence[Any], place: int) -> tuple[Tensor, Tensor]:
    """Mean and SD of each number of the first or last tensor of the batches."""
    values = torch.cat([_rows(_tensor(batch, place)) for batch in batches])
    sd = values.std(0)
    return values.mean(0), torch.where(sd > 1e-6 * sd.max().clamp(min=1e-30), sd, torch.inf)


def _with_standard(batch: Any, place: int, scale: tuple[Tensor, Tensor] | None) -> Any:
    x = _tensor(batch, place)
    assert scale is not None
    new = ((_rows(x) - scale[0]) / scale[1]).reshape(x.shape).to(x.dtype)
    return patients.apply(batch, lambda part: new if part is x else part)


def _tensor(batch: Any, place: int) -> Tensor:
    return list(patients.tensors(batch))[place]


def _rows(x: Tensor) -> Tensor:
    return x.float().reshape(len(x), -1)
