"""What happens to the parameters of a module: their lengths, updates, and where gradients came."""

from __future__ import annotations

import math
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from course.measures import signals


class Weights:
    """Watches the parameters of `module` while the hooks of `watch` are there."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.before: dict[str, Tensor] = {}
        self.earlier: dict[str, tuple[Tensor, int]] = {}  # p.grad and its version at the start
        self.arrived: dict[str, Tensor] = {}  # whether the gradient that arrived was not all 0

    def watch(self, stack: ExitStack) -> None:
        """Begin anew, with a hook on each parameter that the stack will remove."""
        self.earlier, self.arrived = {}, {}
        for name, parameter in self.module.named_parameters():
            if parameter.grad is not None:
                self.earlier[name] = (parameter.grad, parameter.grad._version)
            if parameter.requires_grad:
                hook = partial(self._accumulated, name)
                stack.callback(parameter.register_post_accumulate_grad_hook(hook).remove)
        self.mark()

    def mark(self) -> None:
        """Remember the weights as they are now: updates are measured from here."""
        self.before = {n: p.detach().clone() for n, p in self.module.named_parameters()}

    def records(self, replicas: int | None, reached: bool) -> list[dict[str, Any]]:
        """The records of `Probe.parameters`; reached: whether a backward pass was seen."""

        def length(x: Tensor) -> numpy.ndarray:
            return signals.lengths(x, replicas).numpy()

        records = []
        for name, parameter in self.module.named_parameters():
            new = parameter.detach()
            unknown = torch.full_like(new, math.nan)
            old = self.before.get(name, unknown)
            gradient = unknown if parameter.grad is None else parameter.grad
            update, before = length(new - old), length(old)
            with numpy.errstate(divide="ignore", invalid="ignore"):
                ratio = numpy.where(update == 0, 0.0, update / before)
            about = dict(parameter=name, weight=length(new), gradient=length(gradient))
            about |= dict(update=update, ratio=ratio)
            records.append(about | dict(backward=self._backward(name, parameter, reached)))
        return records

    def _accumulated(self, name: str, parameter: Tensor) -> None:
        if parameter.grad is not None:
            self.arrived[name] = parameter.grad.detach().any()

    def _backward(self, name: str, parameter: nn.Parameter, reached: bool) -> str:
        gradient, arrived = parameter.grad, self.arrived.get(name)
        if gradient is None and arrived is None:
            if not parameter.requires_grad:
                return "frozen"
            return "not accumulated" if reached or self.arrived else "no backward pass"
        if gradient is None or (arrived is not None and bool(arrived) and not gradient.any()):
            return "cleared"
        earlier, version = self.earlier.get(name, (None, 0))
        if arrived is None and gradient is earlier and gradient._version == version:
            return "earlier"
        return "finite" if gradient.isfinite().all() else "not finite"
