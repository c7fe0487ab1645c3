"""Explorers that are computed and drawn in the page, by a lesson's own module of JavaScript.

    in_browser(Path(__file__).with_name("explorer.js"), still, depth=Slider(1, 100), ...)

What a slider moves is on the screen in the next frame: no message, no kernel. The same module runs
on the site, where there is no kernel at all. Python has the values of the controls, in step with
the page, and draws a still picture with its words, for where nothing runs: on GitHub, in print.
Words and numbers exist twice, in Python and in JavaScript; the tests compare them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course import arguments
from course.live.caption import Caption
from course.live.cells import claim, discard
from course.live.controls import reachable, reading, widget
from course.live.encoding import png
from course.live.link import Link, figure_name
from course.live.modules import bundle
from course.live.picture import output
from course.live.slices import later
from course.live.stored import LONG_REST, Kept, picture
from course.plots import arrange

HERE = Path(__file__).parent
STYLE = "".join((HERE / name).read_text("utf-8") for name in ("picture.css", "js/exact.css"))
EXPLORER = "application/vnd.course.explorer+json"
"""The type of an output that says which explorer it is: the site brings it to life."""

SLIDERS = ipywidgets.IntSlider, ipywidgets.FloatSlider, ipywidgets.FloatLogSlider
Still = Callable[..., tuple[Figure, Caption]]


def in_browser(
    module: Path, still: Still, /, *, seed: int | None = None, **controls: Any
) -> BrowserPanel:
    """An explorer that the lesson's `module` computes and draws in the page.

    module: a file whose default export is made by `explorer` of js/panel.js. It gets the values of
        the controls by their names.
    still: ``still(name=value, ...)`` gives the same picture as a figure, and its words.
    seed: a whole number adds a "New draw" button, and a value of this name, one more at each press.
    controls: as in `live`, sliders and lists. Raises ValueError as `live` does.
    """
    return BrowserPanel(module, still, controls, seed)


class Page(anywidget.AnyWidget):
    """The explorer in the page. values: those of the controls now; first: those of Reset."""

    _css = STYLE

    controls: Any = traitlets.List().tag(sync=True)
    first: Any = traitlets.Dict().tag(sync=True)
    values: Any = traitlets.Dict().tag(sync=True)


class BrowserPanel(ipywidgets.VBox):
    """Controls, picture and words, all in the page. Make one with `in_browser`.

    controls: widgets by name, which are not shown: ``panel.controls["depth"].value = 3`` moves the
        slider in the page, and `observe` hears of what the page does.
    """

    def __init__(
        self, module: Path, still: Still, controls: dict[str, Any], seed: int | None
    ) -> None:
        self._module, self._still = module, still
        self._made: tuple[Any, Any] = None, None  # values, and what stands still for them
        self._kept, self._moves = Kept(), 0
        self._moving = False
        self.controls = {name: widget(name, control) for name, control in controls.items()}
        self._first = {name: control.value for name, control in self.controls.items()}
        self._seed = self._first_seed = None if seed is None else arguments.whole("seed", seed)
        self._page = Page(
            _esm=bundle(module), first=self.values, values=self.values,
            controls=[_described(name, control) for name, control in self.controls.items()],
        )  # fmt: skip
        link = []
        if name := figure_name():
            link = [reachable(Link(name, lambda: self.values, explorer_name(module)))]
        super().__init__([self._page, *link])
        self.add_class("course-live")
        for control in self.controls.values():
            control.observe(self._tell, "value")
        reachable(self._page).observe(self._hear, "values")
        claim(self)

    @property
    def values(self) -> dict[str, Any]:
        """The controls' values by name, and the seed if there is one."""
        values = {name: reading(control) for name, control in self.controls.items()}
        return values if self._seed is None else {**values, "seed": self._seed}

    @property
    def caption(self) -> Caption:
        """Words, badge and rows, as Python has them for the values now."""
        return self._drawn().caption

    @property
    def text(self) -> str:
        """What is said below the picture."""
        return self.caption.text

    @property
    def png(self) -> bytes:
        """The picture as it is kept where nothing runs."""
        return self._drawn().png

    def new_draw(self) -> None:
        """The next seed, as the button does."""
        if self._seed is None:
            raise ValueError("this figure has no random draw")
        self._seed += 1
        self._tell()

    def reset(self) -> None:
        """Every control back to its first value, as the button does."""
        self._seed = self._first_seed
        self._move(self._first)

    def close(self) -> None:
        """Take the explorer off the page; a cell that runs again does so with what it made."""
        if self.comm is None:
            return
        for part in (*self.controls.values(), *self.children):
            discard(part)
        self.children: Any = ()
        self.layout.close()
        super().close()

    def _move(self, values: dict[str, Any]) -> None:
        """Move controls together: the page hears of it once."""
        self._moving = True
        try:
            for name, value in values.items():
                if reading(self.controls[name]) != value:
                    self.controls[name].value = value
        finally:
            self._moving = False
        self._tell()

    def _tell(self, _: Any = None) -> None:
        """Python has moved a control: the page follows."""
        if not self._moving:
            self._page.values = self.values
            reachable(self._page)

    def _hear(self, change: Any) -> None:
        """The page has moved a control: Python follows."""
        values = dict(change["new"])
        self._seed = values.pop("seed", self._seed)
        self._move(values)
        self._moves += 1
        later(LONG_REST, self._keep, self._moves)

    def _keep(self, moves: int) -> None:
        """After the last of several moves, have a saved notebook show what it led to."""
        if moves == self._moves and self.comm is not None:
            self._kept.renew(self._drawn().page)

    def _drawn(self) -> _StillPicture:
        """The still picture and its words, made once for the same values."""
        values = self.values
        if values != self._made[0]:
            self._made = values, _StillPicture(*self._still(**values))
        return self._made[1]

    def __repr__(self) -> str:
        return self.text

    def _ipython_display_(self) -> None:
        self._kept.publish(self, self._drawn().page)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        lesson, controls = explorer_name(self._module), self._page.controls
        explorer = {"lesson": lesson, "controls": controls, "values": self.values}
        return output(self, {"text/plain": self.text, "image/png": self.png, EXPLORER: explorer})


class _StillPicture:
    """What an explorer shows where nothing runs; its PNG bytes are made when they are asked for."""

    def __init__(self, figure: Figure, caption: Caption) -> None:
        self.figure, self.caption = figure, caption

    @cached_property
    def png(self) -> bytes:
        with arrange.turn:
            canvas = FigureCanvasAgg(self.figure)
            canvas.draw()
            return png(np.asarray(canvas.buffer_rgba()))

    @property
    def page(self) -> str:
        """HTML of the picture and its words."""
        return picture(self.png, self.caption.text, int(self.figure.bbox.width + 1e-6))


def explorer_name(module: Path) -> str:
    """What a module is called on a page: its lesson, then what follows "explorer" in its name."""
    return module.parent.name + module.stem.removeprefix("explorer")


def _described(name: str, control: ipywidgets.Widget) -> dict[str, Any]:
    """What the page has to know of a slider or list."""
    words = {"name": name, "description": control.description, "tooltip": control.tooltip}
    if isinstance(control, ipywidgets.Dropdown):
        return {**words, "kind": "choice", "options": [list(pair) for pair in control.options]}
    if not isinstance(control, SLIDERS):
        raise arguments.reject(name, control, "a slider of numbers or a list of choices")
    ends = {"least": control.min, "most": control.max, "step": control.step}
    return {**words, **ends, "kind": "slider", "log": hasattr(control, "base")}
