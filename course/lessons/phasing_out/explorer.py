"""Live runs of phasing out: schedules side by side, and the same schedules over depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from course.lessons.degradation import explorer as degradation_explorer
from course.lessons.phasing_out import pictures
from course.live import LiveRun, live_run
from course.plots import style
from course.training import Record


def watch(runs: Mapping[str, Iterator[Record]], epochs: int) -> LiveRun:
    """Networks and schedules (names of `pictures.RUNS`) side by side: skips and accuracy by epoch.

    Accuracy is shown with running statistics of batch norm, and where the records have it with
    those of each batch.
    """
    fig, axes = style.figure(11.6, 3.6, ncols=3)
    panels = pictures.Schedules(fig, axes, list(runs), epochs)

    def draw(history: dict[str, list[Record]]) -> str:
        lines = []
        for name, records in history.items():
            if not records:
                continue
            epochs = np.array([record.epoch for record in records], dtype=float)
            running = np.array([record.train_accuracy for record in records])
            measured = [each.train_accuracy for r in records if (each := r.batch_statistics)]
            batches = np.array(measured) if measured else None
            alphas = [record.alpha for record in records if record.alpha is not None]
            left = 1 - np.mean(alphas, axis=2) if alphas else None
            panels.show(name, epochs, left, running, batches)
            also = "" if batches is None else f" ({100 * batches[-1].mean():.0f} % by batches)"
            skips = "" if left is None else f", {left[-1].mean():.2f} of the skips left"
            lines.append(f"{name}: {100 * running[-1].mean():.0f} % in training{also}{skips}.")
        return "\n".join(lines)

    return live_run(dict(runs), fig=fig, draw=draw, title="Schedules side by side")


def watch_depths(runs: Mapping[str, Iterator[Record]], classes: int) -> LiveRun:
    """Runs of `fading.train` side by side: their accuracies against depth."""
    return degradation_explorer.watch_runs(runs, classes, title="Over depth", lines=pictures.RUNS)
