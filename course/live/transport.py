"""Buttons of a run (Pause, Step, Stop, Restart), its bar and time; knobs to turn meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets

from course.live.controls import button, reachable, reading, widget

AWAITED = " A cell waits for it: press Play to go on, or Stop to work with what there is."
COLOURS = {"finished": "success", "stopped": "warning", "failed": "danger"}


class Knob:
    """A control that acts on a training under way: ``Knob("rate", Slider(0.1, 10.0, log=True))``.

    Read `value` at each step, for instance in a schedule:
    ``training.Schedule("by hand", lambda done: knob.value)`` as the schedule of the rate or as
    `clip`, ``training.ByHand(lambda: knob.value)`` as the skips of a VAN.
    """

    def __init__(self, name: str, control: Any) -> None:
        self.widget = reachable(widget(name, control))

    @property
    def value(self) -> Any:
        """What the control says now."""
        return reading(self.widget)


def from_start(network: Any, train: Callable[[Any], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
    """A run ``train(network)`` for `live_run` that can be restarted.

    Each start gives the network, a `torch.nn.Module`, back the weights that it has now.
    """
    first = {name: value.clone() for name, value in network.state_dict().items()}

    def begin() -> Iterator[Any]:
        network.load_state_dict(first)
        return train(network)

    return begin


class Transport(ipywidgets.HBox):
    """Bar, buttons and a note. restart: None where a run cannot begin anew."""

    def __init__(self, stop: Callable[[], None], restart: Callable[[], None] | None) -> None:
        self.paused = False
        self._steps = 0  # that may be made while paused
        self._wake = threading.Event()
        self._bar = ipywidgets.FloatProgress(min=0, max=1, layout={"width": "220px"})
        self._note = ipywidgets.Label("")
        wide = {"width": "76px"}
        self._pause = button("Pause", "Hold the training, or go on", self.toggle, **wide)
        self._step = button("Step", "One step of one run, then wait", self.step, **wide)
        self._stop = button("Stop", "End this training run; its results stay", stop, **wide)
        buttons = [self._pause, self._step, self._stop]
        if restart is not None:
            tip = "Begin anew; earlier tries stay as pale curves"
            buttons.append(button("Restart", tip, restart, **wide))
        super().__init__([self._bar, *buttons, self._note])
        self.add_class("course-transport")

    def toggle(self) -> None:
        """Pause, or play on."""
        self.paused = not self.paused
        self._pause.description = "Play" if self.paused else "Pause"
        self.wake()

    def step(self) -> None:
        """Let one step be made, and hold the run."""
        if not self.paused:
            self.toggle()
        self._steps += 1
        self.wake()

    def wake(self) -> None:
        """End a `wait`."""
        self._wake.set()

    def may_go(self) -> bool:
        """Whether a step may be made now; it counts as made."""
        if self.paused and not self._steps:
            return False
        self._steps = max(self._steps - 1, 0)
        return True

    def wait(self, halt: threading.Event) -> None:
        """Wait until a step may be made, or the run is to end."""
        while self.paused and not self._steps and not halt.is_set():
            self._wake.wait(0.2)
            self._wake.clear()

    def say(self, share: float, seconds: float) -> None:
        """Show how much is done, after so many seconds."""
        left = f"{seconds * (1 - share) / share:.0f} s left" if share > 0 else "starting"
        self._bar.value, self._note.value = share, f"{share:.0%}, {left}"

    def begin(self) -> None:
        """Make the buttons ready for a run."""
        self.paused, self._steps = False, 0
        self._pause.description, self._bar.bar_style = "Pause", ""
        for each in (self._pause, self._step, self._stop):
            each.disabled = False

    def end(self, state: str, seconds: float) -> None:
        """Show how the run has ended."""
        self._note.value = f"{state} after {seconds:.0f} s"
        for each in (self._pause, self._step, self._stop):
            each.disabled = True
        self._bar.bar_style = COLOURS[state]


def progress(state: str, history: Mapping[str, Sequence[Any]], *, awaited: bool = False) -> str:
    """How far the runs are, in words: "Training stopped: 120 of 300 steps.".

    awaited: whether a cell waits for their end; it says so of runs that are paused.
    """
    reached: dict[int, list[int]] = {}  # by the number of all steps
    for records in filter(None, history.values()):
        reached.setdefault(records[-1].steps, []).append(records[-1].step)
    parts = []
    for steps, at in reached.items():
        least, most = f"{min(at):,}", f"{max(at):,}"
        parts.append(f"{least if least == most else f'{least} to {most}'} of {steps:,}")
    waits = AWAITED if awaited and state == "paused" else ""
    return f"Training {state}: {', '.join(parts) or 'no'} steps.{waits}"
