"""One cell of a grid: a network at one depth, all seeds side by side, trained to the end."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from course import training
from course.experiments import making
from course.experiments.settings import Grid
from course.networks import one_thread

COST = {"highway": 1.9, "diracnet": 1.6, "van": 1.3, "van0": 1.3}
"""Time of a step compared with a plain network's; only the time left and the order depend on it."""

NONE = float("nan")
"""What a table holds where there is no number."""

Watcher = Callable[[float], None]
"""Told the share of a cell's training that is done, from 0 to 1."""


class Stopped(Exception):
    """A training was stopped before its end; it goes on from its checkpoint."""


@dataclass(frozen=True)
class Cell:
    """One network at one depth, with all seeds of the grid."""

    network: str
    depth: int
    settings: Grid

    @property
    def cost(self) -> int:
        """About how long it takes, in no particular unit."""
        return round(1000 * COST.get(self.network, 1.0) * (self.depth + 3))

    @property
    def stem(self) -> str:
        """The name of its files, which depends on every setting that decides its numbers."""
        shared = self.settings.as_dict()
        del shared["networks"], shared["depths"]
        digest = hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:12]
        return f"{self.network}-{self.depth}-{digest}"

    @property
    def result(self) -> str:
        """Name of the file that keeps its rows."""
        return f"{self.stem}.json"

    @property
    def checkpoint(self) -> str:
        """Name of the file from which its training goes on."""
        return f"{self.stem}.checkpoint"

    def __str__(self) -> str:
        return f"{self.network} {self.depth}"


def train(
    cell: Cell,
    device: str,
    root: str | Path | None,
    folder: Path,
    watch: Watcher = lambda share: None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Train one cell: {"rows": ..., "seconds": ..., "device": ...}, ready for JSON.

    Its checkpoint is in `folder`, from where an interrupted training goes on; the seconds are those
    since then. stop: asked before each step, whether to end there: raises Stopped.
    """
    settings, dataset = cell.settings, making.examples(cell.settings, root)
    network = making.network(settings, cell.network, cell.depth, dataset)
    steps = len(dataset.y_train) // settings.batch
    rows: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    for record in training.fit(
        network,
        dataset,
        epochs=settings.epochs,
        evaluate_every=settings.evaluate_every * steps,
        batch_statistics=True,
        record_every=max(1, settings.epochs * steps // 200),
        checkpoint=folder / cell.checkpoint,
        stop=stop,
        threads=1,  # cells side by side use the others
        **making.how(settings, cell.network, dataset, device),
    ):
        if record.evaluated:
            rows += _rows(cell, record)
        watch(record.step / record.steps)
    if stop is not None and stop():
        raise Stopped(str(cell))
    if hasattr(network, "alpha"):
        with one_thread():
            cut = training.remove_skips(network, dataset).after.test_accuracy
        assert cut is not None
        for row, accuracy in zip(rows[-len(settings.seeds) :], cut, strict=True):
            row["test_accuracy_cut"] = float(accuracy)
    return {
        "rows": rows,
        "seconds": round(time.perf_counter() - start, 3),
        "device": _device_name(next(network.parameters()).device),
    }


def _rows(cell: Cell, record: training.Record) -> Iterator[dict[str, Any]]:
    """A row per seed. Plain numbers: NaN and infinity stay what they are."""
    skips: dict[str, Any] = {}
    if record.alpha_residual is not None:
        residuals = record.alpha_residual.mean(1)
        skips = {"smallest_alpha": record.smallest_alpha, "alpha_residual": residuals}
    for replica, seed in enumerate(cell.settings.seeds):
        row: dict[str, Any] = {
            "network": cell.network,
            "depth": cell.depth,
            "seed": seed,
            "epoch": round(record.epoch or 0),
        }
        for source, ending in ((record, ""), (record.batch_statistics, "_batch")):
            for measure in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
                row[measure + ending] = float(getattr(source, measure)[replica])
        broken = record.first_nonfinite[replica]
        row["nonfinite_step"] = NONE if broken is None else float(broken.step)
        for measure in ("smallest_alpha", "alpha_residual"):
            row[measure] = float(skips[measure][replica]) if skips else NONE
        row["test_accuracy_cut"] = NONE
        yield row


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    kind = platform.machine() or "processor"
    return f"{device.type} ({kind}, one thread a process, {os.cpu_count()} cores)"
