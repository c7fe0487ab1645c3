"""On how many threads thin layers compute, and among how many replicas are divided."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from course.arguments import reject


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


def for_replicas() -> int:
    """Among how many threads replicas are divided: COURSE_THREADS, if that is set, else torch's.

    COURSE_THREADS is for kernels whose torch has one thread, since all but training loses by a
    second one (`course lab`). ValueError if it is no whole number
    from 1 on.
    """
    told = os.environ.get("COURSE_THREADS", "")
    if told and not (told.isdecimal() and int(told) >= 1):
        raise reject("COURSE_THREADS", told, "a whole number >= 1, or not set")
    return int(told) if told else torch.get_num_threads()
