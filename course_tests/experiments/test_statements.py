"""The paper's statements beside ours: the criteria, on tables made up to meet them or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course.experiments import statements, table

NETWORKS = ("plain", "resnet", "highway", "diracnet", "van", "van0")
FLAT = {1: 97.0, 15: 97.0, 30: 97.0}
PAPER = {name: FLAT for name in NETWORKS} | {
    "plain": {1: 97.0, 15: 96.0, 30: 90.0}, "van": {1: 97.0, 15: 97.0, 30: 96.7},
}  # fmt: skip


def made_up(path: Path, spread: float = 0.1, **changes: Any) -> table.Table:
    """A table in which each network has these accuracies by depth, +-spread over three seeds.

    own: what single networks of a seed have in addition, by (network, seed).
    """
    own = changes.pop("own", {})
    cut = changes.pop("cut", 0.0)
    train = changes.pop("train", None)
    rows = []
    for network, curve in (PAPER | changes).items():
        for depth, percent in curve.items():
            for seed in range(3):
                noise = spread * (seed - 1) + own.get((network, seed), 0.0)
                fitted = train[depth] if train and network == "plain" else percent
                rows.append(
                    {
                        "network": network, "depth": depth, "seed": seed, "epoch": 12,
                        "train_accuracy": (fitted + noise) / 100,
                        "test_accuracy": (percent + noise) / 100,
                        "smallest_alpha": 1.0 if network == "van" else float("nan"),
                        "test_accuracy_cut": (percent + noise - cut) / 100
                        if network == "van" else float("nan"),
                    }
                )  # fmt: skip
    header = {
        "settings": {"data": "mnist", "epochs": 12, "seeds": [0, 1, 2], "depths": [1, 15, 30]}
    }
    return table.write(path / "made-up.csv", header, rows)


def verdicts(path: Path, **changes: Any) -> list[str]:
    return [found.verdict for found in statements.compare(made_up(path, **changes))]


def test_a_table_as_the_paper_has_it_reproduces_everything(tmp_path: Path) -> None:
    assert verdicts(tmp_path) == ["reproduced"] * 10


@pytest.mark.parametrize(
    ("place", "verdict", "changes"),
    [
        (0, "not", {"plain": FLAT}),
        (0, "not", {"plain": {1: 97.0, 15: 97.0, 30: 96.6}}),
        (0, "partly", {"plain": {1: 97.0, 15: 96.9, 30: 90.0}}),
        (1, "partly", {"train": {1: 99.0, 15: 99.0, 30: 98.8}}),
        (1, "not", {"train": {1: 97.0, 15: 98.0, 30: 99.9}}),
        (2, "partly", {"resnet": {1: 97.0, 15: 97.0, 30: 95.0}}),
        (2, "partly", {"resnet": {1: 95.0, 15: 96.0, 30: 97.0}}),
        (3, "not", {"highway": {1: 97.0, 15: 97.0, 30: 91.0}}),
        (4, "partly", {"diracnet": {1: 97.0, 15: 97.0, 30: 94.9}}),
        (5, "not", {"van0": {1: 97.0, 15: 97.0, 30: 90.0}}),
        (6, "not", {"van": {1: 97.0, 15: 97.0, 30: 96.4}}),
        (6, "not", {"van": {1: 95.0, 15: 97.0, 30: 97.0}}),
        (7, "not", {"van": {1: 97.0, 15: 97.0, 30: 97.2}}),
        (8, "not", {"van": {1: 97.0, 15: 97.0, 30: 89.0}}),
        (9, "partly", {"cut": 0.2}),
        (9, "not", {"cut": 5.0}),
    ],
)
def test_each_criterion_tells_what_differs(
    tmp_path: Path, place: int, verdict: str, changes: dict[str, Any]
) -> None:
    assert verdicts(tmp_path, **changes)[place] == verdict


def test_networks_are_compared_seed_by_seed(tmp_path: Path) -> None:
    """What all networks of a seed have in common does not count, however large."""
    written = made_up(tmp_path, spread=20.0)
    curves = statements.Curves(written.last())
    assert curves.mean("van", 30).error > 10 > 1e-9 > curves.above("van", "plain", 30).error
    own = {("van", seed): 4.0 * (seed - 1) for seed in range(3)}
    assert verdicts(tmp_path, own=own)[7:9] == ["partly"] * 2


def test_the_numbers_are_means_and_standard_errors_in_percent(tmp_path: Path) -> None:
    written = made_up(tmp_path, spread=0.3)
    found = statements.compare(written)
    # of -0.3, 0, 0.3: deviation 0.3, over the root of 3
    assert "90.00±0.17 % at 30" in found[0].numbers
    assert found[8].numbers.startswith("points above plain: 6.70±0.00 at 30, ")
    assert str(found[0]).startswith("reproduced Plain networks deteriorate")
    assert "12 epochs (the paper: 50), 3 seeds" in statements.settings(written)


def recorded_names() -> list[str]:
    folder = Path(table.__file__).parent / "recorded"
    return sorted(path.stem.split("-", 1)[1] for path in folder.glob("figure1-[!v]*.csv"))


@pytest.mark.parametrize("data", recorded_names() or ["none"])
def test_what_is_recorded_can_be_compared(data: str) -> None:
    if data == "none":
        pytest.skip("no full run of figure 1 is recorded yet")
    found = statements.compare(table.recorded("figure1", data))
    assert len(found) == 10 and {verdict.verdict for verdict in found} <= set(statements.VERDICTS)
    assert found[1].verdict == "reproduced", "plain networks fall in training accuracy too"
    assert found[2].verdict == "reproduced", "and residual ones do not"
    curves = statements.Curves(table.recorded("figure1", data).last())
    assert np.all(curves.seeds("plain", curves.deepest) < curves.seeds("resnet", curves.deepest))
