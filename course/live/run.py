"""Training inside a notebook: a progress bar, a live curve, and a Stop button.

    run = live_run({"plain": fit(plain, data, steps=300), "resnet": fit(resnet, data, steps=300)})
    run                          # shows it; the cell returns at once
    run.result()["plain"][-1]    # waits for the end, then the records

The runs train side by side in a background thread. Stop lets the step under way end, but breaks it
off where it takes more than half a second, and closes the iterators. Where nobody watches
(COURSE_WAIT=1, as when notebooks are validated) the call trains to the end before it returns. An
error in training ends the run, is shown below the picture, and is raised by `result`. Running the
cell again stops the run that it started before.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from course.arguments import reject
from course.live.canvas import Canvas
from course.live.controls import reachable
from course.live.picture import Picture, output
from course.plots import style
from course.plots.growing import GrowingCurves

PERIOD = 0.25  # seconds between two drawings at least
SHARE = 5  # a drawing takes at most about a fifth of the time
GRACE = 0.5  # seconds that a step may still take after Stop
COLOURS = {"finished": "success", "stopped": "warning", "failed": "danger"}

History = dict[str, list[Any]]
_by_cell: dict[str, LiveRun] = {}


def live_run(
    runs: Iterable[Any] | dict[str, Iterable[Any]],
    *,
    value: str = "loss",
    log: bool | None = None,
    title: str = "",
    fig: Figure | None = None,
    draw: Callable[[History], str | None] | None = None,
    wait: bool | None = None,
) -> LiveRun:
    """Runs that train in the background, drawn as they go, with a progress bar and a Stop button.

    runs: an iterator of records (`training.fit`), or several by name, which advance side by side.
        A record says `step` and `steps`; progress and time left come from these.
    value: what the curves show, an attribute of a record with shape (R,), such as "loss" or
        "train_accuracy"; records that have None there are passed over. Mean over replicas with a
        band of one standard error. log: whether on a logarithmic axis; None: for losses.
    fig, draw: a picture of one's own instead: draw(history) changes the artists of `fig` and
        returns what they show in words; history maps each name to its records so far (the name of
        a single run is "run").
    wait: True trains to the end before returning; None: as the environment variable COURSE_WAIT
        says ("1": wait). Then an error in training is raised here.

    Raises ValueError for `runs` that cannot be iterated, or only one of fig and draw.
    """
    named = dict(runs) if isinstance(runs, dict) else {"run": runs}
    for name, records in named.items():
        if not isinstance(records, Iterable):
            raise reject(name, type(records).__name__, "an iterator of records, e.g. fit(...)")
    if not named:
        raise reject("runs", runs, "at least one iterator of records")
    if (fig is None) != (draw is None):
        raise reject("fig, draw", (fig, draw), "both given, or none of them")
    if fig is None or draw is None:
        fig, ax = style.figure(8.0, 3.4)
        logarithmic = value.endswith("loss") if log is None else log
        draw = GrowingCurves(ax, list(named), value, log=logarithmic).show
    run = LiveRun(named, fig, draw, title)
    run.start(wait=os.environ.get("COURSE_WAIT") == "1" if wait is None else wait)
    return run


class LiveRun(ipywidgets.VBox):
    """A training run on the screen. Make one with `live_run`.

    history: the records so far, by the name of the run; done: whether it has ended.
    """

    def __init__(
        self,
        runs: dict[str, Iterable[Any]],
        fig: Figure,
        draw: Callable[[History], str | None],
        title: str,
    ) -> None:
        self.history: History = {name: [] for name in runs}
        self.done = False
        self._alone = list(runs) == ["run"]
        self._runs = {name: iter(records) for name, records in runs.items()}
        self._active = dict(self._runs)
        self._draw, self._canvas = draw, Canvas(fig)
        self._state = "running"
        self._failure: BaseException | None = None
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._gate = threading.Lock()  # held to say, or to ask, whether a step is under way
        self._stepping = False
        self._picture = Picture()
        self._bar = ipywidgets.FloatProgress(min=0, max=1, layout={"width": "360px"})
        self._note = ipywidgets.Label("")
        self._button = ipywidgets.Button(description="Stop", tooltip="End this training run")
        reachable(self._button).on_click(lambda _: self.stop())
        head = [ipywidgets.Label(title).add_class("course-title")] if title else []
        box = ipywidgets.HBox([self._bar, self._button, self._note])
        super().__init__([*head, box, self._picture])
        self.add_class("course-live")

    def start(self, *, wait: bool) -> None:
        """Train in a background thread, or here if `wait`."""
        self._began = time.monotonic()
        cell = _cell()
        if cell in _by_cell:
            _by_cell.pop(cell).stop()
        self._show()
        if wait:
            self._train()
            if self._failure is not None:
                raise self._failure
            return
        if cell:
            _by_cell[cell] = self
        self._thread = threading.Thread(target=self._train, name="training", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the run to end, as the button does."""
        self._halt.set()
        breaker = threading.Timer(GRACE, self._break_off)
        breaker.daemon = True
        breaker.start()

    def result(self) -> Any:
        """The records, once the run has ended: a list, or a dict of lists for several runs.

        Raises what went wrong in training. An interrupt of the kernel stops the run.
        """
        try:
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(0.1)
        except KeyboardInterrupt:
            self.stop()
            raise
        if self._failure is not None:
            raise self._failure
        return self.history["run"] if self._alone else self.history

    def _train(self) -> None:
        try:
            self._advance()
        except _Stop:
            pass
        except KeyboardInterrupt:  # of a cell that waits
            self._halt.set()
            raise
        except BaseException as problem:
            self._failure = problem
        finally:
            self._end()

    def _advance(self) -> None:
        due = time.monotonic() + PERIOD
        while self._active and not self._halt.is_set():
            name = min(self._active, key=self._share)  # the one that is behind
            with self._gate:
                self._stepping = True
            try:
                self.history[name].append(next(self._active[name]))
            except StopIteration:
                del self._active[name]
            finally:
                with self._gate:
                    self._stepping = False
            before = time.monotonic()
            if before > due:
                self._show()
                after = time.monotonic()
                due = after + max(PERIOD, SHARE * (after - before))

    def _break_off(self) -> None:
        """Raise _Stop inside a step that is still under way, between two operations of Python."""
        with self._gate:
            if self._stepping and self._thread is not None:
                ident = ctypes.c_ulong(self._thread.ident or 0)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Stop))

    def _end(self) -> None:
        """Let go of the iterators (they may write a checkpoint) and show the last state."""
        try:
            for records in self._runs.values():
                close = getattr(records, "close", None)
                if close is not None:
                    close()
        except Exception as problem:
            self._failure = self._failure or problem
        self._state = "failed" if self._failure else "stopped" if self._active else "finished"
        self._show()
        if self._failure is not None:
            self._state = "failed"  # perhaps only now, while drawing
            kind = type(self._failure).__name__
            self._picture.failure = f"The training ended with an error. {kind}: {self._failure}"
        self._note.value = f"{self._state} after {time.monotonic() - self._began:.0f} s"
        self._button.disabled = True
        self._bar.bar_style = COLOURS[self._state]
        self.done = True

    def _share(self, name: str) -> float:
        """Share of its steps that a run has made."""
        records = self.history[name]
        return records[-1].step / records[-1].steps if records else 0.0

    def _show(self) -> None:
        share = sum(map(self._share, self.history)) / len(self.history)
        spent = time.monotonic() - self._began
        left = f"{spent * (1 - share) / share:.0f} s left" if share > 0 else "starting"
        self._bar.value, self._note.value = share, f"{share:.0%}, {left}"
        try:
            words = self._draw(self.history) or ""
            text = f"{self._head}\n{words}".strip()
            self._picture.show(self._canvas.render(), self._canvas.size, text)
        except Exception as problem:
            self._failure = self._failure or problem
            self._halt.set()

    @property
    def _head(self) -> str:
        reached: dict[int, list[int]] = {}  # by the number of all steps
        for records in filter(None, self.history.values()):
            reached.setdefault(records[-1].steps, []).append(records[-1].step)
        parts = [
            f"{min(at)} of {of}" if min(at) == max(at) else f"{min(at)} to {max(at)} of {of}"
            for of, at in reached.items()
        ]
        return f"Training {self._state}: {', '.join(parts) or 'no'} steps."

    def __repr__(self) -> str:
        return self._head

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return output(self, {"text/plain": repr(self), "image/png": self._picture.png})


class _Stop(BaseException):
    """Ends a step that takes too long after Stop was pressed."""


def _cell() -> str:
    """The id of the notebook cell that is running, or ''."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)()
    return str(parent.get("metadata", {}).get("cellId", ""))
