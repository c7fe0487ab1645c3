"""Controls of a live figure: from (least, most, step) to a slider with a name and a tooltip."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from course.arguments import reject

ALLOWED = (
    "(least, most), (least, most, step), a list of choices, True or False, a Control, "
    "or an ipywidgets widget with a value"
)


@dataclass(frozen=True)
class Control:
    """A slider in full: ``Control(1, 100, value=30, description="depth n", tooltip="...")``.

    least, most, step: whole numbers give an IntSlider, else a FloatSlider.
    value: where it stands first; the middle if None.
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
        """The slider, named `name` unless it has a description of its own."""
        least, most, step, value = self.least, self.most, self.step, self.value
        if not -math.inf < least < most < math.inf:
            raise reject(name, (least, most), "(least, most), finite, with least < most")
        if step is not None and step <= 0:
            raise reject(name, step, "a step > 0")
        if value is not None and not least <= value <= most:
            raise reject(name, value, f"a first value in [{least}, {most}]")
        common: dict[str, Any] = {"description": self.description or name, "tooltip": self.tooltip}
        if self.log:
            if least <= 0:
                raise reject(name, least, "a least value > 0 for a log slider")
            middle = math.sqrt(least * most) if value is None else value
            return ipywidgets.FloatLogSlider(
                value=middle,
                min=math.log10(least),
                max=math.log10(most),
                step=step or 0.1,
                readout_format=".2g" if least >= 1e-3 else ".1e",  # ".2g" reads 0.0000010
                **common,
            )
        if all(isinstance(number, int) for number in (least, most, step or 1, value or 0)):
            middle = (least + most) // 2 if value is None else value
            return ipywidgets.IntSlider(middle, least, most, step or 1, **common)
        middle = (least + most) / 2 if value is None else value
        return ipywidgets.FloatSlider(
            value=middle, min=least, max=most, step=step or (most - least) / 100, **common
        )


def widget(name: str, what: Any) -> ipywidgets.Widget:
    """The widget for one control of `live`, or ValueError that says what is allowed."""
    if isinstance(what, ipywidgets.Widget) and what.has_trait("value"):
        made = what
        if made.has_trait("description") and not made.description:
            made.description = name
    elif isinstance(what, Control):
        made = what.widget(name)
    elif isinstance(what, tuple) and len(what) in (2, 3) and not isinstance(what[0], str):
        made = Control(*what).widget(name)
    elif isinstance(what, bool):
        made = ipywidgets.Checkbox(what, description=name)
    elif isinstance(what, list | dict) and what:
        made = ipywidgets.Dropdown(options=what, description=name)
    else:
        raise reject(name, what, ALLOWED)
    if made.has_trait("tooltip") and not made.tooltip:
        made.tooltip = made.description  # the page would show "null"
    if made.has_trait("style") and hasattr(made.style, "description_width"):
        made.style.description_width = "130px"
    if isinstance(what, ipywidgets.Widget):
        return made
    made.layout.width = "440px"
    return made


def reachable(made: ipywidgets.Widget) -> ipywidgets.Widget:
    """Let the events of `made` arrive while a cell runs; returns it.

    JupyterLab sends them to a thread of their own (a subshell). ipykernel 7.4 sends them back to
    where the widget was last written to, the cell's thread, unless it doesn't know where that was.
    """
    getattr(made.comm, "__dict__", {}).pop("_reply_subshell_id", None)
    return made


def choice(options: Iterable[Any], value: Any, name: str, tooltip: str) -> ipywidgets.Dropdown:
    """A list to choose one of `options` from, as wide as a slider; it stands at `value` first."""
    return ipywidgets.Dropdown(
        options=list(options), value=value, description=name, tooltip=tooltip,
        layout={"width": "440px"},
    )  # fmt: skip
