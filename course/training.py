"""Training as an iterator: `fit` yields a Record as it goes, and whoever watches decides the rest.

    for record in fit(network, data.digits(), epochs=10):
        print(record.step, record.loss.mean())

The R replicas of a network train side by side on their own batches. The loss that is
differentiated is the sum over replicas of each one's mean loss, so every gradient is that of a
single run; nothing is ever added up over replicas, so one which explodes leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course import devices, measuring
from course.arguments import one_of, real, reject, whole
from course.batches import Problem
from course.measuring import Evaluation, NonFinite
from course.optimizers import SGD, Adam, FlatWeights, Optimizer, clip_
from course.schedules import Schedule, constant, linear_decay, step_decay

__all__ = [
    "SGD", "Adam", "Evaluation", "NonFinite", "Record", "Schedule", "constant", "fit",
    "linear_decay", "step_decay",
]  # fmt: skip


@dataclass(frozen=True)
class Record:
    """What is known after a step. Arrays are float64, one entry per replica: shape (R,).

    step: updates done so far, 1 to `steps`; epoch: passes through the data so far, or None.
    rate: the learning rate of this step.
    loss, accuracy: of this step's batch, before its update. Accuracies are None for "mse".
    train_loss, train_accuracy, test_loss, test_accuracy: over all examples, after the update,
        with running statistics; None where not evaluated. batch_statistics: the same four with
        the statistics of batches instead, where asked for.
    layers, norms: names of layers and, by what was watched, arrays (R, layers); see `fit`.
    alpha: what is left of the skips is 1 - alpha, (R, depth); None for networks without.
    first_nonfinite: for each replica where NaN or infinity first appeared, or None.
    """

    step: int
    steps: int
    epoch: float | None
    rate: float
    loss: np.ndarray
    accuracy: np.ndarray | None
    first_nonfinite: tuple[NonFinite | None, ...]
    train_loss: np.ndarray | None = None
    train_accuracy: np.ndarray | None = None
    test_loss: np.ndarray | None = None
    test_accuracy: np.ndarray | None = None
    batch_statistics: Evaluation | None = None
    layers: tuple[str, ...] = ()
    norms: dict[str, np.ndarray] | None = None
    alpha: np.ndarray | None = None


def fit(
    network: Any,
    data: Any,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    batch: int = 100,
    optimizer: Optimizer | None = None,
    schedule: Schedule = constant,
    clip: float | None = None,
    loss: str = "cross_entropy",
    evaluate_every: int | None = None,
    batch_statistics: bool = False,
    record_every: int = 1,
    watch: Sequence[str] = (),
    stop: Any = None,
    device: str = "auto",
) -> Iterator[Record]:
    """Train the network in place; yield a Record after every `record_every` steps and the last.

    data: a `data.Dataset`, or a task that draws fresh examples (`tasks.LinearTeacher`).
    steps or epochs: how long; tasks have no epochs. An epoch is N // batch steps.
    optimizer: SGD(rate, momentum) or Adam(rate), SGD() if None; schedule: a factor on its rate.
    clip: the most that the norm of a replica's gradient may be.
    evaluate_every: evaluate after so many steps (and yield), and after the last one in any case.
    batch_statistics: evaluate with the statistics of batches as well.
    watch: norms by layer to put into records, any of "activations" and "gradients" (with respect
        to activations, of each example's own loss; root mean square over examples of the norm),
        "weights" and "weight_gradients" (of all parameters of a layer together).
    stop: an Event, or a function without arguments: training ends where it is set, or returns True.
        Closing the iterator stops as well.

    Raises ValueError at once, before any training, for arguments that do not fit.
    """
    chosen = devices.device(device)
    if (steps is None) == (epochs is None):
        raise reject("steps, epochs", (steps, epochs), "one of the two, and the other one None")
    whole("batch", batch, least=1)
    one_of("loss", loss, measuring.LOSSES)
    for kind in watch:
        one_of("watch", kind, measuring.WATCHABLE)
    network.to(chosen)
    problem = Problem(data, network, loss, batch, chosen)
    if epochs is not None:
        if problem.batches.steps_per_epoch is None:
            raise reject("epochs", epochs, "None for a task that draws fresh examples: give steps")
        steps = whole("epochs", epochs, least=1) * problem.batches.steps_per_epoch
    run = Run(
        network,
        problem,
        steps=whole("steps", steps, least=1),
        optimizer=SGD() if optimizer is None else optimizer,
        schedule=schedule,
        clip=None if clip is None else real("clip", clip, above=0),
        loss=loss,
    )
    run.batch = batch
    run.record_every = whole("record_every", record_every, least=1)
    run.evaluate_every = whole("evaluate_every", evaluate_every or steps, least=1)
    run.batch_statistics, run.watch = batch_statistics, tuple(watch)
    return run.records(getattr(stop, "is_set", stop) or (lambda: False))


class Run:
    """A training run: what changes from step to step, and how."""

    def __init__(
        self,
        network: Any,
        problem: Problem,
        *,
        steps: int,
        optimizer: Optimizer,
        schedule: Schedule,
        clip: float | None,
        loss: str,
    ) -> None:
        self.network, self.problem, self.steps = network, problem, steps
        self.optimizer, self.schedule, self.clip, self.loss = optimizer, schedule, clip, loss
        self.weights = FlatWeights(dict(network.named_parameters()), network.replicas)
        self.memory = optimizer.state(self.weights.values)
        self.step = 0
        self.first_nonfinite: list[NonFinite | None] = [None] * network.replicas
        self.gradients = devices.Repeated(self._gradients, list(network.buffers()))
        changed = [self.weights.values, *self.memory.values()]
        self.update = devices.Repeated(self._update, changed)

    def records(self, stopped: Callable[[], bool]) -> Iterator[Record]:
        """Train to the end, or until stopped."""
        training = self.network.training
        try:
            while self.step < self.steps and not stopped():
                record = self.advance()
                if record is not None:
                    yield record
        finally:
            self.network.train(training)

    def advance(self) -> Record | None:
        """One training step; its record, where one is due."""
        step, last = self.step, self.step + 1 == self.steps
        evaluate = last or (step + 1) % self.evaluate_every == 0
        recorded = evaluate or (step + 1) % self.record_every == 0
        x, y = self.problem.batches.batch(step)
        rate = self.optimizer.rate * self.schedule(step, self.steps)
        self.network.train()
        norms = None
        if recorded and self.watch:
            summary, gradient, norms = self._watched(x, y)
        else:
            summary, gradient = self.gradients(x, y)
        losses, right, total = summary.cpu().double().numpy()
        self._check_step(losses, total, gradient, x)
        self.update(gradient, gradient.new_tensor(self.optimizer.numbers(step, rate)))
        self.step += 1
        self._check_weights()
        if not recorded:
            return None
        epoch_length = self.problem.batches.steps_per_epoch
        evaluation = self.evaluation(None) if evaluate else Evaluation()
        return Record(
            step=self.step,
            steps=self.steps,
            epoch=None if epoch_length is None else self.step / epoch_length,
            rate=rate,
            loss=losses,
            accuracy=None if self.loss == "mse" else right,
            first_nonfinite=tuple(self.first_nonfinite),
            **vars(evaluation),
            batch_statistics=(
                self.evaluation(self.batch) if evaluate and self.batch_statistics else None
            ),
            layers=tuple(measuring.layers(self.network)) if norms else (),
            norms=norms,
        )

    def evaluation(self, batch: int | None) -> Evaluation:
        """Losses and accuracies now, over all examples; see `measuring.evaluate` for `batch`."""
        found: dict[str, np.ndarray | None] = {}
        for part, (x, y) in self.problem.evaluation.items():
            found[f"{part}_loss"], found[f"{part}_accuracy"] = measuring.evaluate(
                self.network, x, y, loss=self.loss, power=self.problem.power, batch=batch
            )
        return Evaluation(**found)

    def _gradients(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Losses, accuracies and sums of gradients, (3, R), and the gradients, (R, P)."""
        return self._differentiate(x, y, ())[:2]

    def _differentiate(
        self, x: Tensor, y: Tensor, signals: list[Tensor] | tuple[()]
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        outputs = self.network(x)
        losses = measuring.losses(outputs, y, self.loss, self.problem.power)
        wanted = [*self.weights.parameters, *signals]
        found = torch.autograd.grad(losses.sum(), wanted)
        count = len(self.weights.parameters)
        gradient = self.weights.gather(found[:count])
        with torch.no_grad():
            right = (
                torch.zeros_like(losses) if self.loss == "mse" else measuring.accuracies(outputs, y)
            )
            summary = torch.stack([losses, right, gradient.sum(1)])
        return summary, gradient, found[count:]

    def _watched(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, dict[str, np.ndarray]]:
        with measuring.outputs_of(list(measuring.layers(self.network).values())) as signals:
            summary, gradient, slopes = self._differentiate(x, y, signals)
        measured = {
            "activations": lambda: measuring.example_norms(signals),
            "gradients": lambda: measuring.example_norms(slopes, scale=x.shape[1]),
            "weights": lambda: measuring.parameter_norms(
                self.weights.pieces(self.weights.values), self.network
            ),
            "weight_gradients": lambda: measuring.parameter_norms(
                self.weights.pieces(gradient), self.network
            ),
        }
        return summary, gradient, {kind: measured[kind]() for kind in self.watch}

    @torch.no_grad()
    def _update(self, gradient: Tensor, numbers: Tensor) -> tuple[()]:
        if self.clip is not None:
            clip_(gradient, self.clip)
        self.optimizer.update(self.weights.values, gradient, self.memory, numbers)
        return ()

    def _check_step(
        self, losses: np.ndarray, totals: np.ndarray, gradient: Tensor, x: Tensor
    ) -> None:
        """Note the replicas in which the forward or backward pass of this step broke down first."""
        suspects = ~(np.isfinite(losses) & np.isfinite(totals))
        for replica in self._healthy(suspects):
            if not np.isfinite(losses[replica]):
                layer, what = measuring.first_activation(self.network, x, replica)
            elif not torch.isfinite(gradient[replica]).all():
                # The backward pass runs from the head to the stem: the last one broke down first.
                layer, what = self._broken(gradient[replica])[-1], "gradient"
            else:
                continue  # a sum of finite numbers overflowed
            self.first_nonfinite[replica] = NonFinite(replica, self.step + 1, layer, what)

    def _check_weights(self) -> None:
        """Note the replicas whose weights this step's update made infinite."""
        totals = self.weights.values.sum(1).cpu().numpy()
        for replica in self._healthy(~np.isfinite(totals)):
            row = self.weights.values[replica]
            if not torch.isfinite(row).all():
                layer = self._broken(row)[0]
                self.first_nonfinite[replica] = NonFinite(replica, self.step, layer, "weight")

    def _healthy(self, suspects: np.ndarray) -> list[int]:
        """The suspects that were finite so far."""
        return [int(r) for r in suspects.nonzero()[0] if self.first_nonfinite[r] is None]

    def _broken(self, row: Tensor) -> list[str]:
        """Layers with an entry of `row` (P,) that is not finite."""
        return [
            measuring.layer_of(self.network, name)
            for name, piece in self.weights.pieces(row).items()
            if not torch.isfinite(piece).all()
        ]
