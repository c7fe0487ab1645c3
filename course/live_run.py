"""Training inside a notebook: a progress bar, a live curve, and a Stop button.

    run = live_run({"plain": fit(plain, digits, steps=300), "resnet": fit(resnet, digits, steps=300)})
    run                          # shows it; the cell returns at once
    run.result()["plain"][-1]    # waits for the end, then the records

The runs train side by side in a background thread. Stop takes effect after the step under way, and
closes the iterators. Where nobody watches (COURSE_WAIT=1, as when notebooks are validated) the call
trains to the end before it returns. An error in training ends the run, is shown below the picture,
and is raised by `result`.
"""  # noqa: E501

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.arguments import reject
from course.canvas import Canvas
from course.picture import Picture
from course.plots import curves, style

__all__ = ["LiveRun", "live_run"]

PERIOD = 0.25  # seconds between two drawings at least: more would take time from the training
POINTS = 300  # of a curve that are drawn

History = Mapping[str, list[Any]]


def live_run(
    runs: Iterable[Any] | Mapping[str, Iterable[Any]],
    *,
    value: str = "loss",
    log: bool | None = None,
    title: str = "",
    fig: Figure | None = None,
    draw: Callable[[dict[str, list[Any]]], str | None] | None = None,
    wait: bool | None = None,
) -> LiveRun:
    """Train and watch.

    runs: an iterator of records (`training.fit`), or several by name, which advance side by side.
    value: what the curves show, an attribute of a record with shape (R,), such as "loss" or
        "train_accuracy"; records that have None there are passed over. Mean over replicas with a
        band of one standard error. log: whether on a logarithmic axis; None: for losses.
    fig, draw: a picture of one's own instead: draw(history) changes the artists of `fig` and
        returns what they show in words; history maps each name to its records so far.
    wait: True trains to the end before returning; None: as the environment variable COURSE_WAIT
        says ("1": wait).

    Raises ValueError for `runs` that cannot be iterated, or only one of fig and draw.
    """
    named = dict(runs) if isinstance(runs, Mapping) else {"run": runs}
    for name, records in named.items():
        if not isinstance(records, Iterable):
            raise reject(name, type(records).__name__, "an iterator of records, e.g. fit(...)")
    if not named:
        raise reject("runs", runs, "at least one iterator of records")
    if (fig is None) != (draw is None):
        raise reject("fig, draw", (fig, draw), "both given, or none of them")
    if fig is None or draw is None:
        fig, draw = _curve_of(value, value.endswith("loss") if log is None else log, named)
    if wait is None:
        wait = os.environ.get("COURSE_WAIT", "") == "1"
    run = LiveRun(named, fig, draw, title)
    run.start(wait=wait)
    return run


