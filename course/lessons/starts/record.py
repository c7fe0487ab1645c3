"""What fifty blocks buy, at a larger size: MNIST, Fashion-MNIST, and sums of two digits, recorded.

    python -m course.lessons.starts.record mnist          # writes results/starts-mnist.csv

The networks are those of `remedies`, trained in the same way, at each of several rates: a row for
each network, depth, rate and seed, with training and test accuracy after the last epoch. The tables
that come with the course are opened by `course.experiments.recorded("starts", "mnist")`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from course import data
from course.arguments import one_of
from course.data import Dataset
from course.experiments import table
from course.lessons.degradation import science as degradation
from course.lessons.starts import remedies
from course.lessons.starts.sums import sums

DATA = ("mnist", "fashion-mnist", "sums")
RATES: dict[str, dict[int, tuple[float, ...]]] = {
    remedies.NOTHING: {0: (0.03, 0.1, 0.3, 1.0)},
    "no curve": {50: (0.001, 0.003)},
    "looks-linear": {
        0: (0.03, 0.1, 0.3, 1.0), 10: (0.01, 0.03, 0.1), 50: (0.003, 0.01, 0.03),
        100: (0.001, 0.003),
    },
    "ResNet, batch norm": {10: (0.03, 0.1, 0.3), 50: (0.03, 0.1)},
    "batch norm": {0: (0.03, 0.1, 0.3, 1.0)},
}  # fmt: skip
"""Which networks, how many blocks each, and which rates are tried there."""
SEEDS = (0, 1, 2, 3, 4)


def examples(name: str) -> tuple[Dataset, int]:
    """The data and for how many epochs: 12,000 pictures for 3, or 6,000 sums of digits for 8."""
    if one_of("data", name, DATA) == "sums":
        return sums(data.digits()), 8
    return data.load(name).subset(12_000), 3


def rows(name: str) -> Iterator[dict[str, Any]]:
    """The rows of the table, network by network as they are trained."""
    dataset, epochs = examples(name)
    for network, depths in RATES.items():
        for depth, rates in depths.items():
            for rate in rates:
                net = remedies.network(network, dataset, depth, SEEDS)
                *_, last = degradation.train(net, dataset, epochs=epochs, rate=rate)
                assert last.train_accuracy is not None and last.test_accuracy is not None
                for k, seed in enumerate(SEEDS):
                    yield {
                        "network": network, "depth": depth, "seed": seed, "epoch": epochs,
                        "rate": rate, "train_accuracy": float(last.train_accuracy[k]),
                        "test_accuracy": float(last.test_accuracy[k]),
                    }  # fmt: skip


def best(results: table.Table) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """By network and depth, at the rate with the highest mean training accuracy: rate, train, test.

    Accuracies (R,) as shares.
    """
    columns = results.columns
    chosen: dict[tuple[str, int], dict[str, np.ndarray]] = {}
    for row in range(0, len(results), len(SEEDS)):
        runs = slice(row, row + len(SEEDS))
        key = str(columns["network"][row]), int(columns["depth"][row])
        train, test = columns["train_accuracy"][runs], columns["test_accuracy"][runs]
        if key not in chosen or train.mean() > chosen[key]["train"].mean():
            chosen[key] = {"rate": columns["rate"][row], "train": train, "test": test}
    return chosen


def main(name: str) -> None:
    """Train all and write the table."""
    folder = Path("results")
    folder.mkdir(exist_ok=True)
    header = {"experiment": "starts", "data": name, "versions": table.versions()}
    print(table.write(folder / f"starts-{name}.csv", header, list(rows(name))).path)


if __name__ == "__main__":
    main(sys.argv[1])
