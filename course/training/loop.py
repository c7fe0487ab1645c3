"""Training as an iterator: `fit` yields a Record as it goes, and whoever watches decides the rest.

    for record in fit(network, data.digits(), epochs=10):
        print(record.step, record.loss.mean())

The R replicas of a network train side by side, each on batches of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from course import measures
from course.arguments import one_of, real, reject, whole
from course.networks import Network, on_threads
from course.training import checkpoints, devices, phasing, removal
from course.training.augmentation import CropAndFlip
from course.training.optimizers import SGD, Adam, Optimizer, Schedule, constant
from course.training.parallel import ALONE, Parallel, divided
from course.training.problem import Problem
from course.training.records import Record, from_plain, to_plain
from course.training.step import Stepper


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
        worker: Stepper | Parallel,
        steps: int,
        schedule: Schedule,
        reports: Reports,
        saving: Saving | None,
    ) -> None:
        self.stepper, self.worker, self.steps, self.schedule = stepper, worker, steps, schedule
        self.reports, self.saving = reports, saving
        self.network = stepper.network
        self.done = self.saved = 0  # steps
        self.evaluated: list[Record] = []
        if saving is not None and saving.path.exists():
            self._load(saving)

    def records(self, stopped: Callable[[], bool], threads: int | None) -> Iterator[Record]:
        """Records of the training, to its end or until it is stopped; on so many threads."""
        saving, training, between_steps = self.saving, self.network.training, True
        with checkpoints.held(saving.path) if saving else nullcontext():
            saved_at = time.monotonic()
            try:
                yield from tuple(self.evaluated)
                self.network.train()
                while self.done < self.steps and not stopped():
                    between_steps = False
                    with on_threads(threads):
                        record = self.advance()
                    between_steps = True
                    if saving and time.monotonic() - saved_at >= saving.every:
                        self._save(saving)
                        saved_at = time.monotonic()
                    if record is not None:
                        yield record
            finally:
                try:
                    self.worker.join()
                finally:
                    self.network.train(training)
                if saving and between_steps and self.saved != self.done:
                    self._save(saving)

    def advance(self) -> Record | None:
        """The record of one more training step, where one is due."""
        number, reports = self.done + 1, self.reports
        evaluate = number == self.steps or number % reports.evaluate_every == 0
        recorded = evaluate or number % reports.every == 0
        rate = self.stepper.optimizer.rate * self.schedule(self.done, self.steps)
        watch = reports.watch if recorded else ()
        measured = self.worker.step(self.done, self.steps, rate, watch, recorded)
        record = None
        if measured is not None:
            per_epoch = self.stepper.problem.batches.steps_per_epoch
            skips = removal.summary(self.network) if hasattr(self.network, "alpha") else {}
            record = Record(
                **(vars(self.worker.evaluate()) if evaluate else {}),
                step=number,
                steps=self.steps,
                epoch=None if per_epoch is None else number / per_epoch,
                rate=rate,
                loss=measured.losses,
                accuracy=measured.accuracies,
                batch_statistics=(
                    self.worker.evaluate(reports.batch) if evaluate and reports.batch else None
                ),
                layers=tuple(measures.layers(self.network)) if watch else (),
                norms=measured.norms,
                first_nonfinite=tuple(self.stepper.first_nonfinite),
                **skips,
            )
        if record is not None and evaluate:
            self.evaluated.append(record)
        self.done = number
        return record

    def _save(self, saving: Saving) -> None:
        self.worker.join()
        self.saved = self.done  # one that fails is not tried again
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
        self.done = self.saved = content["step"]


def fit(
    network: Any,
    data: Any,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    batch: int = 100,
    optimizer: Optimizer | None = None,
    schedule: Schedule = constant,
    clip: float | Schedule | None = None,
    loss: str = "cross_entropy",
    skips: str | phasing.Skips | None = None,
    augment: CropAndFlip | None = None,
    mixed: bool = False,
    evaluate_every: int | None = None,
    batch_statistics: bool = False,
    record_every: int = 1,
    watch: Sequence[str] = (),
    stop: Any = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 60.0,
    device: str = "cpu",
    threads: int | None = None,
) -> Iterator[Record]:
    """Train the network in place; yield a Record after every `record_every` steps and the last.

    data: a `data.Dataset`, or a task that draws fresh examples (`data.LinearTeacher`).
    steps or epochs: how long; tasks have no epochs. An epoch is N // batch steps.
    optimizer: SGD(rate, momentum) or Adam(rate), SGD() if None; schedule: a factor on its rate.
    clip: the most that the norm of a replica's gradient may be, or a schedule of it.
    loss: "cross_entropy", or "mse": squared error relative to the mean square of the targets.
    skips: how the skips of a VAN leave: `Multipliers`, `Ramp`, `Cut`, `ByHand`, a name in
        `SCHEDULES`, or None for what belongs to the network.
    augment: changes the training pictures, each time that they are seen: `CropAndFlip(data.shape)`.
    mixed: forward and backward with bfloat16 products and convolutions (for a GPU); evaluations and
        the weights stay as they are.
    evaluate_every: evaluate after so many steps (and yield); after the last one in any case.
    batch_statistics: evaluate with the statistics of batches as well.
    watch: norms by layer to put into records, any of "activations" and "gradients" (with respect
        to activations, of each example's own loss; root mean square over examples of the norm),
        "weights" and "weight_gradients" (of all parameters of a layer together; before clipping).
    stop: an Event, or a function without arguments: training ends when it is set or returns True.
        Closing the iterator stops as well.
    checkpoint: a file that is written every `checkpoint_every` seconds, at the end and on a stop.
        If it is there, the run goes on from it, to the numbers that it would have reached without
        the interruption; first the records of its evaluations so far are yielded again. It must
        be of a run with the same settings, and of no run that is still going on.
    device: "cpu", "cuda", "mps", or "auto": CUDA where it is there. The network is moved, and stays
        there. The CPU is the default, so that numbers do not depend on what else a machine has.
    threads: of the CPU, while it trains. The replicas are divided among them, two to each at least;
        further ones share every operation, and layers as thin as these lose by that, see
        `networks.one_thread`. None: as many as the replicas keep busy of those that
        `networks.for_replicas` allows (one where OMP_NUM_THREADS=1), in a run that is long enough.

    The batches of replica r depend on seeds[r] alone. CPU runs repeat bit for bit on one machine,
    for each number of threads, and with the kernels of batch norm or without (`networks.kernels`);
    between two of these they are equal to rounding, which a deep network magnifies as it does the
    rounding of another processor. Raises ValueError at once, before any
    training, for arguments that do not fit, and CheckpointError (a ValueError) for a checkpoint
    that cannot be used.
    """
    if not isinstance(network, Network):
        allowed = "a network of the course, by networks.build(...) or networks.mlp(...)"
        raise reject("network", type(network).__name__, allowed)
    if not any(True for _ in network.parameters()):
        raise reject("network", f"{network.name} of depth 0 without ends", "one that has weights")
    whole("batch", batch, least=1)
    one_of("loss", loss, measures.LOSSES)
    if not isinstance(optimizer, SGD | Adam | None):
        raise reject("optimizer", optimizer, "training.SGD(...) or training.Adam(...)")
    if not isinstance(schedule, Schedule):
        raise reject("schedule", schedule, "constant, linear_decay(...) or step_decay(...)")
    if isinstance(watch, str) or not isinstance(watch, Sequence):
        raise reject("watch", watch, "a sequence of names, such as ['gradients']")
    for kind in watch:
        one_of("watch", kind, measures.WATCHABLE)
    if stop is not None and not callable(stop) and not hasattr(stop, "is_set"):
        raise reject("stop", stop, "an Event, or a function without arguments")
    if not isinstance(augment, CropAndFlip | None):
        raise reject("augment", augment, "training.CropAndFlip(shape), or None")
    if clip is not None and not isinstance(clip, Schedule):
        clip = real("clip", clip, above=0)
    optimizer = SGD() if optimizer is None else optimizer
    skips = phasing.schedule(skips, network)
    if threads is not None:
        whole("threads", threads, least=1)
    processor = devices.device(device)
    with on_threads(threads or 1):
        problem = Problem(data, network.to(processor), loss, batch, processor, augment)
    steps = _steps(steps, epochs, problem.batches.steps_per_epoch)
    reports = Reports(
        every=whole("record_every", record_every, least=1),
        evaluate_every=steps
        if evaluate_every is None
        else whole("evaluate_every", evaluate_every, least=1),
        batch=batch if batch_statistics else None,
        watch=tuple(watch),
    )
    saving = None
    if checkpoint is not None:
        real("checkpoint_every", checkpoint_every, least=0)
        names = ["name", *(each.name for each in fields(network.recipe))]
        settings = {f"network.{name}": getattr(network.recipe, name) for name in names} | dict(
            data=problem.fingerprint(), steps=steps, batch=batch, optimizer=optimizer,
            schedule=schedule, clip=clip, loss=loss, skips=skips, augment=augment, mixed=mixed,
        )  # fmt: skip
        described = {name: checkpoints.describe(value) for name, value in settings.items()}
        saving = Saving(checkpoints.prepare(checkpoint), checkpoint_every, described)
    stepper = Stepper(network, problem, optimizer, loss=loss, clip=clip, skips=skips, mixed=mixed)
    parts = 1
    if processor.type == "cpu":
        parts = divided(network, network.replicas, batch, steps, threads)
    alone = ALONE if threads is None else 0
    worker = Parallel(stepper, parts, alone) if parts > 1 else stepper
    run = Run(stepper, worker, steps, schedule, reports, saving)
    each = max(1, (threads or 1) // parts)
    return run.records(getattr(stop, "is_set", stop) or (lambda: False), each)


def _steps(steps: int | None, epochs: int | None, per_epoch: int | None) -> int:
    """How many steps, from the one of the two that is given."""
    if (steps is None) == (epochs is None):
        raise reject("steps, epochs", (steps, epochs), "one of them a number, the other None")
    if epochs is None:
        return whole("steps", steps, least=1)
    if per_epoch is None:
        raise reject("epochs", epochs, "None for a task that draws fresh examples: give steps")
    return whole("epochs", epochs, least=1) * per_epoch
