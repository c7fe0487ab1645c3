"""Trains a grid of networks x depths, all seeds of a cell side by side, and writes the table.

A cell, one network at one depth with all its seeds, is trained on its own and kept in a file of its
own until the table is written. So a run that was stopped goes on where it was. Cells are trained
side by side on one machine by `jobs` (joblib), on many by `scheduler` (a Dask cluster), and in the
tasks of a batch system by `part`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from course import files, training
from course.arguments import reject, whole
from course.experiments import cells, cluster, making, table
from course.experiments.cells import Cell
from course.experiments.settings import Grid


def run(
    name: str,
    settings: Grid,
    *,
    out: str | Path = "results",
    device: str = "auto",
    jobs: int = 1,
    scheduler: str | None = None,
    part: tuple[int, int] = (1, 1),
    root: str | Path | None = None,
    progress: bool = True,
) -> table.Table | None:
    """Train the grid; write `out`/NAME-DATA.csv when all of it is trained, and return the table.

    jobs: cells trained side by side, each in a process of its own.
    scheduler: address of a running Dask cluster, whose workers train the cells: see `cluster`.
    part: (k, n) trains the k-th of n shares only, for tasks of a batch system with one `out`
        folder; the one that ends last writes the table, the others return None.
    root: a folder with data, see `course.data`.

    What was trained before it was stopped is kept in `out`/NAME-DATA.cells, and found again by the
    same call. Raises ValueError for bad arguments, and data.DataError, before any training.
    """
    whole("jobs", jobs, least=1)
    k, n = (whole("part", number, least=1) for number in part)
    if k > n:
        raise reject("part", part, "(k, n) with k <= n")
    if scheduler is None:
        training.device(device)  # one of this machine; each worker looks at its own
    elif (jobs, k, n) != (1, 1, 1):
        allowed = "1, (1, 1) with a scheduler: its workers train all cells"
        raise reject("jobs, part", (jobs, (k, n)), allowed)
    making.examples(settings, root)
    folder = _writable(Path(out))
    asked = [Cell(net, depth, settings) for net in settings.networks for depth in settings.depths]
    mine = sorted(asked, key=lambda cell: -cell.cost)[k - 1 :: n]
    cells_folder = folder / f"{name}-{settings.data}.cells"
    cells_folder.mkdir(exist_ok=True)
    try:
        todo = [cell for cell in mine if _kept(cells_folder, cell) is None]
        with _bar(todo, progress) as advance:
            for cell, result in _results(
                todo, device, root, cells_folder, jobs, scheduler, advance
            ):
                files.write_whole(cells_folder / cell.result, json.dumps(result))
                (cells_folder / cell.checkpoint).unlink(missing_ok=True)
        parts = [_kept(cells_folder, cell) for cell in asked]
        results = [result for result in parts if result is not None]
        if len(results) < len(asked):
            return None
        written = _write(folder / f"{name}-{settings.data}.csv", name, settings, root, results)
        for cell in asked:
            (cells_folder / cell.result).unlink(missing_ok=True)
        return written
    finally:
        with suppress(OSError):  # it may hold what is yet to be used
            cells_folder.rmdir()


def _results(
    todo: list[Cell],
    device: str,
    root: str | Path | None,
    folder: Path,
    jobs: int,
    scheduler: str | None,
    advance: Callable[[Cell, float], None],
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Each cell with its result, as they come in."""
    if scheduler is not None:
        for cell, result in cluster.results(todo, scheduler, device, root, folder):
            advance(cell, 1.0)
            yield cell, result
        return
    if jobs == 1:
        for cell in todo:
            yield cell, cells.train(cell, device, root, folder, partial(advance, cell))
        return
    try:
        import joblib
    except ImportError:
        raise reject("jobs", jobs, "1 without joblib, which the extra `cluster` installs") from None

    work = (joblib.delayed(_train_alone)(cell, device, root, folder) for cell in todo)
    for cell, result in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(work):
        advance(cell, 1.0)
        yield cell, result


def _train_alone(
    cell: Cell, device: str, root: str | Path | None, folder: Path
) -> tuple[Cell, dict[str, Any]]:
    """`train` in a process of its own, where nobody watches; it says which cell it was."""
    return cell, cells.train(cell, device, root, folder)


def _kept(folder: Path, cell: Cell) -> dict[str, Any] | None:
    """What an earlier call left of this cell, or None."""
    try:
        return json.loads((folder / cell.result).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _write(
    path: Path, name: str, settings: Grid, root: str | Path | None, results: list[dict[str, Any]]
) -> table.Table:
    examples = making.examples(settings, root)
    header = {
        "experiment": name,
        "settings": settings.as_dict(),
        "depth_counts": settings.depth_counts,
        "classes": examples.outputs,
        "labels": making.labels(examples),
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
def _bar(todo: list[Cell], shown: bool) -> Iterator[Callable[[Cell, float], None]]:
    """A progress bar over the costs of the cells; yields what moves it."""
    layout = "{percentage:3.0f}% |{bar:30}| {elapsed} gone, {remaining} left  {desc}"
    total = sum(cell.cost for cell in todo)
    done: dict[Cell, int] = {}
    options = {"mininterval": 0.5, "smoothing": 0.0, "disable": not shown or not todo}
    with tqdm(total=total, bar_format=layout, **options) as bar:

        def advance(cell: Cell, share: float) -> None:
            bar.set_description_str(str(cell), refresh=False)
            now = round(cell.cost * share)
            bar.update(now - done.get(cell, 0))
            done[cell] = now

        yield advance
