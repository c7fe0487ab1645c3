"""Controls of a live figure: from (least, most, step) to a slider with a name and a tooltip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets

from course.arguments import one_of, real, reject, whole

ALLOWED = (
    "(least, most), (least, most, step), a list of choices, True or False, a Slider, a Choice, "
    "a Switch, or an ipywidgets widget with a value"
)
WIDTH, NAME_WIDTH = "auto", "112px"
PLACES = (ipywidgets.IntSlider, ipywidgets.FloatSlider, ipywidgets.FloatLogSlider)


@dataclass(frozen=True)
class Slider:
    """A slider in full: ``Slider(1, 100, value=30, description="depth n", tooltip="...")``.

    least, most, step: whole numbers give an IntSlider, else a FloatSlider.
    value: where it stands first, from least to most; the middle if None.
    log: evenly spaced in the logarithm; least and most are then the values (above 0), and step is
        in powers of ten.
    """

    least: float
    most: float
    step: float | None = None
    value: float | None = None
    description: str = ""
    tooltip: str = ""
    log: bool = False

    def widget(self, name: str) -> ipywidgets.Widget:
        """The slider; ValueError, with `name` in it, for a range or first value without sense."""
        least, most, step, value = self.least, self.most, self.step, self.value
        if not -math.inf < least < most < math.inf:
            raise reject(name, (least, most), "(least, most), finite, with least < most")
        if step is not None and step <= 0:
            raise reject(name, step, "a step > 0")
        words = {"description": self.description, "tooltip": self.tooltip}
        if all(isinstance(number, int) for number in (least, most, step or 1)) and not self.log:
            low, high = int(least), int(most)
            value = (low + high) // 2 if value is None else value
            value = whole(name, value, least=low, most=high)
            return ipywidgets.IntSlider(value, low, high, step or 1, **words)
        if self.log and least <= 0:
            raise reject(name, least, "a least value > 0 for a log slider")
        if value is None:
            value = math.sqrt(least * most) if self.log else (least + most) / 2
        value = real(name, value, least=least, most=most)
        if not self.log:
            step = step or (most - least) / 100
            return ipywidgets.FloatSlider(value, min=least, max=most, step=step, **words)
        slider = ipywidgets.FloatLogSlider(
            value=value,
            min=math.log10(least),
            max=math.log10(most),
            step=step or 0.1,
            readout_format=".2g" if least >= 1e-3 else ".1e",  # ".2g" reads 0.0000010
            **words,
        )
        return slider.add_class("course-log")  # the page writes 0.01 for 1.0e-2


@dataclass(frozen=True)
class Choice:
    """One of some values: ``Choice(("relu", "tanh"), "tanh", "activation", "what units apply")``.

    options: the values, or the values by the words to be read in their place.
    value: the first one chosen; that of the first option if None.
    slider: the options stand along a slider, in their order, and not in a list that opens.
    """

    options: Iterable[Any] | Mapping[str, Any]
    value: Any = None
    description: str = ""
    tooltip: str = ""
    slider: bool = False

    def widget(self, name: str) -> ipywidgets.Widget:
        """The list or slider; ValueError, with `name` in it, for a value that is no option."""
        pairs = self.options.items() if isinstance(self.options, Mapping) else (
            (f"{option:g}" if isinstance(option, float) else str(option), option)
            for option in self.options
        )  # fmt: skip
        options = list(pairs)
        if not options:
            raise reject(name, self.options, ALLOWED)
        values = [value for _, value in options]
        value = values[0] if self.value is None else one_of(name, self.value, values)
        kind = ipywidgets.SelectionSlider if self.slider else ipywidgets.Dropdown
        words = {"description": self.description, "tooltip": self.tooltip}
        return kind(options=options, index=values.index(value), **words)  # of None it shows nothing


@dataclass(frozen=True)
class Switch:
    """A box to tick: ``Switch(False, "clip the gradient", "to norm 1")``."""

    value: bool = False
    description: str = ""
    tooltip: str = ""

    def widget(self, name: str) -> ipywidgets.Widget:
        """The box; ValueError, with `name` in it, where the value is neither True nor False."""
        if not isinstance(self.value, bool):
            raise reject(name, self.value, "True or False")
        words = {"description": self.description, "tooltip": self.tooltip}
        return ipywidgets.Checkbox(self.value, indent=False, **words)


def widget(name: str, control: Any) -> ipywidgets.Widget:
    """The widget for one control of `live`, named `name` where it has no description of its own.

    Raises ValueError that says what is allowed.
    """
    if isinstance(control, tuple) and len(control) in (2, 3) and not isinstance(control[0], str):
        control = Slider(*control)
    elif isinstance(control, bool):
        control = Switch(control)
    elif isinstance(control, list | dict):
        control = Choice(control)
    if isinstance(control, Slider | Choice | Switch):
        control = control.widget(name)
        control.layout.width = WIDTH
    elif not (isinstance(control, ipywidgets.Widget) and control.has_trait("value")):
        raise reject(name, control, ALLOWED)
    if control.has_trait("description") and not control.description:
        control.description = name
    if control.has_trait("tooltip") and not control.tooltip:
        control.tooltip = control.description  # the page would show "null"
    if control.has_trait("style") and hasattr(control.style, "description_width"):
        control.style.description_width = NAME_WIDTH
    return control


def reading(control: ipywidgets.Widget) -> Any:
    """The value of a widget; that of a slider without the rounding errors of its steps.

    Near a place of the slider it is the number that one reads there: 1 and not 1.0000000000000009.
    On a logarithmic one the places have their first three digits: 10^-2.5 is 0.00316. What was
    typed or set between two places stays as it is.
    """
    if not isinstance(control, ipywidgets.FloatSlider | ipywidgets.FloatLogSlider):
        return control.value
    steps = _steps(control)
    return _place(control, round(steps)) if abs(steps - round(steps)) < 1e-6 else control.value


def beside(control: ipywidgets.Widget) -> list[Any]:
    """What `reading` gives one step further, and one back; the other options of a list in turn.

    Nothing at a slider's ends, nor of other widgets.
    """
    if isinstance(control, ipywidgets.Checkbox):
        return [not control.value]
    if isinstance(control, ipywidgets.Dropdown):
        options, now = control._options_values, control.index
        return [*options[now + 1 :], *options[:now]]
    if isinstance(control, ipywidgets.SelectionSlider):
        options, now = control._options_values, control.index
        return [options[k] for k in (now + 1, now - 1) if 0 <= k < len(options)]
    if isinstance(control, PLACES):
        now, last = round(_steps(control)), (control.max - control.min) / control.step + 1e-6
        return [_place(control, k) for k in (now + 1, now - 1) if 0 <= k <= last]
    return []


def _steps(slider: ipywidgets.Widget) -> float:
    """How many steps from its least place it stands."""
    log = isinstance(slider, ipywidgets.FloatLogSlider)
    where = math.log(slider.value, slider.base) if log else slider.value
    return float((where - slider.min) / slider.step)


def _place(slider: ipywidgets.Widget, k: int) -> Any:
    """The number that one reads k steps from its least place."""
    where = slider.min + k * slider.step
    if isinstance(slider, ipywidgets.IntSlider):
        return where
    finest = math.floor(math.log10(slider.step))
    if isinstance(slider, ipywidgets.FloatLogSlider):
        return float(f"{slider.base**where:.{max(3, 2 - finest)}g}")  # places stay apart
    return round(where, 9 - finest) + 0.0  # -0.0 is 0


def reachable(control: ipywidgets.Widget) -> ipywidgets.Widget:
    """`control`, whose events from now on arrive while a cell runs.

    JupyterLab sends them to a thread of their own (a subshell). ipykernel 7.4 sends them back to
    where the widget was last written to, the cell's thread, unless it doesn't know where that was.
    """
    getattr(control.comm, "__dict__", {}).pop("_reply_subshell_id", None)
    return control


def button(label: str, tooltip: str, press: Callable[[], None], **layout: Any) -> ipywidgets.Button:
    """A button that calls `press`, also while a cell runs."""
    made = ipywidgets.Button(description=label, tooltip=tooltip, layout=layout)
    reachable(made).on_click(lambda _: press())
    return made
