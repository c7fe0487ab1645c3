"""What `course run` says at its end, on tables made up to show it or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course.cli.summary import sentences
from course.experiments import recorded, table
from course.experiments.statements import Curves


def made_up(
    path: Path, accuracies: dict[int, list[float]], broken: float = float("nan")
) -> table.Table:
    """A table of a plain network with these training accuracies (percent) by depth and seed."""
    rows = [
        {
            "network": "plain", "depth": depth, "seed": seed, "epoch": 10,
            "train_accuracy": percent / 100, "test_accuracy": 0.5,
            "nonfinite_step": broken if (depth, seed) == (30, 1) else float("nan"),
        }
        for depth, values in accuracies.items()
        for seed, percent in enumerate(values)
    ]  # fmt: skip
    return table.write(path / "made-up.csv", {"experiment": "degradation"}, rows)


@pytest.mark.parametrize(
    ("deep", "said"),
    [
        ([80.0, 81.0, 82.0], "Depth makes it worse, by 18.00±0.58 points, and this is not overfit"),
        ([98.9, 98.9, 98.9], "It keeps its accuracy: 0.10±0.00 points lost."),
        ([99.0, 60.0, 99.0], "13.00±13.00 points lost: more seeds are needed"),
        ([98.0, 99.0, 98.5], "0.50±0.29 points lost: more seeds are needed"),
        ([99.5, 99.5, 99.5], "99.50±0.00 % at depth 30, the deepest, where it is best."),
    ],
)
def test_a_verdict_rests_on_the_spread(deep: list[float], said: str, tmp_path: Path) -> None:
    results = made_up(tmp_path, {2: [99.0, 99.0, 99.0], 30: deep})
    first, line = sentences(results)
    assert "over 3 seeds" in first and line.startswith("- plain: ") and said in line


def test_the_loss_is_paired_by_seed(tmp_path: Path) -> None:
    """Seeds that differ much, each losing the same: the loss is sure."""
    curves = Curves(made_up(tmp_path, {2: [60.0, 80.0, 99.0], 30: [50.0, 70.0, 89.0]}).last())
    loss = curves.loss("plain", 30, "train_accuracy")
    assert np.isclose(loss.value, 10) and loss.error < 1e-9


def test_one_seed_gives_no_verdict(tmp_path: Path) -> None:
    first, line = sentences(made_up(tmp_path, {2: [99.0], 30: [20.0]}))
    assert "one seed, no spread" in first
    assert line.startswith("- plain: 99.00 % at depth 2, 20.00 % at depth 30. One seed tells no")
    assert "±" not in line


def test_one_depth_is_a_number(tmp_path: Path) -> None:
    _, line = sentences(made_up(tmp_path, {7: [99.0, 97.0]}))
    assert line == "- plain: 98.00±1.00 % at depth 7."


def test_runs_that_came_to_infinity_are_told(tmp_path: Path) -> None:
    results = made_up(tmp_path, {2: [99.0, 99.0], 30: [10.0, 10.0]}, broken=12.0)
    assert sentences(results)[-1] == (
        "- plain: 1 of 4 runs came to infinity or nan, the first in step 12; depths: 30."
    )


def test_a_whole_figure_1_is_held_against_the_paper() -> None:
    lines = sentences(recorded("figure1", "mnist"))
    assert lines[0].startswith("mnist: 50 epochs (the paper: 50)")
    assert lines[1].startswith("partly     Plain networks deteriorate") and len(lines) == 11
