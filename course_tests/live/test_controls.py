"""From (least, most, step) to a slider: what is accepted, what is refused, and the extremes."""

from __future__ import annotations

from decimal import Decimal

import ipywidgets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.live import Choice, Slider, Switch
from course.live.controls import reading, widget


@pytest.mark.parametrize(
    ("what", "kind", "value"),
    [
        ((1, 100), ipywidgets.IntSlider, 50),
        ((0, 100, 5), ipywidgets.IntSlider, 50),
        ((-2.0, 2.0, 0.05), ipywidgets.FloatSlider, 0.0),
        ((0, 1.0), ipywidgets.FloatSlider, 0.5),
        (Slider(1, 100, value=30), ipywidgets.IntSlider, 30),
        (Slider(1e-4, 1.0, log=True), ipywidgets.FloatLogSlider, 1e-2),
        (Slider(1e-4, 1.0, value=1e-4, log=True), ipywidgets.FloatLogSlider, 1e-4),
        (True, ipywidgets.Checkbox, True),
        (Switch(True), ipywidgets.Checkbox, True),
        (Choice(("relu", "tanh"), "tanh"), ipywidgets.Dropdown, "tanh"),
        (Choice((8, 16, 32), slider=True), ipywidgets.SelectionSlider, 8),
        (Choice({"ReLU": "relu", "none": None}, "relu"), ipywidgets.Dropdown, "relu"),
        (Choice({"none": None, "ReLU": "relu"}), ipywidgets.Dropdown, None),
        (["relu", "tanh"], ipywidgets.Dropdown, "relu"),
        ({"one": 1, "two": 2}, ipywidgets.Dropdown, 1),
        (ipywidgets.FloatLogSlider(value=10), ipywidgets.FloatLogSlider, 10),
    ],
)
def test_each_kind_of_control(what: object, kind: type, value: object) -> None:
    made = widget("rate", what)
    assert isinstance(made, kind)
    assert made.value == pytest.approx(value) if isinstance(value, float) else made.value == value
    assert made.description == "rate" and getattr(made, "index", 0) is not None
    assert made.tooltip  # the page would show "null"


def test_description_and_tooltip_of_ones_own_are_kept() -> None:
    made = widget("n", Slider(1, 9, description="depth n", tooltip="number of layers"))
    assert (made.description, made.tooltip) == ("depth n", "number of layers")
    made = widget("rate", Choice((0.0001, 1.0), 1.0, "learning rate", "of Adam", slider=True))
    assert (made.description, made.tooltip) == ("learning rate", "of Adam")
    assert made.label == "1" and list(made._options_labels) == ["0.0001", "1"]
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
        (Slider(1, 9, value=10), "a whole number >= 1 and <= 9"),
        (Slider(1, 9, value=2.5), "a whole number >= 1 and <= 9"),
        (Slider(0.0, 9.0, value=9.5), "a finite number >= 0 and <= 9"),
        (Slider(0.0, 9.0, value=float("nan")), "a finite number >= 0 and <= 9"),
        (Slider(0.1, 10.0, value=0.01, log=True), "a finite number >= 0.1 and <= 10"),
        (Choice((1, 2), 3), "one of 1, 2"),
        (Choice(("relu", "tanh"), "sine", slider=True), "one of relu, tanh"),
        (Choice({"ReLU": "relu"}, "ReLU"), "one of relu"),
        (Choice(()), "list of choices"),
        (Switch(1), "True or False"),  # type: ignore[arg-type]
        (Slider(0, 9, log=True), "a least value > 0"),
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


@given(st.sampled_from([0.01, 0.05, 0.1, 0.25]), st.integers(0, 400), st.floats(-1e-9, 1e-9))
def test_a_place_of_a_slider_is_read_without_the_rounding_errors_of_its_steps(
    step: float, k: int, error: float
) -> None:
    slider = widget("weight", Slider(-2.0, 200.0, step))
    place = float(Decimal(str(step)) * k - 2)
    slider.value = -2.0 + sum([step] * k) + error
    assert reading(slider) == place and str(reading(slider)) == str(place)  # no -0.0


@given(st.sampled_from([0.1, 0.25, 1.0]), st.integers(0, 60))
def test_a_place_of_a_logarithmic_slider_has_three_digits(step: float, k: int) -> None:
    slider = widget("rate", Slider(1e-6, 1.0, step, log=True))
    exponent = min(-6 + k * step, 0.0)
    slider.value = 10.0**exponent
    assert reading(slider) == float(f"{10.0**exponent:.3g}")


def test_places_of_a_fine_logarithmic_slider_stay_apart() -> None:
    slider = widget("rate", Slider(1.0, 10.0, 0.001, log=True))
    readings = []
    for k in range(1001):
        slider.value = 10 ** (k / 1000)
        readings.append(reading(slider))
    assert len(set(readings)) == 1001


@pytest.mark.parametrize("log", [False, True])
def test_what_is_set_between_two_places_stays_as_it_is(log: bool) -> None:
    slider = widget("rate", Slider(0.001, 1.0, 0.25, log=log))
    for value in (0.003, 0.03, 0.3, 0.123456):
        slider.value = value
        assert reading(slider) == value


@pytest.mark.parametrize("control", [(1, 9), ["a", "b"], True, Choice((8, 16), 16, slider=True)])
def test_other_controls_are_read_as_they_are(control: object) -> None:
    made = widget("rate", control)
    assert reading(made) is made.value
