"""The statements on figures 2 and 3: the criteria, on tables made up to meet them or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from course.experiments import conv_statements, table

PAPER = {
    "plain": {10: 60.0, 26: 61.0, 50: 50.0}, "resnet": {10: 60.0, 26: 62.0, 50: 63.0},
    "van": {10: 60.0, 26: 61.5, 50: 57.0}, "van0": {10: 60.0, 26: 62.0, 50: 62.0},
}  # fmt: skip
"""Accuracies by depth as the paper's statements have them."""


def made_up(path: Path, networks: dict[str, Any], cut: float = 0.0, spread: float = 0.1) -> Any:
    """A table of these accuracies in percent, +- spread over three seeds."""
    rows = [
        {
            "network": name, "depth": depth, "seed": seed, "epoch": 3,
            "test_accuracy": (percent + spread * (seed - 1)) / 100,
            "smallest_alpha": 1.0,
            "test_accuracy_cut": (percent + spread * (seed - 1) - cut) / 100,
        }
        for name, curve in networks.items()
        for depth, percent in curve.items()
        for seed in range(3)
    ]  # fmt: skip
    settings = {"data": "cifar10", "subset": 1008, "epochs": 3, "batch": 16, "width": 4,
                "seeds": [0, 1, 2], "depths": [10, 26, 50], "leave_at": None}  # fmt: skip
    return table.write(path / "made-up.csv", {"settings": settings}, rows)


def verdicts(path: Path, cut: float = 0.0, **changes: Any) -> list[str]:
    return [one.verdict for one in conv_statements.compare(made_up(path, PAPER | changes, cut))]


def test_a_table_as_the_paper_has_it_reproduces_everything(tmp_path: Path) -> None:
    assert verdicts(tmp_path) == ["reproduced"] * 6


@pytest.mark.parametrize(
    ("place", "verdict", "changes"),
    [
        (0, "not", {"plain": {10: 60.0, 26: 59.0, 50: 50.0}}),
        (1, "partly", {"plain": {10: 60.0, 26: 61.0, 50: 60.0}}),
        (1, "not", {"plain": {10: 60.0, 26: 61.0, 50: 62.0}}),
        (2, "not", {"van": {10: 60.0, 26: 59.0, 50: 50.0}}),
        (3, "not", {"van": {10: 60.0, 26: 62.0, 50: 64.0}}),
        (4, "not", {"van": {10: 60.0, 26: 61.0, 50: 49.0}}),
        (5, "partly", {"cut": 1.0}),
        (5, "not", {"cut": 3.0}),
    ],
)
def test_each_criterion_tells_what_differs(
    tmp_path: Path, place: int, verdict: str, changes: dict[str, Any]
) -> None:
    assert verdicts(tmp_path, **changes)[place] == verdict


def test_vans_of_another_table_can_stand_in(tmp_path: Path) -> None:
    """Those that keep all skips until later are as good as a ResNet; only they have changed."""
    record = made_up(tmp_path, PAPER)
    later = made_up(tmp_path, {"van": PAPER["resnet"]})
    changed = conv_statements.compare(record, van=later)
    assert [one.verdict for one in changed] == ["reproduced"] * 3 + ["not"] + ["reproduced"] * 2
    assert [one.numbers for one in changed[:2]] == [
        one.numbers for one in conv_statements.compare(record)[:2]
    ]
    assert "1,008 training pictures" in conv_statements.settings(record)


def test_the_record_says_what_notebook_10c_says() -> None:
    record, by_120, late = (
        table.recorded(f"cifar-12-epochs{reading}", "cifar10")
        for reading in ("", "-van-120", "-van-3404")
    )
    others = ("not", "reproduced")
    assert [one.verdict for one in conv_statements.compare(record)] == [
        *others, *others, "partly", "reproduced",
    ]  # fmt: skip
    for later, first in ((by_120, "not"), (late, "partly")):
        verdicts = [one.verdict for one in conv_statements.compare(record, van=later)]
        assert verdicts[2:] == [first, *["reproduced"] * 3]
    at_50 = []
    for columns, network in (
        (record.last(), "plain"), (record.last(), "van"), (by_120.last(), "van"),
        (late.last(), "van"), (record.last(), "resnet"),
    ):  # fmt: skip
        rows = (columns["network"] == network) & (columns["depth"] == 50)
        accuracy, cut = columns["test_accuracy"][rows], columns["test_accuracy_cut"][rows]
        at_50.append(round(100 * float(accuracy.mean())))
        assert network != "van" or (columns["smallest_alpha"][rows] == 1).all()
        assert network != "van" or (accuracy == cut).all()  # it is a plain network
    assert at_50 == [37, 45, 65, 78, 82]
