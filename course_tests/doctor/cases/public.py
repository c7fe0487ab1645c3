"""Real faults from forums and published benchmarks, made anew in torch from a table of facts.

The table is `public_cases.csv`: where a case is told, layers, start, loss, optimizer, batch, data,
what stands in for data that are not at hand, and the truth, as those who mended it say.

Most were written in Keras, so its defaults hold: Glorot's uniform law and biases of 0; losses on
probabilities, clipped to 1e-7 from 0 and 1 (several classes: after each row is divided by its
sum); Adam and RMSprop with eps 1e-7, RMSprop with rho 0.9.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_tests.doctor.cases import public_data
from course_tests.doctor.cases.case import Case
from course_tests.doctor.cases.faults import Listed

TABLE = Path(__file__).parents[1] / "public_cases.csv"
EPS = 1e-7

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "elu": nn.ELU, "selu": nn.SELU,
    "softsign": nn.Softsign, "softmax": lambda: nn.Softmax(1),
}  # fmt: skip


@dataclass(frozen=True)
class PublicCase:
    """A line of the table. truths: names of illnesses, one of which is right; none: it is healthy,
    or `beyond` says why no doctor can see it."""

    name: str
    group: str
    link: str
    facts: dict[str, str]
    truths: tuple[str, ...]
    beyond: str

    def draw(self, seed: int) -> Case:
        """The network with its data, loss and optimizer, drawn anew."""
        torch.manual_seed(seed)
        source = torch.Generator().manual_seed(seed)
        facts = self.facts
        batches = public_data.draw(facts["data"], int(facts["batch"]), source)
        model = _model(facts["layers"], batches[0][0])
        _start(model, facts["start"])
        loss = LOSSES[facts["loss"]]
        case = Case(self.group, model, batches, loss, _optimizer(facts["optimizer"], model))
        if "without zero_grad" in facts["start"]:
            for step in range(40):
                case.value(batches[step % len(batches)]).backward()
                case.optimizer.step()
        return case


def cases() -> list[PublicCase]:
    """All lines of the table."""
    with TABLE.open(newline="") as file:
        lines = list(csv.DictReader(file))
    return [
        PublicCase(
            line["case"],
            line["group"],
            line["link"],
            line,
            ()
            if line["truth"] == "healthy" or line["truth"].startswith("beyond")
            else tuple(line["truth"].split("; ")),
            line["truth"].partition(": ")[2],
        )
        for line in lines
    ]


def _model(words: str, x: Tensor) -> nn.Module:
    """Layers in a row; the width of what goes in is asked of those before."""
    listed = words.startswith("listed: ")
    layers: list[nn.Module] = []
    for word in words.removeprefix("listed: ").split(", "):
        kind, *settings = word.split()
        with torch.no_grad():
            shape = nn.Sequential(*layers).eval()(x[:2]).shape
        if kind == "dense":
            layers += [nn.Linear(shape[1], int(settings.pop(0)))]
        elif kind == "conv":
            filters, size = int(settings.pop(0)), int(settings.pop(0))
            padding = size // 2 if "same" in settings else 0
            layers += [nn.Conv2d(shape[1], filters, size, padding=padding)]
        elif kind == "dropout":
            layers += [nn.Dropout(float(settings.pop(0)))]
        elif kind in ("pool", "flatten"):
            layers += [nn.MaxPool2d(2) if kind == "pool" else nn.Flatten()]
        else:
            layers += [ACTIVATIONS[kind]()]
        layers += [ACTIVATIONS[name]() for name in settings if name != "same"]
    model = Listed(layers) if listed else nn.Sequential(*layers)
    return model.train()


def _start(model: nn.Module, words: str) -> None:
    """Draws weights by the law that is named first, biases 0 (but for torch's own start)."""
    law, *rest = words.split(", ")
    layers = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    laws: dict[str, Callable[[Tensor], Any]] = {
        "glorot": nn.init.xavier_uniform_,
        "uniform": lambda w: nn.init.uniform_(w, -0.05, 0.05),
        "normal": lambda w: nn.init.normal_(w, std=0.05),
        "normal 1": lambda w: nn.init.normal_(w, std=1.0),
        "he": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
        "he uniform": lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    }
    for layer in layers if law in laws else []:
        laws[law](layer.weight)
        assert layer.bias is not None
        (nn.init.normal_ if law == "normal 1" else nn.init.zeros_)(layer.bias)
    for word in rest:
        if word.endswith("in layer 0"):
            nn.init.constant_(layers[0].weight, float(word.split()[0]))


def _optimizer(words: str, model: nn.Module) -> torch.optim.Optimizer:
    kind, *numbers = words.replace(" nesterov", "").split()
    rate, p = float(numbers[0]), list(model.parameters())
    if kind == "sgd":
        momentum = float(numbers[1]) if len(numbers) > 1 else 0.0
        return torch.optim.SGD(p, rate, momentum=momentum, nesterov="nesterov" in words)
    if kind == "adam":
        return torch.optim.Adam(p, rate, eps=EPS)
    if kind == "rmsprop":
        return torch.optim.RMSprop(p, rate, alpha=0.9, eps=EPS)
    return torch.optim.Adadelta(p, rate, rho=0.95, eps=EPS)


def _logarithms(outputs: Tensor) -> Tensor:
    return (outputs / outputs.sum(1, keepdim=True)).clamp(EPS, 1 - EPS).log()


def _crossed(outputs: Tensor, y: Tensor) -> Tensor:
    return functional.nll_loss(_logarithms(outputs), y)


def _binary(outputs: Tensor, y: Tensor) -> Tensor:
    return functional.binary_cross_entropy(outputs.clamp(EPS, 1 - EPS), y.float())


def _squared(outputs: Tensor, y: Tensor) -> Tensor:
    return functional.mse_loss(outputs, _targets(outputs, y))


def _absolute(outputs: Tensor, y: Tensor) -> Tensor:
    return functional.l1_loss(outputs, _targets(outputs, y))


def _hinge(outputs: Tensor, y: Tensor) -> Tensor:
    sign = 2 * _targets(outputs, y) - 1
    return (1 - sign * outputs).clamp(min=0).mean()


def _targets(outputs: Tensor, y: Tensor) -> Tensor:
    """Classes as zeros and a one, where answers are of several classes."""
    if not y.is_floating_point() and outputs.dim() == 2 and outputs.shape[1] > 1:
        return functional.one_hot(y, outputs.shape[1]).float()
    return y


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cce": _crossed, "bce": _binary, "mse": _squared, "mae": _absolute, "hinge": _hinge,
    "cross-entropy": functional.cross_entropy, "nll": functional.nll_loss,
    "bce with logits": lambda outputs, y: functional.binary_cross_entropy_with_logits(
        outputs, y.float().view_as(outputs)
    ),
    "nll of softmax": lambda outputs, y: functional.nll_loss(outputs.softmax(1), y),
}  # fmt: skip
