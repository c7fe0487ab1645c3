"""How fast is a live figure? `interact` with the inline backend against `course.live`, in Chromium.

    python -m course_tests.benchmarks.live_latency             the same plot both ways, one slider
    python -m course_tests.benchmarks.live_latency --heavy     ... with 30 ms of work in each step
    python -m course_tests.benchmarks.live_latency --minutes 4 no new round after so many

The plot: two logarithmic axes, 100 layers, 900 x 350 pixels. Both ways stand in one notebook in
JupyterLab and take turns, round after round. Latency: from a key press on the focused slider until
the changed picture is on the screen. Drag: 60 key presses in 2 s; settle: from the last of them
until the last picture. Blank: animation frames without a picture; jumps: frames in which the output
had another height than in the frame before. Ratios are ours to theirs; the goals are p95 latency at
most 1/7, settle at most 1/6, 25 pictures in a drag, none blank, the last picture that of the last
value, and with heavy work a settle under the time of three callbacks (work and drawing).
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from course_tests.browser.page import NotebookPage, in_chromium
from course_tests.browser.server import find_chromium, lab

SETUP = """
import time
import numpy as np
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact
from course.live import Slider, LivePanel, live
from course.plots import style
%matplotlib inline

HEAVY = {heavy}
matrices = np.random.default_rng(0).normal(size=(30, 256, 256)) / 16
layers = np.arange(1, 101)
callbacks = []  # seconds that each of ours took: the work and the drawing

def work(weight):
    begun = time.perf_counter()
    if HEAVY:
        x = np.ones((64, 256))
        while time.perf_counter() - begun < 0.030:
            for matrix in matrices[:3]:
                x = np.tanh(weight * x @ matrix)
    values = np.abs(weight) ** layers
    return values, values[::-1]

def timed(panel, redraw=LivePanel._redraw):
    begun = time.perf_counter()
    redraw(panel)
    callbacks.append(time.perf_counter() - begun)

LivePanel._redraw = timed
"""
THEIRS = """
def show(weight):
    forward, backward = work(weight)
    fig, axes = plt.subplots(1, 2, figsize=(9, 3.5))
    for ax, values in zip(axes, (forward, backward)):
        ax.semilogy(layers, values, marker="o", markersize=4, label="size")
        ax.set(ylim=(1e-30, 1e30), xlabel="layer", ylabel="size", title=f"weight {weight:.3f}")
        ax.grid(True)
        ax.legend()
    plt.show()

_ = interact(show, weight=FloatSlider(min=0.5, max=2.0, step=0.001, value=1.0, description="theirs",
                                      readout_format=".3f"))
"""
OURS = """
fig, axes = style.figure(9.0, 3.5, ncols=2)
lines = [ax.semilogy(layers, 1.0 * layers, marker="o", markersize=4, label="size")[0] for ax in axes]
for ax in axes:
    ax.set(ylim=(1e-30, 1e30), xlabel="layer", ylabel="size")
    ax.legend()

def draw(weight):
    for line, ax, values in zip(lines, axes, work(weight)):
        line.set_ydata(values)
        ax.set_title(f"weight {weight:.3f}")
    return f"weight {weight:.3f}"

live(fig, draw, weight=Slider(0.5, 2.0, 0.001, value=1.0, description="ours"))
"""  # noqa: E501
SCRIPT = Path(__file__).with_name("live_latency.js").read_text()


@dataclass
class Way:
    """What was measured of one of the two."""

    name: str
    latency: list[float] = field(default_factory=list)  # ms
    settle: list[float] = field(default_factory=list)  # ms
    pictures: list[int] = field(default_factory=list)  # in a drag
    blank: int = 0
    jumps: int = 0
    last_is_right: bool = True

    def row(self) -> str:
        dropped = statistics.median(60 - count for count in self.pictures)
        return (
            f"{self.name:8} {statistics.median(self.latency):8.0f} {p95(self.latency):8.0f}"
            f" {statistics.median(self.settle):8.0f} {statistics.median(self.pictures):8.0f}"
            f" {dropped:8.0f} {self.blank:6} {self.jumps:6}"
        )


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--heavy", action="store_true", help="30 ms of work in each step")
    parser.add_argument("--rounds", type=int, default=5, help="each: 10 presses and a drag, twice")
    parser.add_argument("--minutes", type=float, default=3.0, help="no new round after so many")
    arguments = parser.parse_args()
    ways, step = measure(arguments.rounds, heavy=arguments.heavy, seconds=60 * arguments.minutes)
    report(ways, step, heavy=arguments.heavy)


def measure(
    rounds: int, *, heavy: bool, seconds: float = math.inf
) -> tuple[tuple[Way, Way], float]:
    """Both ways, theirs first, and the median milliseconds of one callback of ours.

    seconds: after which no further round begins; one takes about 50 s, on a quiet machine.
    """
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("no Chromium or Chrome on the PATH")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the kernel's: work of the same size each time
    theirs, ours = Way("interact"), Way("ours")
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as base, lab(Path(base)) as server:
        cells = [SETUP.format(heavy=heavy), THEIRS, OURS]
        notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, server.folder / "bench.ipynb")
        with in_chromium(server, chromium) as tab:
            page = NotebookPage(tab, "bench.ipynb")
            page.run_all()
            page.panel().look()
            tab.evaluate(SCRIPT)
            for number in range(rounds):
                if number and time.monotonic() > deadline:
                    break
                for way in (theirs, ours):
                    one_round(tab, way)
                print(f"round {number + 1} of {rounds}", flush=True)
            step = float(page.run_cell("print(np.median(callbacks) * 1000)"))
            assert page.complaints() == [], page.complaints()
            page.close()
    return (theirs, ours), step


def one_round(tab: Any, way: Way) -> None:
    """Ten single presses and a drag to the right, the same to the left."""
    name = "theirs" if way.name == "interact" else "ours"
    for key in ("ArrowRight", "ArrowLeft"):
        way.latency += tab.evaluate("([name, key]) => liveBench.presses(name, key)", [name, key])
        drag = tab.evaluate("([name, key]) => liveBench.drag(name, key)", [name, key])
        way.settle.append(drag["settle"])
        way.pictures.append(drag["pictures"])
        way.blank += drag["blank"]
        way.jumps += drag["jumps"]
        if name == "ours":
            way.last_is_right &= drag["caption"] == f"weight {float(drag['value']):.3f}"


def report(ways: tuple[Way, Way], step: float, *, heavy: bool) -> None:
    theirs, ours = ways
    print("         latency      p95   settle pictures  dropped  blank  jumps")
    print(f"{theirs.row()}\n{ours.row()}")
    median = statistics.median(ours.latency) / statistics.median(theirs.latency)
    settle = statistics.median(ours.settle) / statistics.median(theirs.settle)
    print(
        f"ratio: median latency 1/{1 / median:.1f}, "
        f"p95 latency 1/{p95(theirs.latency) / p95(ours.latency):.1f} (goal 1/7), "
        f"settle 1/{1 / settle:.1f} (goal 1/6)"
    )
    print(f"our last picture is that of the last value: {'yes' if ours.last_is_right else 'NO'}")
    if heavy:
        times = statistics.median(ours.settle) / step
        print(f"our settle is {times:.1f} callbacks of {step:.0f} ms (goal: under 3)")


if __name__ == "__main__":
    main()