class LiveRun(ipywidgets.VBox):
    """A training run on the screen. Make one with `live_run`.

    history: the records so far, by the name of the run; done: whether it has ended.
    """

    def __init__(
        self,
        runs: dict[str, Iterable[Any]],
        fig: Figure,
        draw: Callable[[dict[str, list[Any]]], str | None],
        title: str,
    ) -> None:
        self.history: dict[str, list[Any]] = {name: [] for name in runs}
        self._alone = list(runs) == ["run"]
        self._runs = {name: iter(records) for name, records in runs.items()}
        self._active = dict(self._runs)
        self._draw, self._canvas = draw, Canvas(fig)
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.done = False
        self._state = "waiting"
        self._picture = Picture()
        self._bar = ipywidgets.FloatProgress(min=0, max=1, layout={"width": "360px"})
        self._note = ipywidgets.Label("")
        self._button = ipywidgets.Button(description="Stop", tooltip="End this training run")
        self._button.on_click(lambda _: self.stop())
        head = [ipywidgets.Label(title).add_class("course-title")] if title else []
        box = ipywidgets.HBox([self._bar, self._button, self._note])
        super().__init__([*head, box, self._picture])
        self.add_class("course-live")

    def start(self, *, wait: bool) -> None:
        """Train in a background thread, or here if `wait`."""
        self._began = time.monotonic()
        self._show()
        if wait:
            self._train()
        else:
            self._thread = threading.Thread(target=self._train, name="training", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask the run to end after the step under way, as the button does."""
        self._halt.set()

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
        shown = time.monotonic()
        try:
            while self._active and not self._halt.is_set():
                name = min(self._active, key=self._share)  # the one that is behind
                try:
                    self.history[name].append(next(self._active[name]))
                except StopIteration:
                    del self._active[name]
                if time.monotonic() - shown > PERIOD:
                    self._show()
                    shown = time.monotonic()
        except KeyboardInterrupt:
            self.stop()
        except BaseException as problem:
            self._failure = problem
        finally:
            self._end()

    def _end(self) -> None:
        """Let go of the iterators (they may write a checkpoint) and show the last state."""
        try:
            for records in self._runs.values():
                close = getattr(records, "close", None)
                if close is not None:
                    close()
        except Exception as problem:
            self._failure = self._failure or problem
        stopped = bool(self._active) and self._failure is None
        self._state = "stopped" if stopped else "failed" if self._failure else "finished"
        self.done = True
        self._button.disabled = True
        self._bar.bar_style = {"finished": "success", "stopped": "warning", "failed": "danger"}[
            self._state
        ]
        self._show()
        if self._failure is not None:
            kind = type(self._failure).__name__
            self._picture.failure = f"The training ended with an error. {kind}: {self._failure}"

    def _share(self, name: str) -> float:
        """Share of its steps that a run has made."""
        records = self.history[name]
        return records[-1].step / records[-1].steps if records else 0.0

    def _show(self) -> None:
        share = sum(map(self._share, self.history)) / len(self.history)
        self._bar.value = share
        self._note.value = f"{share:.0%}, {self._time(share)}"
        try:
            words = self._draw(self.history) or ""
            self._picture.show(self._canvas.render(), self._canvas.size, f"{self._head}\n{words}")
        except Exception as problem:
            self._failure = problem
            self._halt.set()

    def _time(self, share: float) -> str:
        gone = time.monotonic() - self._began
        if self.done or not 0 < share < 1:
            return f"{self._state} after {gone:.0f} s" if self.done else "starting"
        return f"{gone * (1 - share) / share:.0f} s left"

    @property
    def _head(self) -> str:
        steps = {f"{r[-1].step} of {r[-1].steps} steps" for r in self.history.values() if r}
        state = self._state if self.done else "running"
        return f"Training {state}: {' or '.join(sorted(steps)) or 'no step yet'}."

    def __repr__(self) -> str:
        return self._head

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "image/png": self._picture.png,
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            },
        }


def _curve_of(
    value: str, log: bool, runs: Mapping[str, Any]
) -> tuple[Figure, Callable[[dict[str, list[Any]]], str]]:
    """The ready picture: `value` against the step, a line with a band for each run."""
    fig, ax = style.figure(8.0, 3.4)
    look = [
        style.architecture(name) if name in style.ARCHITECTURES else style.line(k)
        for k, name in enumerate(runs)
    ]
    start = np.array([np.nan])
    bands = {
        name: curves.mean_band(ax, start, start[:, None], label=name, **{**line, "marker": ""})
        for (name, line) in zip(runs, look, strict=True)
    }
    ax.set(xlabel="step", ylabel=value.replace("_", " "))
    if log:
        ax.set_yscale("log")
    ax.set(xlim=(0, 1), ylim=(0.1, 1))
    if len(runs) > 1:
        ax.legend(frameon=False, fontsize=9)

    def draw(history: dict[str, list[Any]]) -> str:
        lines, seen = [], []
        for name, records in history.items():
            kept = [r for r in records if getattr(r, value) is not None]
            if not kept:
                continue
            thinned = kept[:: max(1, len(kept) // POINTS)]
            if thinned[-1] is not kept[-1]:
                thinned.append(kept[-1])
            values = np.array([getattr(r, value) for r in thinned])
            curves.move_band(bands[name], [r.step for r in thinned], values)
            seen.append(values[np.isfinite(values) & ((values > 0) | (not log))])
            lines.append(_words(name, value.replace("_", " "), kept[-1], values[-1]))
            ax.set_xlim(0, max(ax.get_xlim()[1], kept[-1].steps))
        _fit_limits(ax, np.concatenate([*seen, np.empty(0)]), log)
        return "\n".join(lines)

    return fig, draw


def _fit_limits(ax: Axes, values: np.ndarray, log: bool) -> None:
    """Limits that hold all values, in steps: the axis must not tremble while a curve grows."""
    if not values.size:
        return
    low, high = float(values.min()), float(values.max())
    if log:
        low, high = 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high * 1.0001))
    else:
        step = 10 ** np.floor(np.log10(max(high - low, 1e-6)))
        low, high = step * np.floor(low / step), step * np.ceil(high / step + 0.05)
    if (low, high) != ax.get_ylim():
        ax.set_ylim(low, high)


def _words(name: str, what: str, last: Any, values: np.ndarray) -> str:
    """One line: where this run stands, and which replicas broke down where."""
    mean, error = curves.mean_and_error(values)
    size = f"{mean:.3g} ± {error:.1g}" if np.isfinite(mean) else "not finite"
    text = f"{name}: {what} {size} over {len(values)} runs."
    broken = [found for found in last.first_nonfinite if found is not None]
    if broken:
        first = min(broken, key=lambda found: found.step)
        text += (
            f" Not finite in {len(broken)}, first at step {first.step}:"
            f" the {first.what} of {first.layer}."
        )
    return text
