"""On how many threads thin layers compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes with one thread on the CPU.

    The layers are thin: a second thread gains little, and costs minutes where another program wants
    its core, since each waits for the other a thousand times a second. Processes side by side
    (`jobs`, `part`) use more cores. And the numbers do not depend on how many there are.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
