"""Training in a background thread, with its picture: what `live_run` shows."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakSet

import ipywidgets
from matplotlib.figure import Figure

from course.live.canvas import Canvas
from course.live.cells import claim, discard
from course.live.failures import of_training
from course.live.pace import SHARE, UNSEEN, Pace
from course.live.picture import Picture, output
from course.live.stopping import BrokenOff, Interrupted, in_words, note, what_is_missing
from course.live.stored import Kept
from course.live.transport import Knob, Transport, progress
from course.plots.growing import keep_pale

GRACE = 0.5  # seconds that a step may still take after Stop

History = dict[str, list[Any]]
Runs = Mapping[str, Iterable[Any] | Callable[[], Iterable[Any]]]

_begun: WeakSet[LiveRun] = WeakSet()


def training() -> bool:
    """Whether a run trains now, in a thread of its own, and is not paused."""
    return any(not (run.done or run.paused) for run in list(_begun))


class LiveRun(ipywidgets.VBox):
    """A training run on the screen. Make one with `live_run`.

    history: the records so far, by the name of the run; done: whether it has ended.
    """

    def __init__(
        self,
        runs: Runs,
        fig: Figure,
        draw: Callable[[History], str | None],
        title: str,
        knobs: Sequence[Knob] = (),
    ) -> None:
        self.history: History = {name: [] for name in runs}
        self.done = False
        self._alone = list(runs) == ["run"]
        self._makers = runs
        self._runs: dict[str, Any] = {}  # begun, by name: a network may take a while to be made
        self._active = list(runs)
        self._draw = draw
        self._state = "running"
        self._failure: BaseException | None = None
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._gate = threading.Lock()  # held to say, or to ask, whether a step is under way
        self._lock = threading.RLock()  # held while drawing
        self._stepping = self._again = self._awaited = False
        self._picture = Picture(Canvas(fig))
        self._kept = Kept()
        can_restart = all(callable(records) for records in runs.values())
        begin = "press Restart" if can_restart else "run the training's cell again"
        self._anew = f"{begin}, then run this cell again: it waits for the end"
        self._transport = Transport(self.stop, self.restart if can_restart else None)
        head = [ipywidgets.Label(title).add_class("course-title")] if title else []
        turned = ipywidgets.Box([knob.widget for knob in knobs]).add_class("course-controls")
        box = [self._transport, *([turned] if knobs else [])]
        super().__init__([*head, *box, self._picture])
        self.add_class("course-live")
        self._picture.observe(self._fit, ["room", "ratio"])

    def start(self, *, wait: bool) -> None:
        """Train in a background thread, or here if `wait`."""
        self._began = time.monotonic()
        claim(self)
        note(self.history, stopped=False)
        self._show()
        if wait:
            self._train()
            self._raise()
            return
        _begun.add(self)
        self._thread = threading.Thread(target=self._train, name="training", daemon=True)
        self._thread.start()

    @property
    def paused(self) -> bool:
        """Whether it waits for Play or Step."""
        return self._transport.paused

    def stop(self) -> None:
        """Ask the run to end, as the button does."""
        self._halt.set()
        self._transport.wake()
        breaker = threading.Timer(GRACE, self._break_off)
        breaker.daemon = True
        breaker.start()

    def restart(self) -> None:
        """Begin anew, as the button does; what was tried stays as pale curves."""
        running = self._thread is not None and self._thread.is_alive()
        self._again = running
        if running:
            self.stop()
        else:
            self._begin()
            self.start(wait=False)

    def close(self) -> None:
        """Stop, take the run off the page and let go of its picture; the records stay."""
        if self._picture.comm is None:
            return
        self.stop()
        for child in self.children:
            discard(child)
        self._picture.png = b""
        super().close()
        note(self.history, stopped=False)

    def result(self) -> Any:
        """The records, once the run has ended: a list, or a dict of lists for several runs.

        Prints what there is of a run that was stopped, and that it waits for one that is paused.
        Raises `BrokenOff` where there is nothing of one of the networks at least; `Interrupted`
        where the kernel is interrupted meanwhile, which stops the run; and what went wrong in
        training, which Jupyter shows in words alone.
        """
        interrupted = False
        try:
            self._wait()
        except KeyboardInterrupt:
            interrupted = True
        if interrupted:
            self.stop()
            raise Interrupted(
                "Interrupted; the training is stopped.\n"
                "Run this cell again: it goes on with what there is."
            )
        self._raise()
        if self._state == "stopped":
            if missing := what_is_missing(self.history):
                raise BrokenOff(f"{self._head} {missing}.\nFor that {self._anew}.")
            print(self._head, "What follows works with what there is.")
            print(f"For all of it {self._anew}.")
        return self.history["run"] if self._alone else self.history

    def _wait(self) -> None:
        """Until the end; says once, each time that it is paused, what is waited for."""
        self._awaited, said = True, False
        try:
            while self._thread is not None and self._thread.is_alive():
                if not said and self._state == "paused":
                    self._show()
                    print(progress("paused", self.history, awaited=True))
                said = self.paused and (said or self._state == "paused")
                time.sleep(0.02)  # not join: a student would read its traceback
        finally:
            self._awaited = False

    def _raise(self) -> None:
        if self._failure is not None:
            raise in_words(self._failure, f"{self._head}\n{self._picture.failure}")

    def _begin(self) -> None:
        """The same runs from their first step on."""
        keep_pale(self._picture.canvas.figure)
        self.history = {name: [] for name in self._makers}
        self._runs, self._active = {}, list(self._makers)
        self._state, self._failure, self.done, self._again = "running", None, False, False
        self._halt.clear()
        self._transport.begin()
        self._began = time.monotonic()

    def _train(self) -> None:
        while True:
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
            if not self._again:
                return
            self._begin()

    def _advance(self) -> None:
        pace = Pace(time.monotonic(), SHARE if self._thread is not None else UNSEEN)
        while self._active and not self._halt.is_set():
            if not self._transport.may_go():
                before = time.monotonic()
                self._pause()
                pace.wait(time.monotonic() - before)
                continue
            name = min(self._active, key=self._share)  # the one that is behind
            with self._gate:
                self._stepping = True
            try:
                if name not in self._runs:
                    self._runs[name] = _records(self._makers[name])
                self.history[name].append(next(self._runs[name]))
            except StopIteration:
                self._active.remove(name)
            finally:
                with self._gate:
                    self._stepping = False
            before = time.monotonic()
            if before > pace.due:
                self._show()
                pace.draw(before, time.monotonic())

    def _pause(self) -> None:
        """Show what there is, once, and wait for Play, Step or Stop."""
        if self._state != "paused":
            self._state = "paused"
            self._show()
        self._transport.wait(self._halt)
        self._state = "stepping" if self._transport.paused else "running"

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
            self._picture.failure = of_training(self._failure)
        note(self.history, self._state == "stopped" and self._picture.comm is not None)
        self._transport.end(self._state, time.monotonic() - self._began)
        if not self._again:
            self._kept.renew(self._picture.page)
        self.done = True

    def _share(self, name: str) -> float:
        """Share of its steps that a run has made."""
        records = self.history[name]
        return records[-1].step / records[-1].steps if records else 0.0

    def _show(self) -> None:
        share = sum(map(self._share, self.history)) / len(self.history)
        self._transport.say(share, time.monotonic() - self._began)
        try:
            with self._lock:
                words = self._draw(self.history) or ""
                text = f"{self._head}\n{words}".strip()
                self._picture.show(text)
        except Exception as problem:
            self._failure = self._failure or problem
            self._halt.set()

    def _fit(self, _: Any = None) -> None:
        """The page has another width or density than before: the same picture for it."""
        with self._lock:
            if self._picture.fit():
                self._picture.show(self._picture.caption)

    @property
    def _head(self) -> str:
        return progress(self._state, self.history, awaited=self._awaited)

    def __repr__(self) -> str:
        return self._head

    def _ipython_display_(self) -> None:
        self._kept.publish(self, self._picture.page)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return output(self, {"text/plain": repr(self), "image/png": self._picture.png})


def _records(records: Any) -> Any:
    return iter(records() if callable(records) else records)


class _Stop(BaseException):
    """Ends a step that takes too long after Stop was pressed."""
