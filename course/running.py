"""A training run from its first step, or from a checkpoint, to its last one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from course import checkpoints, measuring
from course.batches import Problem
from course.records import Evaluation, Record, from_plain, to_plain
from course.schedules import Schedule
from course.stepping import Stepper


@dataclass(frozen=True)
class Reports:
    """Which steps are recorded and evaluated, and what is measured then. See `training.fit`."""

    every: int
    evaluate_every: int
    batch: int | None  # size of the batches whose statistics are used as well; None: not done
    watch: tuple[str, ...]


@dataclass(frozen=True)
class Saving:
    """Where the checkpoint is, how often it is written (seconds), and what it must agree with."""

    path: Path
    every: float
    settings: dict[str, str]


class Run:
    """A run. The number of the step, the network and the stepper's memory are all its state."""

    def __init__(
        self,
        stepper: Stepper,
        problem: Problem,
        steps: int,
        schedule: Schedule,
        reports: Reports,
        saving: Saving | None,
    ) -> None:
        self.stepper, self.problem, self.steps, self.schedule = stepper, problem, steps, schedule
        self.reports, self.saving = reports, saving
        self.network = stepper.network
        self.done = 0
        self.evaluated: list[Record] = []
        if saving is not None and saving.path.exists():
            self._load(saving)

    def records(self, stopped: Callable[[], bool]) -> Iterator[Record]:
        """Train to the end, or until stopped."""
        training = self.network.training
        saved, saved_at = self.done, time.monotonic()
        between_steps = True
        try:
            yield from tuple(self.evaluated)
            self.network.train()
            while self.done < self.steps and not stopped():
                between_steps = False
                record = self.advance()
                between_steps = True
                if self.saving and time.monotonic() - saved_at >= self.saving.every:
                    self._save(self.saving)
                    saved, saved_at = self.done, time.monotonic()
                if record is not None:
                    yield record
        finally:
            self.network.train(training)
            if self.saving and between_steps and saved != self.done:
                self._save(self.saving)

    def advance(self) -> Record | None:
        """One training step; its record, where one is due."""
        number, reports = self.done + 1, self.reports
        evaluate = number == self.steps or number % reports.evaluate_every == 0
        recorded = evaluate or number % reports.every == 0
        rate = self.stepper.optimizer.rate * self.schedule(self.done, self.steps)
        x, y = self.problem.batches.batch(self.done)
        watch = reports.watch if recorded else ()
        seen = self.stepper.step(x, y, number=self.done, steps=self.steps, rate=rate, watch=watch)
        record = None
        if recorded:
            per_epoch = self.problem.batches.steps_per_epoch
            alpha = getattr(self.network, "alpha", None)
            record = Record(
                **vars(self._evaluation() if evaluate else Evaluation()),
                step=number,
                steps=self.steps,
                epoch=None if per_epoch is None else number / per_epoch,
                rate=rate,
                loss=seen.losses,
                accuracy=seen.accuracies,
                batch_statistics=(
                    self._evaluation(reports.batch) if evaluate and reports.batch else None
                ),
                layers=tuple(measuring.layers(self.network)) if watch else (),
                norms=seen.norms,
                alpha=None if alpha is None else alpha.detach().cpu().double().numpy().T.copy(),
                first_nonfinite=tuple(self.stepper.first_nonfinite),
            )
        if record is not None and evaluate:
            self.evaluated.append(record)
        self.done = number
        return record

    def _evaluation(self, batch: int | None = None) -> Evaluation:
        return measuring.evaluation(self.network, self.problem, loss=self.stepper.loss, batch=batch)

    def _save(self, saving: Saving) -> None:
        content: dict[str, Any] = {
            "settings": saving.settings,
            "step": self.done,
            "network": {
                name: tensor.detach().cpu().clone()
                for name, tensor in self.network.state_dict().items()
            },
            "optimizer": {name: tensor.cpu() for name, tensor in self.stepper.memory.items()},
            "first_nonfinite": to_plain(self.stepper.first_nonfinite),
            "evaluated": to_plain(self.evaluated),
        }
        checkpoints.write(saving.path, content)

    def _load(self, saving: Saving) -> None:
        content = checkpoints.read(saving.path)
        if "settings" not in content:
            error = f"checkpoint {str(saving.path)!r} is not of a training run: give another file"
            raise checkpoints.CheckpointError(error)
        checkpoints.compare(saving.path, content["settings"], saving.settings)
        self.network.load_state_dict(content["network"])
        with torch.no_grad():
            for name, tensor in self.stepper.memory.items():
                tensor.copy_(content["optimizer"][name])
        self.stepper.first_nonfinite[:] = from_plain(content["first_nonfinite"])
        self.evaluated = list(from_plain(content["evaluated"]))
        self.done = content["step"]
