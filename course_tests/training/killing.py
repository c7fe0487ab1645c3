"""Train in child processes which are killed at random times; then finish the run, and compare.

Prints how often it was killed and the step it had got to, then losses and sums of weights of the
run resumed from there and of an unbroken one. Children are forked: torch is imported only once.
Usage: python killing.py FOLDER
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from course import training
from course.training import Adam, checkpoints, fit
from course_tests.small import blobs, build

KILLS = 20
STEPS = 600


def train(checkpoint: Path | None, every: float = 0) -> str:
    """The numbers of a run, all digits of them."""
    network = build("van")
    records = fit(
        network, blobs(), steps=STEPS, batch=20, optimizer=Adam(0.002), device="cpu",
        skips=training.Multipliers(rate=0.02, ratio=0.05), evaluate_every=20, record_every=20,
        checkpoint=checkpoint, checkpoint_every=every,
    )  # fmt: skip
    losses = [loss for record in records for loss in record.test_loss.tolist()]
    return repr([*losses, *(p.detach().double().sum().item() for p in network.parameters())])


def main(folder: Path) -> None:
    """Kill the run KILLS times, or until it is done; then finish it and print what it has got."""
    torch.set_num_threads(1)
    path, window, kills, step = folder / "run", 0.05, 0, 0
    while kills < KILLS and step < STEPS:
        child = os.fork()
        if child == 0:
            train(path)
            os._exit(0)
        time.sleep(random.uniform(0, window))
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        before, step = step, checkpoints.read(path)["step"] if path.exists() else 0
        if step == before:
            window *= 1.5  # a slow machine: not even the start was over
    print(kills, step)
    print(train(path, every=60))
    print(train(None))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
