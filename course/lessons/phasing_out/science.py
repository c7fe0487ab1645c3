"""Schedules of phasing out, side by side over the same seeds.

The schedules are those of `training`; what a constant resistance does to multipliers is in the
lesson before, `van.science`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from course import training
from course.arguments import whole
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.networks import Network
from course.training import Record


def schedules(steps: int) -> dict[str, training.Skips]:
    """The six schedules of notebook 10b for a run of `steps` steps, by name.

    "slow" is `training.SCHEDULES["slow"]`, which was chosen for 600 steps, with its alpha step
    stretched so that its skips should leave at the same share of the run: t* is 86 % of it. "push"
    has a multiplier that stays at -1, and the alpha step with which t* is 80 % of the run, where
    the ramp ends too. "weak" has a multiplier that stays at -1/200, and an alpha step 200 times as
    long, so the same t*; but slopes of the cost are as large as that.
    """
    slow = training.SCHEDULES["slow"]
    assert isinstance(slow, training.Multipliers) and slow.rate is not None
    stretched = replace(slow, rate=slow.rate * 600 / whole("steps", steps, least=1))
    known = training.SCHEDULES
    push = training.Multipliers(ratio=0, multiplier=-1, rate=1 / (0.8 * steps))
    return {
        "published": known["published"], "slow": stretched, "push": push,
        "weak": replace(push, multiplier=-1 / 200, rate=200 / (0.8 * steps)),
        "ramp": known["ramp"], "cut": known["cut"],
    }  # fmt: skip


def side_by_side(
    examples: Dataset,
    ways: Mapping[str, training.Skips],
    *,
    depth: int,
    epochs: int,
    seeds: Sequence[int],
    by_batch: Sequence[str] = ("ramp", "resnet"),
) -> tuple[dict[str, Network], dict[str, Iterator[Record]]]:
    """A plain network, a ResNet, and a VAN for each schedule, by name; and runs that train them.

    The records have accuracies with running averages; those of the networks named in by_batch also
    with the statistics of batches.
    """
    nets = {
        name: degradation.network(
            name if name in ("plain", "resnet") else "van", examples, depth=depth, seeds=seeds
        )
        for name in ("plain", "resnet", *ways)
    }
    runs = {
        name: degradation.later(
            net, examples, epochs=epochs, skips=ways.get(name), batch_statistics=name in by_batch
        )
        for name, net in nets.items()
    }
    return nets, runs
