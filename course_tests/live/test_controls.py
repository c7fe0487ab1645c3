"""From (least, most, step) to a slider: what is accepted, what is refused, and the extremes."""

from __future__ import annotations

import ipywidgets
import pytest

from course.live import Control
from course.live.controls import widget


@pytest.mark.parametrize(
    ("what", "kind", "value"),
    [
        ((1, 100), ipywidgets.IntSlider, 50),
        ((0, 100, 5), ipywidgets.IntSlider, 50),
        ((-2.0, 2.0, 0.05), ipywidgets.FloatSlider, 0.0),
        ((0, 1.0), ipywidgets.FloatSlider, 0.5),
        (Control(1, 100, value=30), ipywidgets.IntSlider, 30),
        (Control(1e-4, 1.0, log=True), ipywidgets.FloatLogSlider, 1e-2),
        (Control(1e-4, 1.0, value=1e-4, log=True), ipywidgets.FloatLogSlider, 1e-4),
        (True, ipywidgets.Checkbox, True),
        (["relu", "tanh"], ipywidgets.Dropdown, "relu"),
        ({"one": 1, "two": 2}, ipywidgets.Dropdown, 1),
        (ipywidgets.FloatLogSlider(value=10), ipywidgets.FloatLogSlider, 10),
    ],
)
def test_each_kind_of_control(what: object, kind: type, value: object) -> None:
    made = widget("rate", what)
    assert isinstance(made, kind)
    assert made.value == pytest.approx(value) if isinstance(value, float) else made.value == value
    assert made.description == "rate"
    assert made.tooltip  # the page would show "null"


def test_description_and_tooltip_of_ones_own_are_kept() -> None:
    made = widget("n", Control(1, 9, description="depth n", tooltip="number of layers"))
    assert (made.description, made.tooltip) == ("depth n", "number of layers")
    assert widget("n", ipywidgets.IntSlider(description="depth")).description == "depth"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ((5, 1), "least < most"),
        ((1, 1), "least < most"),
        ((0, 1, 0), "a step > 0"),
        ((0.0, 1.0, -0.1), "a step > 0"),
        ((float("nan"), 1.0), "least < most"),
        ((0.0, float("inf")), "least < most"),
        (Control(1, 9, value=10), r"a first value in \[1, 9\]"),
        (Control(0, 9, log=True), "a least value > 0"),
        ((1,), "least, most"),
        ([], "list of choices"),
        ("relu", "list of choices"),
        (3, "list of choices"),
        (ipywidgets.VBox(), "widget with a value"),
    ],
)
def test_what_is_no_control_is_refused_by_name(what: object, words: str) -> None:
    with pytest.raises(ValueError, match=f"^rate = .*{words}"):
        widget("rate", what)
