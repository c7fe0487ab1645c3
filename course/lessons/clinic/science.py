"""Seven patients, each as a factory hands it to the doctor: model, batches, loss, optimizer.

They are called by letters; what ails them, if anything, stands in `exercise`. A seed draws a
patient as it came: its weights, its data, its optimizer, and what it had gone through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from course import data, measures

Array = NDArray[np.float64]
Batches = list[tuple[Tensor, Tensor]]
Patient = tuple[nn.Module, Batches, Callable[[Tensor, Tensor], Tensor], torch.optim.Optimizer]
Factory = Callable[[int], Patient]
Mend = Callable[[Any, Any, Any, Any], Any]

STEPS = 60
CONSTANT = math.log(10)
"""The loss of the best constant answer to ten classes of equal size."""


def batches(seed: int, size: int = 64) -> Batches:
    """The training digits in random order, in batches: pixels (size, 64), labels (size,)."""
    digits = data.digits()
    x, y = torch.as_tensor(digits.x_train), torch.as_tensor(digits.y_train)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    full = [rows for rows in order.split(size) if len(rows) == size]
    return [(x[rows], y[rows]) for rows in full]


def layers(width: int, depth: int, norm: bool = False) -> nn.Sequential:
    """A plain network: `depth` hidden layers of linear, batch norm if wanted, and ReLU."""
    parts: list[nn.Module] = []
    for fan_in in [64] + [width] * (depth - 1):
        parts += [nn.Linear(fan_in, width)]
        parts += [nn.BatchNorm1d(width)] if norm else []
        parts += [nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def draw(model: nn.Module) -> None:
    """Draw each linear layer anew, in place: He's weights, and biases of 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


class Skip(nn.Module):
    """h + factor F(h)."""

    def __init__(self, branch: nn.Module, factor: float = 1.0) -> None:
        super().__init__()
        self.branch, self.factor = branch, factor

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = h + self.factor * self.branch(h)
        return out


def with_skips(model: Any, each: int, factor: float = 1.0) -> nn.Sequential:
    """The same layers with a skip around every `each` of them: all but the first `each` and the
    last. The parameters are the same, so an optimizer that has them still does."""
    first, middle, last = model[:each], model[each:-1], model[-1]
    blocks = [
        Skip(nn.Sequential(*middle[k : k + each]), factor) for k in range(0, len(middle), each)
    ]
    return nn.Sequential(*first, *blocks, last)


