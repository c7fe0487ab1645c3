"""Trains a grid of networks x depths, all seeds of a cell side by side, and writes the table.

A cell, one network at one depth with all its seeds, is trained on its own and kept in a file of its
own until the table is written. So a run that was stopped goes on where it was, several processes or
machines can share a grid (`part`), and `jobs` trains cells side by side through joblib.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from course import data, devices, networks, training
from course.arguments import reject, whole
from course.experiments import table
from course.experiments.settings import Grid
from course.removal import removal

COST = {"highway": 1.9, "diracnet": 1.6, "van": 1.3, "van0": 1.3}
"""Time of a step compared with a plain network's; only the time left and the order depend on it."""

NONE = float("nan")
"""What a table holds where there is no number."""

Watcher = Callable[[float], None]
"""Told the share of a cell's training that is done, from 0 to 1."""


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

    def __str__(self) -> str:
        return f"{self.network} {self.depth}"


def run(
    name: str,
    settings: Grid,
    *,
    out: str | Path = "results",
    device: str = "auto",
    jobs: int = 1,
    part: tuple[int, int] = (1, 1),
    root: str | Path | None = None,
    progress: bool = True,
) -> table.Table | None:
    """Train the grid; write `out`/NAME-DATA.csv when all of it is trained, and return the table.

    jobs: cells trained side by side, by joblib: its processes, or what the caller has chosen with
        `joblib.parallel_config` (a Dask cluster, for example).
    part: (k, n) trains the k-th of n shares only. Several calls, on one machine or on many with one
        `out` folder, share the work; the one that ends last writes the table, the others return
        None.
    root: a folder with data, see `course.data`.

    What was trained before it was stopped is kept in `out`/NAME-DATA.cells, and found again by the
    same call. Raises ValueError for bad arguments, and data.DataError, before any training.
    """
    whole("jobs", jobs, least=1)
    k, n = (whole("part", number, least=1) for number in part)
    if k > n:
        raise reject("part", part, "(k, n) with k <= n")
    devices.device(device)
    examples(settings, root)
    folder = _writable(Path(out))
    cells = [Cell(net, depth, settings) for net in settings.networks for depth in settings.depths]
    mine = sorted(cells, key=lambda cell: -cell.cost)[k - 1 :: n]
    kept = folder / f"{name}-{settings.data}.cells"
    kept.mkdir(exist_ok=True)
    try:
        todo = [cell for cell in mine if _kept(kept, cell) is None]
        with _bar(todo, progress) as advance:
            for cell, result in _results(todo, device, root, kept, jobs, advance):
                table.write_whole(kept / f"{cell.stem}.json", json.dumps(result))
        found = [_kept(kept, cell) for cell in cells]
        results = [result for result in found if result is not None]
        if len(results) < len(cells):
            return None
        written = _write(folder / f"{name}-{settings.data}.csv", name, settings, root, results)
        for cell in cells:
            (kept / f"{cell.stem}.json").unlink(missing_ok=True)
        return written
    finally:
        with suppress(OSError):  # it may hold what is yet to be used
            kept.rmdir()


