"""On how many threads thin layers compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch


@contextmanager
def on_threads(count: int | None) -> Iterator[None]:
    """Inside, torch computes with `count` threads on the CPU; None leaves its own setting."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> AbstractContextManager[None]:
    """Inside, torch computes with one thread on the CPU.

    The layers are thin: a second thread gains little, and costs minutes where another program wants
    its core, since each waits for the other a thousand times a second. Processes side by side
    (`jobs`, a cluster) use more cores. And the numbers do not depend on how many there are.
    """
    return on_threads(1)
