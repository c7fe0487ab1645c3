"""How much of a training's time its live picture takes: the same run alone and on the screen.

    python -m course_tests.benchmarks.live_drawing [--seconds 5] [--rounds 5]

Plain networks, 10 blocks, width 50, five seeds, digits: as many steps as take about SECONDS are
trained alone and in `live_run`, in turn, ROUNDS times. Printed are the medians of the seconds, the
number of pictures, the time that drawing one takes, and the share of drawing: of all of the run,
and without the first and the last picture, which every run has, however short. At most 5 % is
wanted of the latter.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from unittest import mock

from course import data, networks
from course.live import live_run
from course.live.background import LiveRun
from course.training import Record, fit


def run(steps: int) -> Iterator[Record]:
    examples = data.digits()
    network = networks.build("plain", like=examples, width=50, depth=10, seeds=range(5))
    return fit(network, examples, steps=steps)


def alone(steps: int) -> float:
    """Seconds that the run takes when nobody watches."""
    records = run(steps)
    began = time.perf_counter()
    for _ in records:
        pass
    return time.perf_counter() - began


def watched(steps: int) -> tuple[float, list[float]]:
    """Seconds that the run takes on the screen, and those of each drawing."""
    drawings, show = [], LiveRun._show

    def timed(self: LiveRun) -> None:
        began = time.perf_counter()
        show(self)
        drawings.append(time.perf_counter() - began)

    records = run(steps)
    with mock.patch.object(LiveRun, "_show", timed):
        began = time.perf_counter()
        live_run(records, wait=True).close()
        return time.perf_counter() - began, drawings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5.0, help="of training")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    watched(100)  # warms up
    steps = int(300 * options.seconds / alone(300))
    without, within, pictures, all_, between = [], [], [], [], []
    for _ in range(options.rounds):
        without.append(alone(steps))
        seconds, drawings = watched(steps)
        within.append(seconds)
        pictures += drawings
        all_.append(sum(drawings) / seconds)
        between.append(sum(drawings[1:-1]) / seconds)
    median = statistics.median
    print(f"{steps} steps: {median(without):.2f} s alone, {median(within):.2f} s on the screen")
    print(f"{len(pictures) / options.rounds:.0f} pictures, {1e3 * median(pictures):.0f} ms each")
    print(f"drawing takes {median(all_):.1%}, {median(between):.1%} without first and last picture")


if __name__ == "__main__":
    main()
