"""Pictures of the data: what stands below each, which frames, what the words count."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from course import data
from course.plots import examples, style

DIGITS = data.digits()
IMAGES = DIGITS.pictures(DIGITS.x_train[:30])
LABELS = DIGITS.y_train[:30].numpy()


def test_a_gallery_shows_each_picture_with_its_label() -> None:
    fig, words = examples.gallery(IMAGES[:13], LABELS[:13], columns=5)
    shown = [ax for ax in fig.axes if ax.get_visible()]
    assert [ax.get_xlabel() for ax in shown] == [str(label) for label in LABELS[:13]]
    assert np.array_equal(shown[4].images[0].get_array(), IMAGES[4])
    assert words.startswith("13 pictures")
    names = [f"kind {k}" for k in range(10)]
    assert f"kind {LABELS[0]}" in examples.gallery(IMAGES[:2], LABELS[:2], names)[1]


def test_colour_pictures_are_shown_in_colour() -> None:
    colours = np.random.default_rng(0).random((3, 4, 4, 3))
    fig, _ = examples.gallery(colours, [0, 1, 2])
    assert fig.axes[0].images[0].get_array().shape == (4, 4, 3)


def test_neighbours_of_another_class_are_marked_twice() -> None:
    example = int(np.flatnonzero(LABELS == 3)[0])
    same = [int(k) for k in np.flatnonzero(LABELS == 3) if k != example][:1]
    other = [int(k) for k in np.flatnonzero(LABELS != 3)][:2]
    near = {"plain": {0: [*same, *other[:1]], 20: other}, "skips": {0: same * 2, 20: same * 2}}
    fig, words = examples.neighbours(IMAGES, LABELS, example, near)
    assert "plain, after 0: 1 of 2" in words and "plain, after 20: 0 of 2" in words
    assert "skips, after 20: 2 of 2" in words and words.startswith("A 3 and its 2")
    green, orange = style.PALETTE[2].lower(), style.PALETTE[1].lower()
    frames = {ax.get_xlabel(): to_hex(ax.spines["left"].get_edgecolor()) for ax in fig.axes}
    strangers = {text: color for text, color in frames.items() if text.startswith("not: ")}
    assert strangers and set(strangers.values()) == {orange}
    assert green in {to_hex(ax.spines["left"].get_edgecolor()) for ax in fig.axes}
    with pytest.raises(ValueError, match="same depths"):
        examples.neighbours(IMAGES, LABELS, 0, {"a": {0: [1]}, "b": {0: [1, 2]}})


def test_confusions_are_counted() -> None:
    labels, answers = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 2, 0])
    fig, words = examples.confusion(labels, answers, ["cat", "dog", "cow"])
    assert "Of 6 examples 3 are answered rightly" in words
    assert "cat is taken for dog, 2 times" in words
    counts = {t.get_position(): t.get_text() for t in fig.axes[0].texts if t.get_text()}
    assert counts == {(0, 0): "1", (1, 0): "2", (1, 1): "1", (0, 2): "1", (2, 2): "1"}
    assert "taken" not in examples.confusion(labels, labels, 3)[1]
    with pytest.raises(ValueError, match="answers"):
        examples.confusion(labels, answers[1:], 3)


def test_wrong_answers_are_shown() -> None:
    answers = LABELS.copy()
    answers[[4, 9, 11]] = (answers[[4, 9, 11]] + 1) % 10
    fig, words = examples.confused(IMAGES, LABELS, answers, most=2)
    shown = [ax for ax in fig.axes if ax.get_visible()]
    assert len(shown) == 2 and shown[0].get_xlabel() == f"{LABELS[4]} → {answers[4]}"
    assert np.array_equal(shown[1].images[0].get_array(), IMAGES[9])
    assert words.startswith("3 of 30")
    assert examples.confused(IMAGES, LABELS, LABELS)[1].startswith("0 of 30")


def test_a_dead_unit_is_named() -> None:
    sums = np.linspace(-5, -1, 30)
    fig, words = examples.unit(IMAGES, sums, count=3)
    assert "on for 0% of them. It is dead" in words
    assert np.array_equal(fig.axes[0].images[0].get_array(), IMAGES[29])
    assert np.array_equal(fig.axes[3].images[0].get_array(), IMAGES[0])
    alive = examples.unit(IMAGES, sums + 3)[1]
    assert "dead" not in alive
    with pytest.raises(ValueError, match="finite"):
        examples.unit(IMAGES, sums + np.nan)


def test_flat_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="rows, columns"):
        examples.gallery(DIGITS.x_train[:3].numpy(), LABELS[:3])
