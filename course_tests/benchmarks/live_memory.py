"""A long session: 10,000 events, and a cell that runs 100 times; memory must stay flat.

    python -m course_tests.benchmarks.live_memory
    python -m course_tests.benchmarks.live_memory --events 1000 --cells 20
    python -m course_tests.benchmarks.live_memory --explorers blow-up relu --events 10000

Resident memory (MB) is printed ten times on the way. The figure has two panels; every tenth event
changes the limits, so that all is drawn anew. Each cell makes a figure, as one that is run again.
With --explorers those of the notebooks take its place: each event moves one control to a place
drawn at random, and one in four is drawn, as in a drag (--burst 1: each); after every 500th a
training, if there is one, goes on for a second.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import ipywidgets
import numpy as np

from course import data
from course.live import LivePanel, Slider, cells, live
from course.plots import style
from course_tests.benchmarks.live_controls import EXPLORERS

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
LEARNS, OFTEN = 1.0, 500  # seconds that a training gets, after so many events


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


class Memory:
    """Memory at ten places on the way, printed there."""

    def __init__(self, name: str, times: int) -> None:
        print(f"{name:24}", end="", flush=True)
        self.places = [times * k // 10 for k in range(1, 11)]
        self.sizes: list[float] = []

    def look(self, k: int) -> None:
        """After event number k, from 1."""
        if k not in self.places:
            return
        self.sizes.append(resident())
        print(f"{self.sizes[-1]:7.1f}", end="", flush=True)
        if len(self.sizes) == len(self.places):
            print(f"  second half {self.sizes[-1] - self.sizes[4]:+.1f} MB", flush=True)


def watch(name: str, times: int, event: Callable[[int], object]) -> None:
    """Memory on the way through so many events."""
    memory = Memory(name, times)
    for k in range(1, times + 1):
        event(k)
        memory.look(k)


def again(name: str, times: int, make: Callable[[], Any]) -> None:
    """Memory on the way through so many runs of one cell, whose outputs are kept."""
    outputs: list[Any] = []  # as a notebook keeps them
    parent: dict[str, Any] = {"metadata": {"cellId": name}}

    def run(k: int) -> None:
        parent["header"] = {"msg_id": str(k)}
        outputs.append(make())

    shell = SimpleNamespace(get_parent=lambda: parent)
    with mock.patch.dict("sys.modules", {"IPython": SimpleNamespace(get_ipython=lambda: shell)}):
        watch("the same cell again", times, run)
    assert len(cells._claims[name][1]) == 1


async def session(name: str, panel: Any, times: int, burst: int) -> None:
    """So many events on the controls of an explorer, in a loop as a kernel has it."""
    draws, memory = random.Random(0), Memory(name, times)
    for k in range(1, times + 1):
        control = draws.choice(list(panel.controls.values()))
        if isinstance(control, ipywidgets.Dropdown | ipywidgets.SelectionSlider):
            control.index = draws.randrange(len(control.options))
        elif isinstance(control, ipywidgets.FloatLogSlider):
            control.value = control.base ** draws.uniform(control.min, control.max)
        elif isinstance(control, ipywidgets.Checkbox):
            control.value = not control.value
        elif isinstance(control, ipywidgets.IntSlider):
            control.value = draws.randint(control.min, control.max)
        else:
            control.value = draws.uniform(control.min, control.max)
        if k % burst == 0:
            if isinstance(panel, LivePanel):
                panel.refresh()
            else:
                assert panel.png  # drawn in the page, and here when it is stored
            await asyncio.sleep(0 if k % OFTEN else LEARNS)
        memory.look(k)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--explorers", nargs="+", choices=EXPLORERS, default=[])
    parser.add_argument("--burst", type=int, default=4, help="events for each drawing")
    arguments = parser.parse_args()
    if arguments.explorers:
        examples = data.digits().subset(1500, test=297)
    for name in arguments.explorers:
        module, call = EXPLORERS[name]
        known = {**vars(import_module(module)), "examples": examples}

        def make(call: str = call, known: dict[str, Any] = known) -> Any:
            return eval(call, known)

        async def visit(name: str = name, make: Callable[[], Any] = make) -> None:
            await session(name, make(), arguments.events, arguments.burst)
            again(name, arguments.cells, make)

        asyncio.run(visit())
    if arguments.explorers:
        return
    moved, cleared = panel(), panel(clear=True)
    watch("events", arguments.events, lambda k: setattr(moved.controls["n"], "value", k + 1))
    fewer = arguments.events // 5
    watch("events, figure cleared", fewer, lambda k: setattr(cleared.controls["n"], "value", k + 1))
    again("a", arguments.cells, panel)


if __name__ == "__main__":
    main()
