"""One training step of R replicas: a batch in, weights changed in place, its measures out."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from operator import add
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course import measures
from course.training import parts
from course.training.devices import Repeated
from course.training.optimizers import FlatWeights, Optimizer, Schedule, clip_
from course.training.phasing import Skips
from course.training.problem import Problem, evaluation
from course.training.recording import Recorded
from course.training.records import Evaluation, NonFinite


@dataclass(frozen=True)
class BatchMeasures:
    """What was measured on the batch of a step, before its update.

    losses, accuracies: (R,), no accuracies for "mse"; norms by what is watched: (R, layers).
    """

    losses: np.ndarray
    accuracies: np.ndarray | None
    norms: dict[str, np.ndarray] | None


class Stepper:
    """A network, its problem, what its optimizer remembers, and where it broke down.

    The loss that is differentiated is the sum over replicas of each one's mean loss, so every
    gradient is that of a single run, and nothing is ever added up over replicas.
    """

    def __init__(
        self,
        network: Any,
        problem: Problem,
        optimizer: Optimizer,
        *,
        loss: str = "cross_entropy",
        clip: float | Schedule | None = None,
        skips: Skips | None = None,
        mixed: bool = False,
    ) -> None:
        self.network, self.problem, self.optimizer = network, problem, optimizer
        self.loss, self.clip, self.skips = loss, clip, skips
        self.mixed = mixed
        self.weights = FlatWeights(dict(network.named_parameters()), network.replicas)
        self.memory = optimizer.state(self.weights.values)
        self.gradient = torch.empty_like(self.weights.values)  # of the last step
        self.first_nonfinite: list[NonFinite | None] = [None] * network.replicas
        self.first = 0  # number of the first replica in that list
        self.private = False  # whether the modules are those of a part, which nobody else knows
        if skips is not None:
            skips.start(network.alpha, network.multiplier)
        self._prepare()

    def _prepare(self) -> None:
        network, learns = self.network, self.skips is not None and self.skips.learns
        self.alphas = [network.alpha] if learns else []
        memory = [self.gradient, *self.problem.evaluation.get("train", ())]
        gradients = Recorded(self._forward_backward, network, memory, watched=not self.private)
        self._gradients = Repeated(gradients, list(network.buffers()))
        self._update = Repeated(self._clip_and_update, [self.weights.values, *self.memory.values()])

    def part(self, rows: slice) -> Stepper:
        """The stepper of these replicas alone, over the same memory."""
        part = copy.copy(self)
        part.network = parts.part(self.network, rows)
        part.problem = self.problem.part(rows)
        part.optimizer = self.optimizer.part(rows)
        part.weights = self.weights.part(dict(part.network.named_parameters()), rows)
        part.memory = {name: tensor[rows] for name, tensor in self.memory.items()}
        part.gradient = self.gradient[rows]
        part.first = self.first + rows.start
        part.private = True
        part._prepare()
        return part

    def evaluate(self, batch: int | None = None) -> Evaluation:
        """Losses and accuracies on every part of the data; batch: see `measures.evaluate`."""
        return evaluation(self.network, self.problem, loss=self.loss, batch=batch)

    def step(
        self, number: int, steps: int, rate: float, watch: Sequence[str], told: bool = True
    ) -> BatchMeasures | None:
        """What the batch of a step showed, after the step; None unless it is `told`.

        number: of the step, from 0, of `steps` in all. watch: see `training.fit`.
        """
        self.check_attached()
        chosen = self.problem.batches.chosen(number)
        if not self.network.training:  # train() walks through all modules: 4 % of a step
            self.network.train()
        norms = None
        if watch:
            (summary, gradient, *slopes), norms = self._watched(chosen, watch)
        else:
            summary, gradient, *slopes = self._gradients(*chosen)
        losses, right, totals = summary.tolist()
        self._check_passes(losses, totals, number, gradient)
        most = self.clip(number, steps) if isinstance(self.clip, Schedule) else self.clip or 0.0
        numbers = *self.optimizer.numbers(number, rate), most
        self._update(gradient, gradient.new_tensor(numbers))
        if self.skips is not None:
            alpha, multiplier = self.network.alpha, self.network.multiplier
            with torch.no_grad():
                slope = slopes[0] if self.alphas else None
                self.skips.step(alpha, multiplier, slope, rate, (number + 1) / steps)
        self._check_weights(number)
        if not told:
            return None
        accuracies = None if self.loss == "mse" else np.array(right)
        return BatchMeasures(np.array(losses), accuracies, norms)

    def join(self) -> None:
        """Nothing: there are no other threads, as in a `Parallel`."""

    def check_attached(self) -> None:
        """RuntimeError if the parameters of the network no longer are those that are trained."""
        if not self.weights.attached:
            raise RuntimeError(
                "the network was moved, or given to another fit(...), since this run was made: "
                "train it in one run at a time, and make a new network for each"
            )

    def _forward_backward(
        self, *chosen: Tensor, signals: Sequence[Tensor] = ()
    ) -> tuple[Tensor, ...]:
        """Losses, accuracies and sums of the gradients (3, R); gradients (R, P); further slopes.

        The gradients are in the same memory at each step. The slopes are dC/dalpha
        (depth, R, units), if needed, and those of the signals.
        """
        x, y = self.problem.batches.examples(*chosen)
        with self._precision(x):
            outputs = self.network(x).to(x.dtype)
        losses = measures.losses(outputs, y, self.loss, self.problem.power)
        wanted = [*self.weights.parameters, *self.alphas, *signals]
        # What the loss does not depend on (alpha at depth 0, say) gets the slope 0.
        slopes = torch.autograd.grad(losses.sum(), wanted, materialize_grads=True)
        count = len(self.weights.parameters)
        gradient = self.weights.gather(slopes[:count], self.gradient)
        with torch.no_grad():
            right = (
                measures.accuracies(outputs, y)
                if self.loss == "cross_entropy"
                else torch.zeros_like(losses)
            )
            summary = torch.stack([losses, right, gradient.sum(1)])
        return summary, gradient, *slopes[count:]

    def _precision(self, x: Tensor) -> AbstractContextManager[Any]:
        """Inside, products and convolutions are in bfloat16, if they are to be.

        Weights and their sums stay in their own type. Without a cache of rounded weights, since a
        recorded step must round them anew each time.
        """
        if not self.mixed:
            return nullcontext()
        return torch.autocast(x.device.type, torch.bfloat16, cache_enabled=False)

    @torch.no_grad()
    def _clip_and_update(self, gradient: Tensor, numbers: Tensor) -> tuple[Tensor, ...]:
        if self.clip is not None:
            clip_(gradient, numbers[-1])
        self.optimizer.update(self.weights.values, gradient, self.memory, numbers)
        return ()

    def _watched(
        self, chosen: Sequence[Tensor], watch: Sequence[str]
    ) -> tuple[tuple[Tensor, ...], dict[str, np.ndarray]]:
        """What `_forward_backward` returns, and the norms of the layers by what is watched."""
        modules = list(measures.layers(self.network).values())
        with measures.outputs_of(modules) as signals:
            summary, gradient, *slopes = self._forward_backward(*chosen, signals=signals)
        weights, batch = self.weights, signals[0].shape[1]
        norms = {
            "activations": lambda: measures.example_norms(signals),
            "gradients": lambda: measures.example_norms(slopes[-len(signals) :], batch),
            "weights": lambda: measures.parameter_norms(
                weights.pieces(weights.values), self.network
            ),
            "weight_gradients": lambda: measures.parameter_norms(
                weights.pieces(gradient), self.network
            ),
        }
        return (summary, gradient, *slopes), {kind: norms[kind]() for kind in watch}

    def _check_passes(
        self, losses: list[float], totals: list[float], number: int, gradient: Tensor
    ) -> None:
        """Note the replicas in which the forward or the backward pass just broke down."""
        for replica in self._newly(map(add, losses, totals)):
            if not math.isfinite(losses[replica]):
                x, _ = self.problem.batches.batch(number)
                layer, what = measures.first_nonfinite_output(self.network, x, replica)
            elif broken := self._broken(gradient[replica]):
                layer, what = broken[-1], "gradient"  # the backward pass starts at the head
            else:
                continue  # only the sum of the gradients overflowed
            self._note(replica, number + 1, layer, what)

    def _check_weights(self, number: int) -> None:
        """Note the replicas whose weights were made infinite by an update from finite gradients."""
        for replica in self._newly(self.weights.values.sum(1).tolist()):
            if broken := self._broken(self.weights.values[replica]):
                self._note(replica, number + 1, broken[0], "weight")

    def _newly(self, sums: Iterable[float]) -> list[int]:
        """The replicas whose sum is not finite, of those that were sound so far."""
        broken = [replica for replica, each in enumerate(sums) if not math.isfinite(each)]
        return [replica for replica in broken if self.first_nonfinite[self.first + replica] is None]

    def _note(self, replica: int, step: int, layer: str, what: str) -> None:
        number = self.first + replica
        self.first_nonfinite[number] = NonFinite(number, step, layer, what)

    def _broken(self, row: Tensor) -> list[str]:
        """The layers with an entry of `row` (P,) that is not finite, in forward order."""
        return [
            measures.layer_of(self.network, name)
            for name, piece in self.weights.pieces(row).items()
            if not torch.isfinite(piece).all()
        ]
