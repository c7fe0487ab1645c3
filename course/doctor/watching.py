"""Around anyone's training loop: cheap checkups, a short history, an alarm when the run falls ill.

    with doctor.watch(model, optimizer) as w:
        for x, y in loader:
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
    print(w.verdict())

Between checkups only the loss is noted. A checkup is a step at which gradients, weights, their
update and dead units are measured.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from course.arguments import reject, whole
from course.doctor import symptoms
from course.doctor.verdict import NOT_EXAMINED, Finding, Verdict
from course.doctor.words import number


@dataclass(frozen=True)
class Checkup:
    """What was measured at a step. gradients, weights: lengths of each parameter that has a
    gradient, in the order of `Watch.names` (NaN: none came). update: length of the step of all
    weights over their length. dead: share of units by ReLU layer that gave 0 for the batch.
    earlier: length of p.grad before the first backward pass since the last step."""

    step: int
    loss: float
    gradients: tuple[float, ...]
    weights: tuple[float, ...]
    update: float
    dead: dict[str, float]
    earlier: float


class Watch:
    """Watches a run inside its `with`. Nothing is changed; every hook is removed at the end.

    model, optimizer: those of the loop. every: steps from one checkup to the next; the first are 1,
    2, 4, ... steps apart. alarm: called with each new `Finding` (default: a warning).
    losses: of every backward pass that led to a step; checkups: the history; findings: the alarms.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        every: int = 50,
        alarm: Callable[[Finding], None] | None = None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise reject("model", model, "a torch.nn.Module")
        if not isinstance(optimizer, Optimizer):
            raise reject("optimizer", optimizer, "a torch.optim.Optimizer")
        self.every = whole("every", every, least=1)
        self.model, self.optimizer = model, optimizer
        self.alarm = alarm or _warn
        self.names = [name for name, p in model.named_parameters() if p.requires_grad]
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.losses: list[float] = []
        self.checkups: list[Checkup] = []
        self.findings: list[Finding] = []
        self.modes: list[str] = []  # modules that were in evaluation mode during a step
        self.step = 0
        self._value: Tensor | None = None
        self._pending: list[Tensor] = []  # losses that a GPU has not been asked for yet
        self._earlier = 0.0
        self._fresh = True  # no backward pass since the last step
        self._before: list[Tensor] | None = None
        self._zero: dict[str, Tensor] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Watch:
        backward = torch.Tensor.backward

        def noted(tensor: Tensor, *args: Any, **kwargs: Any) -> None:
            self._come(tensor)
            backward(tensor, *args, **kwargs)

        torch.Tensor.backward = noted  # type: ignore[method-assign, assignment]
        self._stack.callback(setattr, torch.Tensor, "backward", backward)
        for handle in (
            self.optimizer.register_step_pre_hook(self._stepping),
            self.optimizer.register_step_post_hook(self._stepped),
        ):
            self._stack.callback(handle.remove)
        for name, module in self.model.named_modules():
            if isinstance(module, nn.ReLU):
                hook = module.register_forward_hook(
                    lambda *call, name=name: self._passed(name, call[2])
                )
                self._stack.callback(hook.remove)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._before = None
        self._collect()

    @property
    def due(self) -> bool:
        """Whether this step is looked at."""
        step = self.step
        return step % self.every == 0 or (step < self.every and step & (step - 1) == 0)

    def verdict(self) -> Verdict:
        """What was seen so far: the first alarm is the root. Healthy needs a loss that falls."""
        start, now = symptoms.ends(self.losses)
        says = [f"{self.step} steps, {len(self.checkups)} checkups"]
        if self.losses:
            says.append(f"the loss went from {number(start)} to {number(now)}")
        if self.checkups:
            says.append(f"the last step moved the weights by {number(self.checkups[-1].update)}")
        falls = symptoms.falls(self.losses)
        status = "ill" if self.findings else "healthy" if falls else "not sure"
        return Verdict(
            status,
            root=self.findings[0] if self.findings else None,
            consequences=tuple(self.findings[1:]),
            evidence=tuple(says),
            not_examined=(*NOT_EXAMINED, "the data and what a change would do: see `examine`"),
            losses=tuple(self.losses),
        )

    def _come(self, value: Tensor) -> None:
        """A backward pass begins."""
        if value.numel() == 1:
            self._value = value.detach()
        if self._fresh and self.due:
            came = [p.grad for p in self.parameters if p.grad is not None]
            self._earlier = _length(came)
        self._fresh = False

    def _passed(self, name: str, output: Tensor) -> None:
        """A ReLU has run; only at a checkup its output is counted."""
        if self.due and self.model.training:
            zero = output.detach() == 0
            if zero.dim() > 2:  # channels of images are units, else the last axis
                zero = zero.flatten(2).all(2) if zero.dim() > 3 else zero.flatten(0, -2)
            self._zero[name] = zero.all(0)

    def _stepping(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._value is not None:
            self._pending.append(self._value)
            self._value = None
        if self.due or (self._pending and self._pending[-1].device.type == "cpu"):
            self._collect()
        broken = bool(self.losses) and not math.isfinite(self.losses[-1])
        if self.due or broken:
            self._before = [p.detach().clone() for p in self.parameters]

    def _collect(self) -> None:
        self.losses += [float(value) for value in self._pending]
        self._pending.clear()

    def _stepped(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._before is not None:
            self.checkups.append(self._check_up(self._before))
            self._before = None
            self._judge()
        self._zero.clear()
        self._fresh, self._earlier = True, 0.0
        self.step += 1

    def _check_up(self, before: list[Tensor]) -> Checkup:
        moved = torch._foreach_sub([p.detach() for p in self.parameters], before)
        weights = _lengths(before)
        gradients = _lengths([p.grad for p in self.parameters])
        size = math.hypot(*weights)
        evaluated = [
            name or type(module).__name__ for name, module in self.model.named_modules()
            if isinstance(module, _BatchNorm) and not module.training and _is_fresh(module)
        ]  # fmt: skip
        self.modes = evaluated
        return Checkup(
            self.step,
            self.losses[-1] if self.losses else math.nan,
            tuple(gradients),
            tuple(weights),
            _length(list(moved)) / size if size else math.inf,
            {name: float(units.double().mean()) for name, units in self._zero.items()},
            self._earlier,
        )

    def _judge(self) -> None:
        known = {finding.illness for finding in self.findings}
        for finding in symptoms.of_run(self):
            if finding.illness not in known:
                self.findings.append(finding)
                self.alarm(finding)


def watch(
    model: nn.Module,
    optimizer: Optimizer,
    *,
    every: int = 50,
    alarm: Callable[[Finding], None] | None = None,
) -> Watch:
    """A `Watch` of a training loop, for its `with`. ValueError for other types."""
    return Watch(model, optimizer, every, alarm)


def _warn(finding: Finding) -> None:
    warnings.warn(f"{finding.illness}: {finding.evidence}", stacklevel=4)


def _lengths(tensors: Sequence[Tensor | None]) -> list[float]:
    """Euclidean length of each, NaN for None; one transfer from the device."""
    some = [x for x in tensors if x is not None and not x.is_sparse]
    values = iter(
        torch.stack([n.float() for n in torch._foreach_norm(some)]).tolist() if some else []
    )
    return [math.nan if x is None or x.is_sparse else next(values) for x in tensors]


def _length(tensors: list[Any]) -> float:
    return math.hypot(*(value for value in _lengths(list(tensors)) if not math.isnan(value)))


def _is_fresh(module: _BatchNorm) -> bool:
    mean = module.running_mean
    return mean is not None and not bool(mean.any())
