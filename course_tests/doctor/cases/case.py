"""A network with its data, loss and optimizer, and what is true of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from course import doctor


@dataclass
class Case:
    """truth: the illness, None for healthy. place: names, one of which the verdict must name.
    warm_up: steps over which a schedule lets the rate rise, see `warmed`. twin: a healthy one that
    differs in nothing but the remedy, where the truth hangs on it."""

    family: str
    model: nn.Module
    batches: list[Any]
    loss: Callable[[Any, Any], Tensor]
    optimizer: torch.optim.Optimizer
    forward: Callable[[nn.Module, Any], tuple[Any, Any]] | None = None
    clip: float | None = None
    truth: str | None = None
    place: tuple[str, ...] = ()
    fault: str = "healthy"
    warm_up: int = 0
    twin: Case | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def examine(self, **settings: Any) -> doctor.Verdict:
        """The doctor's verdict."""
        return doctor.examine(
            self.model, self.batches, loss=self.loss, optimizer=self.optimizer,
            forward=self.forward, clip=self.clip, **settings,
        )  # fmt: skip

    def warmed(self, steps: int) -> Case:
        """This very case, with a rate that rises over so many steps, as a schedule has it."""
        self.warm_up = steps
        for group in self.optimizer.param_groups:
            group["initial_lr"] = group["lr"]
            group["lr"] /= steps
        return self

    def value(self, batch: Any) -> Tensor:
        """The loss of a batch."""
        if self.forward is not None:
            return self.loss(*self.forward(self.model, batch))
        if isinstance(batch, tuple) and len(batch) == 1:
            (batch,) = batch
        *inputs, targets = batch if isinstance(batch, tuple) else (batch, batch)
        return self.loss(self.model(*inputs), targets)

    def steps(self, count: int) -> list[float]:
        """Train in earnest, as anyone would; the losses before each step."""
        losses: list[float] = []

        def loss(step: int) -> Tensor:
            self.optimizer.zero_grad()
            value = self.value(self.batches[step % len(self.batches)])
            value.backward()
            if self.clip is not None:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
            return value.detach()

        for step in range(count):
            for group in self.optimizer.param_groups if self.warm_up else ():
                group["lr"] = group["initial_lr"] * min(1.0, (step + 1) / self.warm_up)
            if isinstance(self.optimizer, torch.optim.LBFGS):
                losses.append(float(self.optimizer.step(partial(loss, step))))
            else:
                losses.append(float(loss(step)))
                self.optimizer.step()
        return losses

    def has_place_right(self, place: tuple[str, ...]) -> bool:
        """Whether one of the named places is one of the true ones, or lies inside of it."""
        return any(
            found == true
            or found.startswith((true + ".", true + "["))
            or true.startswith(found + ".")
            for found in place
            for true in self.place
        )
