"""Training as an iterator: `fit` yields a Record as it goes, and whoever watches decides the rest.

    for record in fit(network, data.digits(), epochs=10):
        print(record.step, record.loss.mean())

The R replicas of a network train side by side, each on batches of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from course import checkpoints, devices, measuring, van
from course.arguments import one_of, real, reject, whole
from course.batches import Problem
from course.networks import Network
from course.optimizers import SGD, Adam, Optimizer
from course.records import Evaluation, NonFinite, Record
from course.running import Reports, Run, Saving
from course.schedules import Schedule, constant, linear_decay, step_decay
from course.stepping import Stepper

__all__ = [
    "SGD", "Adam", "Evaluation", "NonFinite", "Record", "Schedule", "constant", "fit",
    "linear_decay", "step_decay",
]  # fmt: skip


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
    skips: str | van.Skips | None = None,
    evaluate_every: int | None = None,
    batch_statistics: bool = False,
    record_every: int = 1,
    watch: Sequence[str] = (),
    stop: Any = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 60.0,
    device: str = "auto",
) -> Iterator[Record]:
    """Train the network in place; yield a Record after every `record_every` steps and the last.

    data: a `data.Dataset`, or a task that draws fresh examples (`tasks.LinearTeacher`).
    steps or epochs: how long; tasks have no epochs. An epoch is N // batch steps.
    optimizer: SGD(rate, momentum) or Adam(rate), SGD() if None; schedule: a factor on its rate.
    clip: the most that the norm of a replica's gradient may be.
    loss: "cross_entropy", or "mse": squared error relative to the mean square of the targets.
    skips: how the skips of a VAN leave: `van.Multipliers`, `van.Ramp`, `van.Cut`, a name in
        `van.SCHEDULES`, or None for what belongs to the network.
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
        be of a run with the same settings.
    device: "auto" (CUDA or CPU), "cpu", "cuda", "mps". The network is moved, and stays there.

    The batches of replica r depend on seeds[r] alone. CPU runs repeat bit for bit on one machine
    and thread count. Raises ValueError at once, before any training, for arguments that do not fit,
    and CheckpointError (a ValueError) for a checkpoint that cannot be used.
    """
    if not isinstance(network, Network):
        allowed = "a network of the course, by networks.build(...) or networks.mlp(...)"
        raise reject("network", type(network).__name__, allowed)
    if not any(True for _ in network.parameters()):
        raise reject("network", f"{network.name} of depth 0 without ends", "one that has weights")
    whole("batch", batch, least=1)
    one_of("loss", loss, measuring.LOSSES)
    if not isinstance(optimizer, SGD | Adam | None):
        raise reject("optimizer", optimizer, "training.SGD(...) or training.Adam(...)")
    if not isinstance(schedule, Schedule):
        raise reject("schedule", schedule, "constant, linear_decay(...) or step_decay(...)")
    if isinstance(watch, str) or not isinstance(watch, Sequence):
        raise reject("watch", watch, "a sequence of names, such as ['gradients']")
    for kind in watch:
        one_of("watch", kind, measuring.WATCHABLE)
    if stop is not None and not callable(stop) and not hasattr(stop, "is_set"):
        raise reject("stop", stop, "an Event, or a function without arguments")
    if clip is not None:
        clip = real("clip", clip, above=0)
    optimizer = SGD() if optimizer is None else optimizer
    skips = van.schedule(skips, network)
    where = devices.device(device)
    problem = Problem(data, network.to(where), loss, batch, where)
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
        settings = {f"network.{name}": value for name, value in network.recipe.items()} | dict(
            data=problem.fingerprint(), steps=steps, batch=batch, optimizer=optimizer,
            schedule=schedule, clip=clip, loss=loss, skips=skips,
        )  # fmt: skip
        described = {name: checkpoints.describe(value) for name, value in settings.items()}
        saving = Saving(checkpoints.prepare(checkpoint), checkpoint_every, described)
    stepper = Stepper(network, optimizer, loss=loss, power=problem.power, clip=clip, skips=skips)
    run = Run(stepper, problem, steps, schedule, reports, saving)
    return run.records(getattr(stop, "is_set", stop) or (lambda: False))


def _steps(steps: int | None, epochs: int | None, per_epoch: int | None) -> int:
    """How many steps, from the one of the two that is given."""
    if (steps is None) == (epochs is None):
        raise reject("steps, epochs", (steps, epochs), "one of them a number, the other None")
    if epochs is None:
        return whole("steps", steps, least=1)
    if per_epoch is None:
        raise reject("epochs", epochs, "None for a task that draws fresh examples: give steps")
    return whole("epochs", epochs, least=1) * per_epoch