def patient_a(seed: int = 0) -> Patient:
    torch.manual_seed(seed)
    model = layers(width=32, depth=16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    return model, batches(seed), functional.cross_entropy, optimizer


def patient_b(seed: int = 0) -> Patient:
    torch.manual_seed(seed)
    model = layers(width=24, depth=6)
    draw(model)
    first = torch.optim.Adam(model.parameters(), lr=0.5)
    steps((model, batches(seed), functional.cross_entropy, first), 40)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    return model, batches(seed), functional.cross_entropy, optimizer


def patient_c(seed: int = 0) -> Patient:
    torch.manual_seed(seed)
    blocks = [nn.Sequential(nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32)) for _ in range(16)]
    model = nn.Sequential(nn.Linear(64, 32), *map(Skip, blocks), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    return model, batches(seed), functional.cross_entropy, optimizer


def patient_d(seed: int = 0) -> Patient:
    torch.manual_seed(seed)
    model = layers(width=64, depth=2)
    draw(model)
    model.append(nn.Softmax(dim=1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    return model, batches(seed), functional.cross_entropy, optimizer


def patient_e(seed: int = 0) -> Patient:
    torch.manual_seed(seed)
    model = layers(width=32, depth=60, norm=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    return model, batches(seed, size=16), functional.cross_entropy, optimizer


def patient_f(seed: int = 0) -> Patient:
    torch.manual_seed(seed)
    model = layers(width=64, depth=2)
    draw(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    moved = [(x, y.roll(1)) for x, y in batches(seed)]
    return model, moved, functional.cross_entropy, optimizer


def patient_g(seed: int = 0) -> Patient:
    torch.manual_seed(seed)
    model = layers(width=32, depth=100)
    draw(model)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.002, momentum=0.9)
    return model, batches(seed), functional.cross_entropy, optimizer


PATIENTS: dict[str, Factory] = {
    "A": patient_a, "B": patient_b, "C": patient_c, "D": patient_d, "E": patient_e,
    "F": patient_f, "G": patient_g,
}  # fmt: skip


def steps(patient: Patient, count: int) -> Array:
    """The loss before each of `count` training steps of this very model, (count,)."""
    model, examples, loss, optimizer = patient
    values = []
    for step in range(count):
        x, y = examples[step % len(examples)]
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        values.append(float(value.detach()))
    return np.array(values)


def losses(factory: Factory, seeds: Sequence[int], mend: Mend | None = None) -> Array:
    """The loss at each of `STEPS` steps for a patient drawn with each seed, (R, STEPS).

    mend: takes model, batches, loss and optimizer, and returns them mended.
    """
    runs = []
    for seed in seeds:
        patient = factory(seed)
        runs.append(steps(patient if mend is None else mend(*patient), STEPS))
    return np.stack(runs)


@cache
def untreated(letter: str, seeds: range = range(3)) -> Array:
    """The losses of a patient as it came, (R, STEPS)."""
    return losses(PATIENTS[letter], seeds)


@dataclass(frozen=True)
class Laboratory:
    """What one measures of any network that does not train.

    first, last: mean loss over the first and the last ten of `STEPS` steps, (R,). by_heart: the
    loss after `STEPS` steps on the first batch alone. answers: least and largest number that the
    network answers then. parameters, moved: how many it has, how many of them a step moves.
    neighbours: share of inputs whose nearest other input has the same label.
    """

    first: Array
    last: Array
    by_heart: float
    answers: tuple[float, float]
    parameters: int
    moved: int
    neighbours: float


@cache
def laboratory(letter: str, seeds: range = range(3)) -> Laboratory:
    """These measurements of a patient; all but the losses are of seed 0."""
    runs = untreated(letter, seeds)
    model, examples, loss, optimizer = PATIENTS[letter](0)
    before = [p.detach().clone() for p in model.parameters()]
    by_heart = steps((model, examples[:1], loss, optimizer), STEPS)[-1]
    after = list(model.parameters())
    moved = sum(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    x, y = (torch.cat(parts) for parts in zip(*examples, strict=True))
    with torch.no_grad():
        answers = model(examples[0][0])
    return Laboratory(
        runs[:, :10].mean(1), runs[:, -10:].mean(1), float(by_heart),
        (float(answers.min()), float(answers.max())), len(after), moved,
        float(measures.nearest_neighbour_accuracy(x[:500].double(), y[:500])),
    )  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """A layer in one pass of one batch: size of its output (root mean square), length of the
    gradient there, mean cosine between examples, share of dead units (NaN: no ReLU)."""

    size: float
    gradient: float
    cosine: float
    dead: float


def chart(letter: str) -> tuple[Layer, ...]:
    """A record for each linear layer, input first, with the ReLU behind it, of seed 0."""
    model, examples, loss, _ = PATIENTS[letter](0)
    x, y = examples[0]
    with measures.Probe(model, measure=("norm", "cosine")) as probe:
        loss(model(x), y).backward()
    records: list[Layer] = []
    for row in probe.table():
        number = {key: float(row[key][0]) for key in ("norm", "gradient", "cosine", "dead")}
        if row["kind"] == "Linear":
            size = number["norm"] / row["shape"][-1] ** 0.5
            records.append(Layer(size, number["gradient"], number["cosine"], math.nan))
        elif row["kind"] == "ReLU" and records:
            last = records[-1]
            records[-1] = Layer(last.size, last.gradient, last.cosine, number["dead"])
    return tuple(records)
