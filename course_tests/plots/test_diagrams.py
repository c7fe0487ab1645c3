"""Drawings: nothing crowded, light and dark, words that say what is drawn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from course.networks import activations
from course.plots import examples, style
from course.plots.diagrams import blocks, chain, matrices, norms, units

GAUSSIAN = np.random.default_rng(0).normal(size=(8, 8))
TURN = np.array([[0.6, 0.8], [-0.8, 0.6]])
IMAGES = np.random.default_rng(0).random((12, 8, 8))
LABELS = np.arange(12) % 3

DRAWINGS: dict[str, Callable[[], tuple[Figure, str]]] = {
    "scalar chain": chain.scalar,
    "shortest chain": lambda: chain.scalar(2),
    "longest chain": lambda: chain.scalar(6),
    "recurrent": chain.recurrent,
    "network": chain.network,
    "wide network": lambda: chain.network((64, 50, 50, 10), ("digits", "one", "two", "answer")),
    "layer": chain.layer,
    "small layer": lambda: chain.layer(1, 1),
    "large layer": lambda: chain.layer(5, 4),
    "forward and backward": chain.forward_backward,
    "short forward and backward": lambda: chain.forward_backward(2),
    "curves": units.curves,
    "one curve": lambda: units.curves("gelu"),
    "positions": lambda: units.positions("tanh", 3 * GAUSSIAN),
    "blocks": blocks.block,
    "two blocks": lambda: blocks.block("plain", "residual"),
    "phasing out": blocks.phasing_out,
    "circle": lambda: matrices.circle([[2, 1], [0, 0.5]]),
    "circles": lambda: matrices.circles({"fold": [[1, 2], [1, 2]], "turn": TURN}),
    "starts": lambda: matrices.starts({"Gaussian": GAUSSIAN, "zero": np.zeros((8, 8))}),
    "fold": matrices.fold,
    "clouds": lambda: matrices.clouds({"first": GAUSSIAN[:, :2], "then": GAUSSIAN[:, 2:4]}),
    "norms": norms.averages,
    "gallery": lambda: examples.gallery(IMAGES, LABELS),
    "neighbours": lambda: examples.neighbours(
        IMAGES, LABELS, 0, {"plain": {0: [3, 6], 20: [1, 2]}, "skips": {0: [3, 6], 20: [3, 1]}}
    ),
    "confusion": lambda: examples.confusion(LABELS, np.zeros(12), 3),
    "confused": lambda: examples.confused(IMAGES, LABELS, np.zeros(12)),
    "unit": lambda: examples.unit(IMAGES, np.linspace(-2, 1, 12)),
}
each = pytest.mark.parametrize("name", DRAWINGS)


@cache
def light(name: str) -> tuple[Figure, str]:
    """A drawing for a light page, drawn once for all tests."""
    return DRAWINGS[name]()


def texts(fig: Figure) -> list[Text]:
    """All texts that are seen; those of ticks that fall outside the axes are not."""
    axes = [ax for ax in fig.findobj() if hasattr(ax, "get_xticklabels") and ax.get_visible()]
    ticks = {id(text) for ax in axes for text in (*ax.get_xticklabels(), *ax.get_yticklabels())}
    shown = [t for t in fig.findobj(Text) if t.get_text().strip() and t.get_visible()]
    return [text for text in shown if id(text) not in ticks]


@each
def test_no_text_is_cut_off_or_lies_on_another(name: str) -> None:
    fig, _ = light(name)
    fig.draw_without_rendering()
    boxes = {text: text.get_window_extent().padded(-1) for text in texts(fig)}
    width, height = fig.bbox.size
    for text, box in boxes.items():
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert inside, f"cut off: {text.get_text()!r}"
    for one, other in combinations(boxes, 2):
        shared = boxes[one].overlaps(boxes[other])
        assert not shared, f"{one.get_text()!r} lies on {other.get_text()!r}"


def luminance(color: object) -> float:
    """The relative luminance of WCAG 2: 0 black, 1 white."""
    parts = np.array(to_rgb(color))  # type: ignore[arg-type]
    return float(
        np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        @ (0.2126, 0.7152, 0.0722)
    )


@each
@pytest.mark.parametrize("page", [contextlib.nullcontext, style.dark], ids=["light", "dark"])
def test_texts_stand_out_from_the_page(name: str, page: Callable[..., object]) -> None:
    """By 4.5 to 1 as WCAG asks; counts in a table stand on their own cells."""
    with page():  # type: ignore[attr-defined]
        fig, _ = DRAWINGS[name]() if page is style.dark else light(name)
        background = luminance(fig.get_facecolor())
        assert (background < 0.1) == (page is style.dark)
        for text in [] if name == "confusion" else texts(fig):
            pair = sorted((luminance(text.get_color()), background))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, text.get_text()


@pytest.mark.parametrize("page", [contextlib.nullcontext, style.dark], ids=["light", "dark"])
def test_no_line_has_the_colour_of_the_page(page: Callable[[], Any]) -> None:
    with page():
        paper = np.array(to_rgb(style.paper()))
        for k in range(len(style.PALETTE)):
            assert np.abs(to_rgb(style.line(k)["color"]) - paper).max() > 0.3


def test_the_dark_page_is_left_behind() -> None:
    with style.dark():
        assert style.paper() != "#ffffff" and style.ink() != "#000000"
    assert style.paper() == "#ffffff" and style.ink() == "#000000"
    assert style.tint(style.GREY, 0.26).upper() == style.LIGHT
    assert style.tint("#123456", 1) == "#123456" and style.tint("#123456", 0) == "#ffffff"


@each
def test_each_drawing_has_words(name: str) -> None:
    _, words = light(name)
    assert len(words.split()) >= 8 and words == words.strip() and "nan" not in words


@given(st.floats(-30, 30), st.sampled_from(sorted(units.CURVES)))
def test_curves_are_the_activations_of_the_networks(z: float, name: str) -> None:
    point = torch.tensor([z], dtype=torch.float64)
    curve = units.CURVES[name]
    assert curve.value(point.numpy()) == pytest.approx(
        activations.activation(name)(point).numpy(), rel=1e-6, abs=1e-12
    )
    if z not in activations.KINKS.get(name, ()):
        slope = activations.derivative(name, point).numpy()
        assert curve.slope(point.numpy()) == pytest.approx(slope, rel=1e-6, abs=1e-12)


def test_every_activation_but_the_identity_has_a_curve() -> None:
    assert {*units.CURVES, "identity"} == set(activations.ACTIVATIONS)


def test_positions_count_what_sits_where_the_slope_is_small() -> None:
    _, words = units.positions("relu", [-1.0, -2.0, -3.0, 4.0, np.nan, np.inf])
    assert "75 % sit where the slope" in words and "2 are not finite" in words
    with pytest.raises(ValueError, match="finite"):
        units.positions("relu", [np.nan])
    with pytest.raises(ValueError, match="one of"):
        units.positions("swish", [1.0])


def test_flat_sides_are_named() -> None:
    _, words = units.curves("tanh", "relu", "leaky-relu", "elu")
    for part in ("tanh far out on both sides", "relu on the left", "elu on the left"):
        assert part in words


def test_a_circle_becomes_an_ellipse_with_the_singular_values_as_half_axes() -> None:
    matrix = np.array([[2.0, 1.0], [0.0, 0.5]])
    fig, words = matrices.circle(matrix)
    s = np.linalg.svd(matrix, compute_uv=False)
    ellipse = fig.axes[0].lines[1].get_xydata()
    lengths = np.linalg.norm(np.asarray(ellipse), axis=1)
    assert lengths.max() == pytest.approx(s[0], rel=1e-3)
    assert lengths.min() == pytest.approx(s[1], rel=1e-3)
    assert f"{s[0]:.2f} and {s[1]:.2f}" in words
    _, turned = matrices.circle(TURN)
    assert "1.00 and 1.00" in turned


def test_starts_count_the_rank() -> None:
    folded = np.vstack([GAUSSIAN[:4]] * 2)
    _, words = matrices.starts({"Fold 1": folded, "zero": np.zeros((3, 3))})
    assert "4 of 8 above 0" in words and "0 of 3 above 0" in words


@pytest.mark.parametrize(
    "call",
    [
        lambda: chain.scalar(1), lambda: chain.recurrent(7), lambda: chain.layer(0),
        lambda: chain.network((3,)), lambda: chain.network((3, 2), ("one",)),
        lambda: chain.forward_backward(5), lambda: units.curves("swish"),
        lambda: blocks.block("dense"), lambda: blocks.phasing_out(1.5),
        lambda: matrices.circle(GAUSSIAN), lambda: matrices.circle([[np.inf, 0], [0, 1]]),
        lambda: matrices.clouds({"a": GAUSSIAN}), lambda: norms.averages(1),
        lambda: matrices.clouds({"a": GAUSSIAN[:, :2], "b": GAUSSIAN[1:, :2]}),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        call()
