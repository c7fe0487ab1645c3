"""Grids on a Dask cluster of two real worker processes: killed, stopped, refused."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from course.experiments import cells, cluster, grid, table
from course.experiments.cells import Cell
from course.experiments.settings import Grid

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore"),  # what Dask warns about is not ours
]

TINY = Grid(depths=(1,), seeds=(0, 1), epochs=2, subset=300)
"""Two cells of six steps each."""
NOWHERE = "tcp://127.0.0.1:1"


def run(out: Path, settings: Grid = TINY, **arguments: Any) -> table.Table:
    result = grid.run("tiny", settings, out=out, device="cpu", progress=False, **arguments)
    assert result is not None
    return result


def same(left: table.Table, right: table.Table) -> None:
    assert list(left.columns) == list(right.columns)
    for name, values in right.columns.items():
        np.testing.assert_array_equal(left.columns[name], values, err_msg=name)


class Witness(distributed.WorkerPlugin):
    """Every worker writes its steps into steps-NETWORK beside the folder of the cells.

    It saves a checkpoint after each step. Where a file "kill" lies there, the one that takes it
    away is killed in step 4.
    """

    name = "witness"

    def setup(self, worker: Any) -> None:
        from course.experiments import cells

        fit = cells.training.fit

        def observed(network: Any, *arguments: Any, checkpoint: Path, **options: Any) -> Any:
            out = checkpoint.parent.parent
            options.update(checkpoint=checkpoint, checkpoint_every=0.0)
            for record in fit(network, *arguments, **options):
                with (out / f"steps-{network.name}").open("a") as file:
                    file.write(f"{record.step}\n")
                if record.step == 4 and (out / "kill").exists():
                    try:
                        (out / "kill").unlink()
                    except FileNotFoundError:
                        pass  # the other worker was faster
                    else:
                        os.kill(os.getpid(), signal.SIGKILL)
                yield record

        cells.training.fit = observed


@contextlib.contextmanager
def forked() -> Iterator[None]:
    """Workers are forked from a process that has torch, which each would import for seconds."""
    import dask
    from distributed.utils import get_mp_context

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        context = get_mp_context()
        forkserver._forkserver._stop()
        context.set_forkserver_preload(["distributed", "torch"])
        try:
            yield
        finally:
            forkserver._forkserver._stop()  # other tests fork from other processes


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    """Two processes with one thread each; one that dies is started again."""
    with (
        forked(),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        client.register_plugin(Witness())
        yield local


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> table.Table:
    """The tiny grid, in this process."""
    return run(tmp_path_factory.mktemp("alone"))


def steps(out: Path) -> list[list[int]]:
    """The steps that workers took, a list for each network, the longer one first."""
    each = [list(map(int, file.read_text().split())) for file in out.glob("steps-*")]
    return sorted(each, key=len, reverse=True)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_worker_loses_nothing(
    workers: Any, alone: table.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL in the middle: another worker goes on from the checkpoint, to the same numbers."""
    (tmp_path / "kill").touch()
    same(run(tmp_path, scheduler=workers.scheduler_address), alone)
    killed, other = steps(tmp_path)
    assert killed == [1, 2, 3, 4, 3, 5, 6], "3 is the evaluation that the checkpoint holds"
    assert other == [1, 2, 3, 4, 5, 6]
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["steps-plain", "steps-resnet", "tiny-digits.csv"]

    # Where Dask gives up at the first death, the same call goes on later.
    out = tmp_path / "given-up"
    out.mkdir()
    (out / "kill").touch()
    monkeypatch.setattr(workers.scheduler, "allowed_failures", 0)
    with pytest.raises(ValueError, match=r"^scheduler = .*workers live: 1 died .* goes on"):
        run(out, scheduler=workers.scheduler_address)
    same(run(out, scheduler=workers.scheduler_address), alone)


def test_workers_that_do_not_see_the_folder(
    workers: Any, alone: table.Table, tmp_path: Path
) -> None:
    todo = [Cell(name, 1, TINY) for name in TINY.networks]
    place = tmp_path / "elsewhere"
    address = workers.scheduler_address
    results = dict(cluster.results(todo, address, "cpu", None, place))
    rows = [row for cell in todo for row in results[cell]["rows"]]
    losses = [float(f"{row['train_loss']:.6g}") for row in rows]
    np.testing.assert_array_equal(losses, alone.columns["train_loss"])
    assert not list(tmp_path.iterdir()), "nothing is left where nobody would look"


