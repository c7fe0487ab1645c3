"""Every control of every explorer against `interact`, in Chromium: how long until the picture.

    python -m course_tests.benchmarks.live_controls                      all of them, 75 minutes
    python -m course_tests.benchmarks.live_controls --only chain skip    some
    python -m course_tests.benchmarks.live_controls --steps              without jumps, 45 minutes
    python -m course_tests.benchmarks.live_controls --minutes 8          as many as fit in

`interact` gets the explorer's own controls and calls its own `draw`, on a figure made anew each
time, which the inline backend shows: what a notebook does without `course.live`. Both stand in one
notebook in JupyterLab and take turns. Latency: from the change of a control until another picture
is on the screen. The goal is a p95 of at most 1/7 of theirs for each control, and of 1/20 where the
page computes and draws by itself (`live.in_browser`).

Ours may know the answer before the change: an explorer computes what is one step away while nothing
happens (`live.ahead`), which the 0.6 s between two changes leave time for; `interact` computes when
it is asked, as in any notebook. So a slider also has a row "(jump)": to places far from where it
stands, each another, that nobody has computed before. There the goal does not apply.

A figure that trains is first drawn before its training, and so is that of `interact` here. A
control that such a picture does not depend on, a learning rate, has a row "(trained)": `interact`,
which cannot draw meanwhile, trains to the end and shows that; ours is timed until the picture
changes, which is when the curve of the training before has gone. That is not the same work, so the
goal does not apply there either.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from course_tests.benchmarks.live_latency import p95
from course_tests.browser.page import NotebookPage, in_chromium
from course_tests.browser.server import Server, find_chromium, lab

GOAL, IN_THE_PAGE = 7.0, 20.0
CALM = 2500.0  # ms before each turn: what ours computes ahead must not hold up theirs
LESSONS = "course.lessons"
EXPLORERS = {
    "chain": (f"{LESSONS}.scalar_chain.explorer", "explore()"),
    "blow-up": (f"{LESSONS}.blow_up.explorer", "explore()"),
    "sigmoid": (f"{LESSONS}.sigmoid_saturation.explorer", "explore()"),
    "relu": (f"{LESSONS}.relu_family.explorer", "explore()"),
    "scale": (f"{LESSONS}.initialization.explorer", "explore()"),
    "phases": (f"{LESSONS}.initialization.explorer", "explore_phases()"),
    "degeneracy": (f"{LESSONS}.degeneracy.explorer", "explore()"),
    "product": (f"{LESSONS}.products.explorer", "product()"),
    "sheet": (f"{LESSONS}.products.explorer", "sheet()"),
    "jacobian": (f"{LESSONS}.isometry.explorer", "jacobian()"),
    "degradation": (f"{LESSONS}.degradation.explorer", "explore(examples)"),
    "skip": (f"{LESSONS}.skip_connections.explorer", "explore(examples)"),
    "van": (f"{LESSONS}.van.explorer", "explore(examples)"),
    "norm": (f"{LESSONS}.norms.explorer", "explore(examples)"),
    "moments": (f"{LESSONS}.starts.explorer", "explore_moments()"),
    "map": (f"{LESSONS}.starts.explorer", "explore_map()"),
}
"""By a short name: the module, and the call. (Those of trained landscapes need minutes first.)"""
BY_ITSELF = {"chain", "sigmoid", "scale", "phases", "product"}
"""Those that the page computes and draws: their goal is `IN_THE_PAGE`."""
SETUP = """
from importlib import import_module
from IPython.display import display
from ipywidgets import interact
from course import data
from course.live.controls import widget
from course.plots import arrange
%matplotlib inline
examples = data.digits().subset(1500, test=297)

TRAINS = False
UNSEEN = ("seed", "title", "reset", "summary", "ahead")

def call(module, code):
    return eval(code, {**vars(module), "examples": examples})

def anew(module, code):
    names = [name for name in ("live", "in_browser") if hasattr(module, name)]
    made, ours = [], {name: getattr(module, name) for name in names}
    def capture(fig, draw, **options):
        made.append((fig, draw, options))
    for name in names:
        setattr(module, name, capture)
    try:
        call(module, code)
    finally:
        for name in names:
            setattr(module, name, ours[name])
    return made[0]

def theirs(module, code):
    _, _, options = anew(module, code)
    fixed = {"seed": options["seed"]} if options.get("seed") is not None else {}
    named = {k: v for k, v in options.items() if k not in UNSEEN}
    def show(**values):
        fig, draw, _ = anew(module, code)
        still = draw(**values, **fixed)
        if TRAINS and getattr(still, "work", None) is not None:
            still.work.advance(float("inf"))
            still = draw(**values, **fixed)
        with arrange.turn:  # the other figure may still be drawing, in a thread of its own
            display(still[0] if isinstance(still, tuple) else fig)
    interact(show, **{name: widget(name, control) for name, control in named.items()})
