"""A long session: 10,000 events, and a cell that runs 100 times; memory must stay flat.

    python -m course_tests.benchmarks.live_memory
    python -m course_tests.benchmarks.live_memory --events 1000 --cells 20

Resident memory (MB) is printed ten times on the way. The figure has two panels; every tenth event
changes the limits, so that all is drawn anew. Each cell makes a figure, as one that is run again.
"""

from __future__ import annotations

import argparse
import gc
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from course.live import LivePanel, Slider, cells, live
from course.plots import style

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident() -> float:
    """Resident memory of this process, in MB (on Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def panel(*, clear: bool = False) -> LivePanel:
    """Two panels and a slider; clear: `draw` clears the figure and makes the axes anew."""
    fig, axes = style.figure(9.0, 3.5, ncols=2)
    x = np.arange(100)
    lines = [ax.plot(x, x, **style.line(0))[0] for ax in axes]

    def draw(n: int) -> str:
        if clear:
            fig.clear()
            fig.add_subplot().plot(x, n * x)
            return str(n)
        for line in lines:
            line.set_ydata(x * n / 1000)
        if n % 10 == 0:
            axes[0].set_ylim(0, 100 + n)
        return str(n)

    return live(fig, draw, n=Slider(0, 100_000, value=1))


def watch(name: str, times: int, event: Any) -> list[float]:
    """Memory at ten places on the way, printed."""
    places, memory = [times * k // 10 for k in range(1, 11)], []
    for k in range(1, times + 1):
        event(k)
        if k in places:
            memory.append(resident())
    sizes = " ".join(f"{size:6.1f}" for size in memory)
    print(f"{name:24}{sizes}  second half {memory[-1] - memory[4]:+.1f} MB", flush=True)
    return memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--cells", type=int, default=100)
    arguments = parser.parse_args()
    moved, cleared = panel(), panel(clear=True)
    watch("events", arguments.events, lambda k: setattr(moved.controls["n"], "value", k + 1))
    fewer = arguments.events // 5
    watch("events, figure cleared", fewer, lambda k: setattr(cleared.controls["n"], "value", k + 1))
    outputs: list[LivePanel] = []  # as a notebook keeps them
    parent: dict[str, Any] = {"metadata": {"cellId": "a"}}

    def run(k: int) -> None:
        parent["header"] = {"msg_id": str(k)}
        outputs.append(panel())

    shell = SimpleNamespace(get_parent=lambda: parent)
    with mock.patch.dict("sys.modules", {"IPython": SimpleNamespace(get_ipython=lambda: shell)}):
        watch("the same cell again", arguments.cells, run)
    assert len(cells._claims["a"][1]) == 1


if __name__ == "__main__":
    main()
