"""Recordings that are kept until the code that draws changes."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from course.site.moving.cells import explorers
from course.site.moving.recorder import record


def record_all(
    notebooks: Path, cache: Path, *, jobs: int = 1, tell: Callable[[str], None] = print
) -> dict[str, Path]:
    """The recordings of all explorers in a folder of notebooks: folders by the explorers' names.

    What is not in `cache` is made. jobs: how many are recorded at a time, each in a process of its
    own on one core. tell: hears of each one that is done. Older recordings of the same explorers
    are removed. Raises what recording raises, and keeps what is done.
    """
    found = [explorer for path in sorted(notebooks.glob("*.ipynb")) for explorer in explorers(path)]
    folders = {explorer.name: cache / f"{explorer.name}-{explorer.digest()}" for explorer in found}
    missing = [explorer for explorer in found if not folders[explorer.name].is_dir()]
    if missing:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(missing)), spawn, _on_one_core) as pool:
            tasks = {pool.submit(record, e, folders[e.name]): e.name for e in missing}
            try:
                for count, task in enumerate(as_completed(tasks), start=1):
                    task.result()
                    tell(f"recorded {count} of {len(missing)}: {tasks[task]}")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    for name, folder in folders.items():
        for old in set(cache.glob(f"{name}-*")) - {folder}:
            shutil.rmtree(old, ignore_errors=True)
    return folders


def _on_one_core() -> None:
    import torch

    torch.set_num_threads(1)
