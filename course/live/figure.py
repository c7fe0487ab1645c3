"""Make any matplotlib figure live in two lines: a function that changes it, and a call.

    def draw(depth, weight):                       # change the artists, say the same in words
        line.set_ydata(weight ** layers)
        return f"At layer {depth} the activation is {weight ** depth:.2g}."

    live.live(fig, draw, depth=(1, 100), weight=(-2.0, 2.0, 0.05))

`draw` gets the controls' values by name whenever one changes. What it returns, a string or a
`Caption`, is shown below the picture, read aloud, and is the picture's alternative text. The figure
is drawn once; later only what moves is drawn again, unless limits, ticks, labels or the size have
changed. It is as wide as the page and as sharp as the screen. Slider positions passed over while a
drawing is under way are skipped: the newest always wins. Nothing of pyplot is involved, and where
there is no kernel the last picture stands in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from course import arguments
from course.live.ahead import Ahead
from course.live.canvas import Canvas
from course.live.caption import Caption, said
from course.live.cells import calm, claim, discard
from course.live.controls import button, reachable, reading, widget
from course.live.failures import explain, interruptible
from course.live.link import Link, figure_name
from course.live.pace import PERIOD
from course.live.picture import Picture, output
from course.live.pyplot import no_pyplot
from course.live.scales import put_back
from course.live.slices import SENT, Slices, later
from course.live.stored import LONG_REST, Kept

QUIET = 0.002  # seconds of silence after an event before the figure is drawn
PATIENCE = 0.050  # seconds after which it is drawn although events keep coming
REST, LONGER = 0.1, 1.0  # seconds without a drawing: the next one is prepared; others as well
PAUSE = 0.002  # seconds between two slices of it


def live(
    fig: Figure,
    draw: Callable[..., Caption | str | None],
    /,
    *,
    title: str = "",
    reset: bool = True,
    seed: int | None = None,
    summary: str = "",
    ahead: Callable[..., Any] | None = None,
    **controls: Any,
) -> LivePanel:
    """Show `fig` with controls that call ``draw(name=value, ...)``; see the head of this module.

    controls: a tuple (least, most[, step]), a list of choices, True or False; a `Slider`, `Choice`
        or `Switch`, which say more; or any ipywidgets widget with a value. `draw` gets a slider's
        value without the rounding errors of its steps: 1, not 1.0000000000000009.
    seed: a whole number adds a "New draw" button: `draw` gets ``seed=`` as well, one more at each
        press, and the random draw stays fixed between presses.
    reset: whether there is a Reset button, which brings back the first values (and seed).
    summary: what a stored notebook holds as text in the place of what `draw` says, for figures of
        trained networks: their numbers differ from machine to machine.
    ahead: a function of some of these that keeps what it returns, and that `draw` asks: while
        nothing happens it is called for what is one step away; see `course.live.ahead`.

    Raises ValueError for a control that is none of these or whose first value is outside its range;
    whatever the first `draw` raises.
    """
    return LivePanel(fig, draw, controls, title, reset, seed, summary, ahead)


class LivePanel(ipywidgets.VBox):
    """Controls, the picture, and the text below it. Make one with `live`.

    controls: the widgets by name; set ``panel.controls["depth"].value = 3`` from code as well.
    """

    _closed = True  # until it is made

    def __init__(
        self,
        fig: Figure,
        draw: Callable[..., Caption | str | None],
        controls: dict[str, Any],
        title: str,
        reset: bool,
        seed: int | None,
        summary: str,
        ahead: Callable[..., Any] | None,
    ) -> None:
        self._given = frozenset(w for w in controls.values() if isinstance(w, ipywidgets.Widget))
        self.controls = {name: widget(name, value) for name, value in controls.items()}
        self._draw, self._summary = draw, summary
        self._ahead = Ahead(ahead, self.controls)
        self._seed = self._first_seed = None if seed is None else arguments.whole("seed", seed)
        self._first = {name: control.value for name, control in self.controls.items()}
        # JupyterLab hands events to a thread of their own (a subshell), so that a figure is live
        # while a cell runs; the cell may ask for the text at the same time.
        self._lock = threading.RLock()
        self._dirty, self._quiet, self._deadline = False, 0.0, 0.0
        calm()
        self._picture = Picture(Canvas(fig))
        self._words, self._kept = Caption(""), Kept()
        self._work: Slices[Any] | None = None
        self._redraw()
        self._limits = [(ax, ax.get_xlim(), ax.get_ylim()) for ax in fig.axes]
        buttons: list[ipywidgets.DOMWidget] = []
        if seed is not None:
            buttons.append(button("New draw", "Draw new random numbers", self.new_draw))
        if reset:
            buttons.append(button("Reset", "Bring back the first values", self.reset))
        if name := figure_name():
            buttons.append(reachable(Link(name, lambda: self.values)))
        row = [ipywidgets.HBox(buttons).add_class("course-buttons")] if buttons else []
        box = ipywidgets.Box([*self.controls.values(), *row]).add_class("course-controls")
        head = [ipywidgets.Label(title).add_class("course-title")] if title else []
        super().__init__([*head, box, self._picture])
        self.add_class("course-live")
        for control in self.controls.values():
            reachable(control).observe(self._changed, "value")
        self._picture.observe(self._fit, ["room", "ratio"])
        self._closed = False
        claim(self)

    @property
    def values(self) -> dict[str, Any]:
        """What `draw` gets: the controls' values by name, and the seed if there is one."""
        values = {name: reading(control) for name, control in self.controls.items()}
        return values if self._seed is None else {**values, "seed": self._seed}

    @property
    def picture(self) -> Picture:
        """The picture in the page, as it was drawn last."""
        return self._picture

    @property
    def text(self) -> str:
        """What is said below the picture, up to date with the controls."""
        self.refresh()
        return self._picture.failure or self._picture.caption

    @property
    def png(self) -> bytes:
        """The picture as a page of any width has it, up to date with the controls."""
        self.refresh()
        with self._lock:
            png = self._picture.png
            if not self._closed and self._picture.canvas.fit(0, 1.0):
                png = self._picture.canvas.render()
                self._picture.fit()
            return png

    def new_draw(self) -> None:
        """The next seed, as the button does."""
        if self._seed is None:
            raise ValueError("this figure has no random draw: make it with live(..., seed=0)")
        self._seed += 1
        self._changed()

    def reset(self) -> None:
        """Every control back to its first value, and every axis to its first limits.

        Some axes hold their limits while a slider moves, as long as they are about right.
        """
        with self._lock:
            if self._closed:
                return
            self._seed = self._first_seed
            for name, control in self.controls.items():
                control.value = self._first[name]
            for ax, *limits in self._limits:  # now: where nothing is put off, each value was drawn
                put_back(ax, *limits)
            self._changed()

    def refresh(self) -> None:
        """Draw now if a control has changed since the last drawing."""
        with self._lock:
            if not self._dirty or self._closed:
                return
            self._dirty = False  # before the values are read: one that comes later counts
            self._attempt(self._redraw)

    def close(self) -> None:
        """Take the figure off the page and let go of it; widgets that were given stay as they are.

        A cell that runs again closes the figures that it made before.
        """
        if self._closed:
            return
        with self._lock:
            self._closed, self._dirty, self._work = True, False, None
            for control in self._given:
                control.unobserve(self._changed, "value")
            for child in self.children:
                discard(child, self._given)
            self._picture.png = b""
            del self._picture.canvas, self._draw, self._limits, self._ahead
            self.children: Any = ()
            self.layout.close()
            super().close()

    def _attempt(self, action: Callable[[], None]) -> bool:
        try:
            with interruptible():
                action()
        except (Exception, KeyboardInterrupt) as problem:
            self._work, self._picture.failure = None, explain(problem, self._draw)
            return False
        return True

    def _redraw(self) -> None:
        words = self._ask()
        if words.work is not None and words.work.hurry():
            words = self._ask()
        self._picture.show(words)
        self._drawn, self._words, self._work = time.monotonic(), words, words.work
        later(PAUSE if self._work and self._work.items else SENT, self._go_on, self._work)
        self._ahead.begin(self.values)
        for rest in (REST, LONGER):
            later(rest, self._prepare, rest)
        later(LONG_REST, self._keep)

    def _ask(self) -> Caption:
        """Let `draw` change the figure; what it says of it."""
        values = self.values
        with no_pyplot():
            return said(self._draw(**values), values)

    def _go_on(self, work: Slices[Any] | None) -> None:
        """A slice of the work that the last drawing left, and a drawing now and then."""
        with self._lock:
            if work is None or work is not self._work or work.done or self._closed or self._dirty:
                return
            if not self._attempt(work.advance):
                return
            if work.done or time.monotonic() - self._drawn >= PERIOD:
                self._dirty = True
                self.refresh()
            else:
                later(PAUSE, self._go_on, work)

    def _rested(self, seconds: float) -> bool:
        """Whether the last drawing is so long ago, and no other is due."""
        return time.monotonic() - self._drawn >= 0.9 * seconds and not (self._closed or self._dirty)

    def _prepare(self, rest: float) -> None:
        """After the last of several drawings, make the next one quick, a little at a time."""
        with self._lock:
            idle = self._work is None or self._work.done
            if self._rested(rest) and (
                self._picture.canvas.prepare() or (idle and self._ahead.go_on(far=rest > REST))
            ):
                later(PAUSE, self._prepare, rest)

    def _keep(self) -> None:
        """After the last of several drawings, have a saved notebook show it."""
        with self._lock:
            if self._rested(LONG_REST):
                self._kept.renew(self._picture.page)

    def _fit(self, _: Any = None) -> None:
        """The page has another width or density than before: the same picture for it."""
        with self._lock:
            if not self._closed and self._picture.fit():
                failure = self._picture.failure
                self._picture.show(self._words)
                self._picture.failure = failure

    def _changed(self, change: Any = None) -> None:
        # Every event asks for a drawing QUIET seconds later, after a rest at once; only one that
        # finds silence then, or patience at its end, is done. No state is left that could stick.
        now, rested = time.monotonic(), self._rested(PATIENCE)
        self._ahead.moved(change and change.owner)
        if not self._dirty:
            self._dirty, self._deadline = True, now + PATIENCE
        self._quiet = now + (0.0 if rested else QUIET)
        if not later(self._quiet - now, self._refresh_if_due):
            self.refresh()

    def _refresh_if_due(self) -> None:
        if time.monotonic() >= min(self._quiet - QUIET / 10, self._deadline):
            self.refresh()

    def __repr__(self) -> str:
        return self._summary or self.text

    def _ipython_display_(self) -> None:
        self.refresh()
        self._kept.publish(self, self._picture.page)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        self.refresh()
        return output(self, {"text/plain": repr(self), "image/png": self._picture.png})
