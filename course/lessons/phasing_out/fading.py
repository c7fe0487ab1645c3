"""Where phasing skips out stops helping, and what goes missing there: VANs over depth.

Two ways to take skips away. At once: force alpha in a trained network and evaluate (`force`). Step
by step, while the network learns (`train`), by a ramp. Along the skips
a signal is multiplied by 1 - alpha in every block, so by (1 - alpha)^L: the same alpha is a larger
change the deeper the network, and training has as many steps to make up for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from course import measures, networks, training
from course.arguments import one_of, real
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.networks import Network, one_thread
from course.training import Record

KINDS: dict[str, tuple[str, training.Skips | None]] = {
    "plain": ("plain", None),
    "resnet": ("resnet", None),
    "van0": ("van0", training.SCHEDULES["free"]),
    "ramp": ("van", training.SCHEDULES["ramp"]),
}
"""What is compared over depth: by name, the architecture and the schedule of its skips."""


def family(
    kinds: Iterable[str], examples: Dataset, levels: Sequence[int], **options: object
) -> dict[str, Network]:
    """A network of each of the `KINDS` at each depth, at its start: "plain 5", "ramp 50", ..."""
    nets = {}
    for kind in kinds:
        architecture, _ = KINDS[one_of("kind", kind, KINDS)]
        for depth in levels:
            nets[f"{kind} {depth}"] = degradation.network(
                architecture,
                examples,
                depth=depth,
                **options,  # type: ignore[arg-type]
            )
    return nets


def train(
    nets: Mapping[str, Network],
    examples: Dataset,
    *,
    epochs: int,
    inside: Sequence[str] = ("ramp",),
    **options: object,
) -> dict[str, Iterator[Record]]:
    """Train a `family` in place, each kind by its schedule; a record per epoch.

    inside: kinds whose records tell in `norms` of the "last block" its "neighbours" and the
    "gradient ratio", the size of the gradient at the first block over that at the last, both of
    `degradation.science.profile`. `inside_of` reads them.
    """
    runs = {}
    for name, net in nets.items():
        kind = name.rsplit(" ", 1)[0]
        records = degradation.later(net, examples, epochs=epochs, skips=KINDS[kind][1], **options)
        runs[name] = _with_insides(net, examples, records) if kind in inside else records
    return runs


def _with_insides(net: Network, examples: Dataset, records: Iterator[Record]) -> Iterator[Record]:
    try:
        for record in records:
            profile = degradation.profile(net, examples, places=2)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = profile.gradients[1] / profile.gradients[-1]
            norms = {"neighbours": profile.neighbours[-1:].T, "gradient ratio": ratio[:, None]}
            yield replace(record, layers=("last block",), norms=norms)
    finally:
        records.close()  # type: ignore[attr-defined]


def inside_of(records: Sequence[Record], what: str) -> np.ndarray:
    """What records of `train` say of the inside, "neighbours" or "gradient ratio": (records, R)."""
    return np.stack([record.norms[what][:, 0] for record in records if record.norms is not None])


@contextmanager
def forced(net: Network, alpha: float) -> Iterator[None]:
    """Inside, every alpha of a VAN has this value."""
    assert isinstance(net, networks.VariableActivationNetwork)
    before = net.alpha.detach().clone()
    try:
        with torch.no_grad():
            net.alpha.fill_(real("alpha", alpha, least=0, most=1))
        yield
    finally:
        with torch.no_grad():
            net.alpha.copy_(before)


def force(net: Network, examples: Dataset, alphas: Iterable[float]) -> np.ndarray:
    """Training accuracy, (alphas, R), when every alpha jumps to this value and nothing adapts.

    net: a van or van0; it is left as it was. Batch norm uses the statistics of batches, so that
    what falls is not the fault of running averages that belong to another alpha.
    """
    rows = []
    for alpha in alphas:
        with forced(net, alpha), one_thread():
            _, right = measures.evaluate(net, examples.x_train, examples.y_train, batch=100)
        assert right is not None
        rows.append(right)
    return np.stack(rows)


def half_lost(alphas: Sequence[float], accuracy: np.ndarray) -> float:
    """The alpha at which half of the accuracy with alphas[0] is lost; NaN if that never happens.

    accuracy: (alphas, R), of `force`; the mean over replicas, linear between the alphas.
    """
    mean = accuracy.mean(1)
    below = np.flatnonzero(mean < mean[0] / 2)
    if not len(below):
        return float("nan")
    k = below[0]
    share = (mean[k - 1] - mean[0] / 2) / (mean[k - 1] - mean[k])
    return float(alphas[k - 1] + share * (alphas[k] - alphas[k - 1]))