def test_a_caller_that_ends_stops_the_workers(workers: Any, tmp_path: Path) -> None:
    """The long cell would take hours; it keeps a checkpoint, and the workers are free again."""
    short = Cell("plain", 1, TINY)
    long = Cell("resnet", 1, TINY.change(epochs=10**7))
    results = cluster.results([long, short], workers.scheduler_address, "cpu", None, tmp_path)
    assert next(results)[0] == short
    checkpoint = tmp_path / long.checkpoint
    until(checkpoint.exists)
    results.close()
    with distributed.Client(workers, set_as_default=False) as client:
        until(lambda: not any(client.run(busy).values()))
    assert checkpoint.exists() and not list(tmp_path.glob("*.lock"))


def busy(dask_worker: Any) -> int:
    return dask_worker.state.executing_count


def until(happened: Any) -> None:
    """Look again and again, at most for two minutes."""
    for _ in range(1200):
        if happened():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def test_other_versions_are_refused(
    workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = table.versions()
    monkeypatch.setattr(table, "versions", lambda: own | {"torch": "1.0"})
    refused = r"^versions of worker .* = {'torch': '.*must be {'torch': '1.0'}, as"
    with pytest.raises(ValueError, match=refused):
        run(tmp_path, scheduler=workers.scheduler_address)
    assert not list(tmp_path.iterdir())


def test_workers_without_the_course_are_refused(
    workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have to read what the caller sends: here, a function of a module that is only here."""
    module = ModuleType("only_here")
    exec("def versions(): return {}", vars(module))
    monkeypatch.setitem(sys.modules, "only_here", module)
    monkeypatch.setattr(table, "versions", vars(module)["versions"])
    with pytest.raises(ValueError, match=r"^scheduler = .*has the course .*only_here"):
        run(tmp_path, scheduler=workers.scheduler_address)


def test_a_device_that_a_worker_has_not_got_is_refused(workers: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^device = 'tpu'"):
        grid.run("tiny", TINY, out=tmp_path, device="tpu", scheduler=workers.scheduler_address)


def test_a_scheduler_that_goes_away_is_named(tmp_path: Path) -> None:
    """Its client is told, and what was trained is kept: here nothing, as no worker is there."""
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as local:
        scheduler = local.scheduler
        leave = threading.Thread(target=close_when_asked, args=(local, scheduler))
        leave.start()
        with pytest.raises(ValueError, match=r"^scheduler = .*it is gone.* goes on"):
            run(tmp_path, scheduler=local.scheduler_address)
        leave.join()


def close_when_asked(local: Any, scheduler: Any) -> None:
    until(lambda: scheduler.tasks)
    local.close()


def test_cells_that_would_share_a_process_are_refused(tmp_path: Path) -> None:
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as local,
        pytest.raises(ValueError, match=r"^threads of worker .* = 2: it must be 1: .*--nthreads 1"),
    ):
        run(tmp_path, scheduler=local.scheduler_address)


@pytest.mark.parametrize("address", [NOWHERE, "nonsense", "carrier-pigeon://a:1"])
def test_no_scheduler_there(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with pytest.raises(ValueError, match=rf"^scheduler = '{address}': .* running Dask scheduler"):
        run(tmp_path, scheduler=address)
    assert not list(tmp_path.iterdir())


def test_without_distributed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"^scheduler = .* the extra `cluster` installs"):
        run(tmp_path, scheduler=NOWHERE)


@pytest.mark.parametrize("also", [{"jobs": 2}, {"part": (1, 2)}])
def test_one_way_at_a_time(also: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^jobs, part = .* with a scheduler"):
        run(tmp_path, scheduler=NOWHERE, **also)


def test_a_training_that_is_stopped_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(cells.Stopped, match="plain 1"):
        cells.train(Cell("plain", 1, TINY), "cpu", None, tmp_path, stop=lambda: True)
