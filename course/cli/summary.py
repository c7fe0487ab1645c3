"""What the table of a run shows, in sentences.

A table that has all of the VAN paper's figure 1 is held against the paper's statements. Of any
other it says what depth does to each network's accuracy on the *training* set: a loss there is not
overfitting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from course.experiments import statements
from course.experiments.statements import Curves
from course.experiments.table import Table

PAPER = {"plain", "resnet", "highway", "diracnet", "van", "van0"}
"""The networks of which the paper speaks."""
FEW = 1.0
"""Percentage points that a network may lose and still keeps its accuracy."""
TRAINING = "train_accuracy"


def sentences(results: Table) -> list[str]:
    """What was found, in lines; accuracies are means over seeds ± their standard error."""
    columns = results.last()
    curves = Curves(columns)
    names = list(dict.fromkeys(columns["network"].tolist()))
    seeds = len(np.unique(columns["seed"]))
    dense = results.header.get("depth_counts") != "layers"  # as in the paper's section 4.1
    if dense and set(names) == PAPER and len(curves.depths) > 2 and seeds > 1:
        lines = [statements.settings(results), *map(str, statements.compare(results))]
    else:
        spread = f"mean ± standard error over {seeds} seeds" if seeds > 1 else "one seed, no spread"
        lines = [f"Accuracy on the training set after the last epoch, {spread}:"]
        lines += [f"- {_about(curves, name, seeds)}" for name in names]
    return [*lines, *_not_finite(columns, names)]


def _about(curves: Curves, network: str, seeds: int) -> str:
    """The numbers of one network, and what they say if there are enough."""
    best = curves.best(network, TRAINING)
    if seeds == 1:
        shares = {depth: curves.seeds(network, depth, TRAINING)[0] for depth in curves.depths}
        numbers = ", ".join(f"{share:.2f} % at depth {depth}" for depth, share in shares.items())
        return f"{network}: {numbers}. One seed tells no effect from chance: try --seeds 3 or more."
    if best == curves.deepest:
        among = ", the deepest, where it is best" if len(curves.depths) > 1 else ""
        return f"{network}: {curves.mean(network, best, TRAINING)} % at depth {best}{among}."
    numbers = f"{curves.ends(network, TRAINING)}."
    loss = curves.loss(network, curves.deepest, TRAINING)
    if loss.clear and loss.value > FEW:
        return f"{numbers} Depth makes it worse, by {loss} points, and this is not overfitting."
    if loss.value + 3 * loss.error <= FEW:
        return f"{numbers} It keeps its accuracy: {loss} points lost."
    return f"{numbers} {loss} points lost: more seeds are needed to tell whether that is depth."


def _not_finite(columns: Mapping[str, np.ndarray], names: list[str]) -> Iterator[str]:
    """A line for each network of which runs came to infinity or nan."""
    steps = columns.get("nonfinite_step", np.full(len(columns["depth"]), np.nan))
    for name in names:
        own = columns["network"] == name
        broken = own & np.isfinite(steps)
        if broken.any():
            depths = ", ".join(map(str, np.unique(columns["depth"][broken])))
            yield (
                f"- {name}: {broken.sum()} of {own.sum()} runs came to infinity or nan, the first "
                f"in step {steps[broken].min():.0f}; depths: {depths}."
            )
