"""The course's own trainer, watched: records pass through, an alarm comes when a replica falls ill.

for record in doctor.watch_records(training.fit(network, data.digits(), epochs=10)):
    ...
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from course.doctor import symptoms
from course.doctor.verdict import Finding
from course.doctor.words import number
from course.training import Record

Alarm = Callable[[int, Finding], None]


def watch_records(records: Iterable[Record], alarm: Alarm | None = None) -> Iterator[Record]:
    """The same records; alarm(replica, finding) is called once for each replica and illness.

    Seen are: NaN or infinity, with its layer and step; a loss that rises to three times that of the
    first steps; and, where the run watches "gradients", gradients that get 1,000 times smaller
    towards the first layer while the loss does not fall. Without `alarm` it is a warning.
    """
    alarm = alarm or _warn
    losses: list[np.ndarray] = []
    known: set[tuple[int, str]] = set()
    for record in records:
        losses.append(record.loss)
        for replica in range(len(record.loss)):
            for finding in _findings(record, replica, [float(x[replica]) for x in losses]):
                if (replica, finding.illness) not in known:
                    known.add((replica, finding.illness))
                    alarm(replica, finding)
        yield record


def _findings(record: Record, replica: int, losses: list[float]) -> Iterator[Finding]:
    broken = record.first_nonfinite[replica] if record.first_nonfinite else None
    if broken is not None:
        says = f"the {broken.what} of {broken.layer} is not finite at step {broken.step}"
        yield Finding("not finite", (broken.layer,), says)
        return
    yield from symptoms.rising(losses)
    norms = (record.norms or {}).get("gradients")
    if norms is None or symptoms.falls(losses) or len(losses) < 20:
        return
    sizes = norms[replica]
    if len(sizes) > 2 and sizes[0] < 1e-3 * sizes[-1]:
        small = tuple(
            name for name, size in zip(record.layers, sizes, strict=True) if size < 1e-3 * sizes[-1]
        )
        says = f"the gradient at {record.layers[0]} is {number(float(sizes[0]))}, at "
        says += f"{record.layers[-1]} {number(float(sizes[-1]))}, and the loss does not fall"
        yield Finding("vanishing gradients", small, says)


def _warn(replica: int, finding: Finding) -> None:
    warnings.warn(f"replica {replica}: {finding.illness}: {finding.evidence}", stacklevel=3)
