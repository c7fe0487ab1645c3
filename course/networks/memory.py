"""What a process does with memory that it no longer needs."""

import torch


def keep_freed() -> None:
    """Let the process keep what an operation frees: the next one needs it again.

    The C library of Linux gives memory back to the system beyond twice the largest block that was
    ever freed (up to 32 MiB), and the system fills each page with zeros when it is asked for again:
    a tenth of the time of a training, and more than half of that of a loss surface. So a large
    block is freed here. As nothing was written in it, it takes no memory.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)