def train(
    cell: Cell,
    device: str,
    root: str | Path | None,
    folder: Path,
    watch: Watcher = lambda share: None,
) -> dict[str, Any]:
    """Train one cell: {"rows": ..., "seconds": ..., "device": ...}, ready for JSON.

    Its checkpoint is in `folder`, from where an interrupted training goes on; the seconds are those
    since then.
    """
    settings, dataset = cell.settings, examples(cell.settings, root)
    options: dict[str, Any] = {}
    if cell.network == "highway":
        options["gate_bias"] = settings.gate_bias
    network = networks.build(
        cell.network,
        inputs=dataset.inputs,
        width=settings.width,
        depth=cell.depth,
        outputs=dataset.outputs,
        seeds=settings.seeds,
        **options,
    )
    steps = len(dataset.y_train) // settings.batch
    decay = settings.decay_from
    rows: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{cell.stem}.checkpoint"
    start = time.perf_counter()
    for record in training.fit(
        network,
        dataset,
        epochs=settings.epochs,
        batch=settings.batch,
        optimizer=training.SGD(rate=settings.rate, momentum=settings.momentum),
        schedule=training.linear_decay(decay) if decay < 1 else training.constant,
        evaluate_every=settings.evaluate_every * steps,
        batch_statistics=True,
        record_every=max(1, settings.epochs * steps // 200),
        checkpoint=checkpoint,
        device=device,
    ):
        if record.evaluated:
            rows += _rows(cell, record)
        watch(record.step / record.steps)
    if hasattr(network, "alpha"):
        cut = removal(network, dataset).after.test_accuracy
        assert cut is not None
        for row, accuracy in zip(rows[-len(settings.seeds) :], cut, strict=True):
            row["test_accuracy_cut"] = float(accuracy)
    checkpoint.unlink(missing_ok=True)
    return {
        "rows": rows,
        "seconds": round(time.perf_counter() - start, 3),
        "device": _device_name(next(network.parameters()).device),
    }


@lru_cache(maxsize=1)
def examples(settings: Grid, root: str | Path | None) -> data.Dataset:
    """The data of a grid, read once in a process."""
    whole_set = data.load(settings.data, root)
    return whole_set if settings.subset is None else whole_set.subset(settings.subset)


def _rows(cell: Cell, record: training.Record) -> Iterator[dict[str, Any]]:
    """A row per seed. Plain numbers: NaN and infinity stay what they are."""
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
        row["smallest_alpha"] = NONE if record.alpha is None else float(record.alpha[replica].min())
        row["test_accuracy_cut"] = NONE
        yield row


def _results(
    cells: list[Cell],
    device: str,
    root: str | Path | None,
    folder: Path,
    jobs: int,
    advance: Callable[[Cell, float], None],
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Each cell with its result, as they come in."""
    if jobs == 1:
        for cell in cells:
            yield cell, train(cell, device, root, folder, partial(advance, cell))
        return
    try:
        import joblib
    except ImportError:
        raise reject("jobs", jobs, "1 without joblib, which the extra `cluster` installs") from None

    work = (joblib.delayed(_train_alone)(cell, device, root, folder) for cell in cells)
    for cell, result in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(work):
        advance(cell, 1.0)
        yield cell, result


def _train_alone(
    cell: Cell, device: str, root: str | Path | None, folder: Path
) -> tuple[Cell, dict[str, Any]]:
    """`train` in a process of its own, where nobody watches; it says which cell it was."""
    return cell, train(cell, device, root, folder)


def _kept(folder: Path, cell: Cell) -> dict[str, Any] | None:
    """What an earlier call left of this cell, or None."""
    try:
        return json.loads((folder / f"{cell.stem}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _write(
    path: Path, name: str, settings: Grid, root: str | Path | None, results: list[dict[str, Any]]
) -> table.Table:
    header = {
        "experiment": name,
        "settings": settings.as_dict(),
        "classes": examples(settings, root).outputs,
        "device": sorted({result["device"] for result in results}),
        "seconds": round(sum(result["seconds"] for result in results), 2),
        "finished": datetime.now(timezone.utc).isoformat(timespec="minutes"),
        "versions": table.versions(),
    }
    return table.write(path, header, [row for result in results for row in result["rows"]])


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        reason = f"a folder that can be written to ({error.strerror})"
        raise reject("out", str(folder), reason) from None


@contextmanager
def _bar(cells: list[Cell], shown: bool) -> Iterator[Callable[[Cell, float], None]]:
    """A progress bar over the costs of the cells; yields what moves it."""
    layout = "{percentage:3.0f}% |{bar:30}| {elapsed} gone, {remaining} left  {desc}"
    total = sum(cell.cost for cell in cells)
    done: dict[Cell, int] = {}
    options = {"mininterval": 0.5, "smoothing": 0.0, "disable": not shown or not cells}
    with tqdm(total=total, bar_format=layout, **options) as bar:

        def advance(cell: Cell, share: float) -> None:
            bar.set_description_str(str(cell), refresh=False)
            now = round(cell.cost * share)
            bar.update(now - done.get(cell, 0))
            done[cell] = now

        yield advance


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    kind = platform.machine() or "processor"
    return f"{device.type} ({kind}, {torch.get_num_threads()} threads of {os.cpu_count()} cores)"
