"""Cells of a grid, trained by the workers of a running Dask cluster.

Each cell is a task of its own, and its result comes back through the scheduler: the caller and the
workers need not share a disk. When a worker is killed, Dask gives its cell to another one. Where
that one sees the caller's folder, it goes on from the checkpoint there. Where it does not,
checkpoints lie in the scratch folder of the worker, end with it, and the cell begins again. The
numbers are the same.

Source: Dask, "Resilience", https://distributed.dask.org/en/stable/resilience.html
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from course.arguments import reject
from course.experiments import cells, table
from course.experiments.cells import Cell

PATIENCE = 10.0
"""Seconds for the scheduler to answer."""


def results(
    todo: list[Cell], scheduler: str, device: str, root: str | Path | None, folder: Path
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Each cell with what `cells.train` returns for it, as they come in.

    It waits for workers where there are none. When it is closed, the workers stop at their next
    step. Raises ValueError for a scheduler that does not answer or goes away, for other versions or
    more than one thread on a worker, for a cell whose workers die one after another, and as
    `cells.train` does.
    """
    arguments = (device, root and Path(root).absolute(), folder.absolute(), table.versions())
    with _client(scheduler) as client:
        import distributed

        tasks = {
            client.submit(train_there, cell, *arguments, priority=cell.cost, pure=False): cell
            for cell in todo
        }
        try:
            for task in distributed.as_completed(tasks, loop=client.loop):
                yield tasks.pop(task), task.result()
        except distributed.KilledWorker as error:
            allowed = f"one whose workers live: {error.allowed_failures + 1} died with one cell"
            advice = "is their memory too small? What is trained is kept, the same call goes on"
            raise reject("scheduler", scheduler, f"{allowed}; {advice}") from None
        except distributed.CancelledError:
            allowed = "one that stays: it is gone. What is trained is kept, the same call goes on"
            raise reject("scheduler", scheduler, allowed) from None


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    """A client of that scheduler; ValueError if it does not answer, or does not know the course."""
    try:
        import distributed
    except ImportError:
        allowed = "None without `distributed`, which the extra `cluster` installs"
        raise reject("scheduler", scheduler, allowed) from None
    try:
        client = distributed.Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        allowed = f"the address of a running Dask scheduler, such as tcp://node1:8786 ({error})"
        raise reject("scheduler", scheduler, allowed) from None
    with client:
        try:  # a task that cannot be read there would be lost without a word
            client.run_on_scheduler(table.versions)
            client.run(table.versions)
        except Exception as error:  # Dask makes another one of what it cannot send
            allowed = f"one that, with its workers, has the course and what it needs ({error})"
            raise reject("scheduler", scheduler, allowed) from None
        yield client


def train_there(
    cell: Cell, device: str, root: Path | None, folder: Path, versions: dict[str, str]
) -> dict[str, Any]:
    """What `cells.train` returns, on a worker; ValueError where the numbers would be others.

    It stops at the next step when nobody waits for the result any more, or when the worker is told
    to end.
    """
    import distributed

    worker = distributed.get_worker()
    _like_the_caller(worker.state.nthreads, versions)
    key = worker.get_current_task()

    def stop() -> bool:
        task = worker.state.tasks.get(key)
        wanted = task is not None and task.state != "cancelled"
        return not wanted or worker.status != distributed.Status.running

    place: AbstractContextManager[str | Path] = nullcontext(folder)
    if not folder.is_dir():
        place = TemporaryDirectory(dir=worker.local_directory)
    with place as own:
        try:
            return cells.train(cell, device, root, Path(own), stop=stop)
        except cells.Stopped:
            raise distributed.Reschedule from None  # somewhere else, if it is still wanted


def _like_the_caller(threads: int, versions: dict[str, str]) -> None:
    """ValueError if the caller has other versions, or if cells share a process."""
    name = f"of worker {platform.node()}"
    if threads != 1:
        raise reject(f"threads {name}", threads, "1: start it by `dask worker --nthreads 1`")
    own = table.versions()
    differing = [each for each in {**versions, **own} if versions.get(each) != own.get(each)]
    if differing:
        theirs, ours = ({each: of.get(each) for each in differing} for of in (own, versions))
        raise reject(f"versions {name}", theirs, f"{ours}, as where the command runs")
