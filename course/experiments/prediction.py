"""How long a grid will take here, and how much memory: from a few steps of some of its cells.

    print(predict(EXPERIMENTS["figure1"].settings))

The shallowest and the deepest cell of each network are tried for a second or so, and evaluated on a
few examples. Between two depths time is a straight line, since every block costs the same; so is
the number of parameters. The memory is the most that this process has held meanwhile: the data, and
the deepest networks.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch

from course import training
from course.arguments import whole
from course.data import Dataset
from course.experiments import making
from course.experiments.settings import Grid

FEW = 1000
"""Examples on which a trial evaluates."""
EVERY = 6
"""Steps of a trial from one evaluation to the next."""

Clock = Callable[[], float]


@dataclass(frozen=True)
class Prediction:
    """seconds: for the whole grid; with several jobs on a GPU, which they share, at most about so.

    memory: bytes, of all processes together, on the CPU. gpu: bytes on the GPU, 0 without one.
    cells: the seconds of each, by network and depth. parameters: how many a network has that is
    trained with one seed, likewise.
    """

    seconds: float
    memory: int
    gpu: int
    cells: dict[tuple[str, int], float]
    parameters: dict[tuple[str, int], int]

    def __str__(self) -> str:
        longest = max(self.cells, key=lambda cell: self.cells[cell])
        lines = [
            f"time     about {duration(self.seconds)}",
            f"longest  {longest[0]} {longest[1]}, about {duration(self.cells[longest])}",
            f"memory   about {self.memory / 2**30:.2g} GiB",
        ]
        if self.gpu:
            lines.append(f"GPU      about {self.gpu / 2**30:.2g} GiB")
        lines.append("parameters in thousands, by depth")
        for network in dict.fromkeys(name for name, _ in self.cells):
            own = {d: count for (name, d), count in self.parameters.items() if name == network}
            counts = ", ".join(f"{depth}: {count / 1000:,.1f}" for depth, count in own.items())
            lines.append(f"  {network:9} {counts}")
        return "\n".join(lines)


def predict(
    settings: Grid,
    *,
    device: str = "auto",
    jobs: int = 1,
    root: str | Path | None = None,
    trial: float = 1.0,
    clock: Clock | None = None,
) -> Prediction:
    """What `grid.run` with these arguments will need on this machine; it trains nothing to its end.

    trial: seconds for each cell that is tried. clock: on a CPU the time that this process computes,
    if None, which what else the machine is doing now does not change much: so the prediction holds
    where every process has a core of its own. Raises ValueError as `grid.run` does.
    """
    whole("jobs", jobs, least=1)
    on_gpu = training.device(device).type == "cuda"
    clock = clock or (time.perf_counter if on_gpu else time.process_time)
    start = clock()
    dataset = making.examples(settings, root)
    reading = clock() - start
    ends = sorted({min(settings.depths), max(settings.depths)})
    cells, parameters = {}, {}
    for name in settings.networks:
        tried = [_cell(settings, name, depth, dataset, device, trial, clock) for depth in ends]
        seconds_at, count_at = zip(*tried, strict=True)
        for depth in settings.depths:
            cells[name, depth] = float(np.interp(depth, ends, seconds_at))
            parameters[name, depth] = round(float(np.interp(depth, ends, count_at)))
    side_by_side = min(jobs, len(cells))
    at_once = 1 if on_gpu else side_by_side  # jobs share the GPU: see `nvidia-cuda-mps-control`
    seconds = max(sum(cells.values()) / at_once, max(cells.values()))
    return Prediction(
        seconds=seconds + reading,
        memory=peak_memory() * (side_by_side + (jobs > 1)),
        gpu=torch.cuda.max_memory_reserved() * side_by_side if on_gpu else 0,
        cells=cells,
        parameters=parameters,
    )


def _cell(
    settings: Grid, name: str, depth: int, dataset: Dataset, device: str, trial: float, clock: Clock
) -> tuple[float, int]:
    """The seconds that one cell will take, and the parameters of one of its replicas."""
    few = dataset.subset(
        min(max(FEW, settings.batch), len(dataset.y_train)), min(FEW, len(dataset.y_test))
    )
    network = making.network(settings, name, depth, few)
    steps: list[float] = []
    evaluations: list[float] = []
    began = last = clock()
    for record in training.fit(
        network, few, steps=1_000_000, evaluate_every=EVERY, batch_statistics=True,
        **making.how(settings, name, few, device),
    ):  # fmt: skip
        (evaluations if record.evaluated else steps).append(clock() - last)
        if evaluations and clock() - began >= trial:
            break
        last = clock()
    step = statistics.fmean(steps[1:])  # the first one finds its kernels
    total = settings.epochs * (len(dataset.y_train) // settings.batch)
    share = (len(dataset.y_train) + len(dataset.y_test)) / (len(few.y_train) + len(few.y_test))
    evaluation = max(statistics.fmean(evaluations) - step, 0.0) * share
    count = -(-settings.epochs // settings.evaluate_every)
    if hasattr(network, "alpha"):
        count += 3  # `remove_skips` passes all examples five times, an evaluation does it twice
    parameters = sum(parameter[0].numel() for parameter in network.parameters())
    return total * step + count * evaluation, parameters


def peak_memory() -> int:
    """The most memory that this process has held so far, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # Linux counts in KiB


def duration(seconds: float) -> str:
    """So many seconds in words: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
