"""Training inside a notebook: play, pause, step, stop, restart, with a bar and a live curve.

    run = live_run({"plain": fit(plain, data, steps=300), "resnet": fit(resnet, data, steps=300)})
    run                          # shows it; the cell returns at once
    run.result()["plain"][-1]    # waits for the end, then the records

The runs train side by side in a background thread. Stop lets the step under way end, but breaks it
off where it takes more than half a second, and closes the iterators; what is there is kept. Where
nobody watches (COURSE_WAIT=1, as when notebooks are validated) the call trains to the end before it
returns. An error in training ends the run, is shown below the picture, and is raised by `result`,
of which a notebook shows its words and the reader's own lines. A paused run says who waits for it.
Running the cell again stops the run that it started before, and lets go of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from course.arguments import reject
from course.live.background import History, LiveRun, Runs
from course.live.transport import Knob
from course.plots import style
from course.plots.growing import GrowingCurves


def live_run(
    runs: Iterable[Any] | Callable[[], Iterable[Any]] | Runs,
    *,
    value: str = "loss",
    log: bool | None = None,
    title: str = "",
    fig: Figure | None = None,
    draw: Callable[[History], str | None] | None = None,
    wait: bool | None = None,
    knobs: Sequence[Knob] = (),
) -> LiveRun:
    """Runs that train in the background, drawn as they go, with a progress bar and buttons.

    runs: an iterator of records (`training.fit`), or several by name, which advance side by side;
        a function that makes the iterator can be restarted, and what was tried before stays as
        pale curves. A record says `step` and `steps`; progress and time left come from these.
    value: what the curves show, an attribute of a record with shape (R,), such as "loss" or
        "train_accuracy"; records that have None there are passed over. Mean over replicas with a
        band of one standard error. log: whether on a logarithmic axis; None: for losses.
    fig, draw: a picture of one's own instead: draw(history) changes the artists of `fig` and
        returns what they show in words; history maps each name to its records so far (the name of
        a single run is "run").
    wait: True trains to the end before returning; None: as the environment variable COURSE_WAIT
        says ("1": wait). Then an error in training is raised here.
    knobs: what can be turned while it trains; see `Knob`.

    Raises ValueError for `runs` that cannot be iterated, or only one of fig and draw.
    """
    named = dict(runs) if isinstance(runs, Mapping) else {"run": runs}
    for name, records in named.items():
        if not (isinstance(records, Iterable) or callable(records)):
            raise reject(name, type(records).__name__, "an iterator of records, e.g. fit(...)")
    if not named:
        raise reject("runs", runs, "at least one iterator of records")
    if (fig is None) != (draw is None):
        raise reject("fig, draw", (fig, draw), "both given, or none of them")
    if fig is None or draw is None:
        fig, ax = style.figure(8.0, 3.4)
        logarithmic = value.endswith("loss") if log is None else log
        growing = GrowingCurves(ax, list(named), value, log=logarithmic)
        style.hold(fig, growing.show_widest)  # else each new limit moves the axes, and all is drawn
        growing.clear()
        draw = growing.show
    run = LiveRun(named, fig, draw, title, knobs)
    run.start(wait=os.environ.get("COURSE_WAIT") == "1" if wait is None else wait)
    return run