"""
PAIR = 'module = import_module("{module}")\nours = call(module, "{code}")\ndisplay(ours)'
THEIRS = 'theirs(import_module("{module}"), "{code}")'
NAMES = "print('|'.join(control.description for control in ours.controls.values()))"
SCRIPT = Path(__file__).with_name("live_controls.js").read_text()


@dataclass
class Timing:
    """Latencies in ms of one control, theirs and ours.

    kind: "jump" of changes that nobody foresees, "trained" where theirs trains, or "".
    """

    explorer: str
    control: str
    kind: str
    theirs: list[float]
    ours: list[float]

    @property
    def ratio(self) -> float:
        """How many times quicker our p95 is."""
        return p95(self.theirs) / p95(self.ours)

    @property
    def goal(self) -> float:
        """How many times quicker it has to be."""
        return IN_THE_PAGE if self.explorer in BY_ITSELF else GOAL

    def row(self) -> str:
        """A line of the table."""
        cells = "".join(
            f"{statistics.median(times):8.0f}{p95(times):8.0f}"
            for times in (self.theirs, self.ours)
        )
        verdict = f"  below the goal of 1/{self.goal:.0f}" if self.below else ""
        name = f"{self.control} ({self.kind})" if self.kind else self.control
        return f"{self.explorer:12}{name:24}{cells}   1/{self.ratio:<5.1f}{verdict}"

    @property
    def below(self) -> bool:
        """Whether there is a goal that it misses."""
        return not self.kind and self.ratio < self.goal


def measure(
    names: list[str], times: int, seconds: float, *, jumps: bool = True
) -> Iterator[Timing]:
    """The timings, as they are measured, until so many seconds have gone by."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("no Chromium or Chrome on the PATH")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    deadline = time.monotonic() + seconds
    with (
        tempfile.TemporaryDirectory() as base,
        lab(Path(base)) as server,
        in_chromium(server, chromium) as tab,
    ):
        for name in names:
            if time.monotonic() < deadline:
                yield from _explorer(server, tab, name, times, deadline, jumps)


def _explorer(
    server: Server, tab: Any, name: str, times: int, deadline: float, jumps: bool
) -> Iterator[Timing]:
    module, code = EXPLORERS[name]
    cells = [SETUP, PAIR.format(module=module, code=code), THEIRS.format(module=module, code=code)]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, server.folder / f"{name}.ipynb")
    page = NotebookPage(tab, f"{name}.ipynb")
    page.run_all()
    page.panel().look()
    tab.evaluate(SCRIPT)
    controls = page.run_cell(NAMES).strip().split("|")
    sliders = [each for each in controls if jumps and tab.evaluate("name => liveJumps(name)", each)]
    half = (times + 1) // 2

    def timing(control: str, kind: str) -> Timing:
        latencies: dict[str, list[float]] = {".widget-interact": [], ".course-live": []}
        for begun in (0, half):
            for selector, measured in latencies.items():
                if time.monotonic() < deadline:
                    tab.wait_for_timeout(CALM)
                    what = [selector, 0, control, half, (kind == "jump") * (1 + begun), begun]
                    measured += tab.evaluate("what => liveWalk(what)", what)
        return Timing(name, control, kind, *latencies.values())

    for control in controls:
        made = timing(control, "")
        if not made.theirs and time.monotonic() < deadline:
            page.run_cell("TRAINS = True")
            made = timing(control, "trained")
            page.run_cell("TRAINS = False")
        yield made
    for control in sliders:
        yield timing(control, "jump")
    assert page.complaints() == [], page.complaints()
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=EXPLORERS, default=list(EXPLORERS))
    parser.add_argument("--times", type=int, default=16, help="changes of each control, each way")
    parser.add_argument("--steps", action="store_true", help="steps alone, without jumps")
    parser.add_argument("--minutes", type=float, default=90.0, help="stop after so many")
    arguments = parser.parse_args()
    print(f"{'':36}  interact     p95    ours     p95   ratio of p95")
    timings = []
    for timing in measure(
        arguments.only, arguments.times, 60 * arguments.minutes, jumps=not arguments.steps
    ):
        if min(len(timing.theirs), len(timing.ours)) < 2:
            print(f"{timing.explorer:12}{timing.control:24}  the picture stays, or no time is left")
            continue
        print(timing.row(), flush=True)
        timings.append(timing)
    steps = sum(not timing.kind for timing in timings)
    slow = sum(timing.below for timing in timings)
    print(f"{steps} controls, {slow} below the goal; {len(timings) - steps} jumps and trainings")


if __name__ == "__main__":
    main()
