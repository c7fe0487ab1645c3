"""Networks that are ill by their depth or their start: each drawn whole, without a twin."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_tests.doctor.cases import modules, tasks
from course_tests.doctor.cases.case import Case

DEEP: dict[str, Callable[[int], Case]] = {}
"""name: a function of a seed that draws a case."""

TRUTHS: dict[str, str] = {}
"""name: the illness."""


def deep(truth: str, *place: str) -> Callable[[Callable[..., Case]], Callable[[int], Case]]:
    """Registers a kind of network under the function's name, with what is true of it."""

    def register(function: Callable[..., Case]) -> Callable[[int], Case]:
        name = function.__name__.replace("_", " ")

        def draw(seed: int) -> Case:
            torch.manual_seed(seed)
            case = function(random.Random(seed), torch.Generator().manual_seed(seed))
            case.family = case.fault = name
            case.truth, case.place = truth, case.place or place
            return case

        DEEP[name], TRUTHS[name] = draw, truth
        return draw

    return register


def _case(model: nn.Module, batches: tasks.Batches, best: torch.optim.Optimizer) -> Case:
    return Case("", model, batches, functional.cross_entropy, best)


def _sgd(rng: random.Random, model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), rng.choice([0.03, 0.1]), momentum=0.9)


def _start(model: nn.Module, gain: float) -> None:
    """Normal weights of SD gain / sqrt(inputs), biases 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=gain / layer.in_features**0.5)
            nn.init.zeros_(layer.bias)


@deep("vanishing gradients", "0")
def deep_sigmoid(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, *[64] * rng.randint(8, 30), 10], nn.Sigmoid)
    best = rng.choice([_sgd(rng, model), torch.optim.Adam(model.parameters(), 1e-3)])
    return _case(model, tasks.digits(source), best)


@deep("vanishing gradients", "0")
def deep_small_tanh(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, *[64] * rng.randint(15, 40), 10], nn.Tanh)
    _start(model, rng.choice([0.3, 0.5, 0.6]))
    return _case(model, tasks.digits(source), _sgd(rng, model))


@deep("vanishing gradients", "0")
def deep_relu_by_default(rng: random.Random, source: torch.Generator) -> Case:
    """torch's default law for linear layers shrinks signals by 0.41 with every ReLU layer."""
    model = modules.mlp([64, *[64] * rng.randint(15, 40), 10], nn.ReLU)
    return _case(model, tasks.digits(source), _sgd(rng, model))


@deep("vanishing gradients", "0")
def deep_small_conv(rng: random.Random, source: torch.Generator) -> Case:
    parts: list[nn.Module] = [nn.Conv2d(1, 8, 3, padding=1), nn.Sigmoid()]
    for _ in range(rng.randint(8, 14)):
        parts += [nn.Conv2d(8, 8, 3, padding=1), nn.Sigmoid()]
    model = nn.Sequential(*parts, nn.Flatten(), nn.Linear(512, 10))
    return _case(model, tasks.images(source), torch.optim.SGD(model.parameters(), 0.01, 0.9))


@deep("exploding gradients", "0", "2", "4", "6")
def deep_large_relu(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, *[64] * rng.randint(6, 30), 10], nn.ReLU)
    _start(model, rng.choice([4.0, 6.0, 10.0]))
    return _case(model, tasks.digits(source), _sgd(rng, model))


@deep("exploding gradients", "0")
def deep_residual_without_norm(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Residual(64, 64, rng.randint(20, 40), 10)
    for block in model.blocks:
        block[0] = nn.Identity()
        for layer in (block[1], block[3]):
            nn.init.normal_(layer.weight, std=(2.0 / 64) ** 0.5)
    case = _case(model, tasks.digits(source), _sgd(rng, model))
    case.place = ("stem", "blocks", "head")
    return case


@deep("exploding through batch norm", "0")
def deep_batch_norm(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, *[48] * rng.randint(50, 80), 10], nn.ReLU, norm=True)
    return _case(model, tasks.digits(source), torch.optim.SGD(model.parameters(), 0.03))


@deep("collapsed representation", "50", "70", "90", "100")
def deep_he_relu(rng: random.Random, source: torch.Generator) -> Case:
    depth = rng.randint(120, 150)
    model = modules.mlp([64, *[48] * depth, 10], nn.ReLU)
    _start(model, 2**0.5)
    case = _case(model, tasks.digits(source), torch.optim.SGD(model.parameters(), 1e-3))
    case.place = tuple(str(2 * k) for k in range(depth // 2, depth))
    return case


class Attention(nn.Module):
    """Attention alone, without skips."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(60, width)
        self.layers = nn.ModuleList(
            nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(depth)
        )
        self.head = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x)
        for layer in self.layers:
            x = layer(x, x, x)[0]
        return self.head(x[:, 0])


@deep("attention at rank one", "layers")
def attention_without_skips(rng: random.Random, source: torch.Generator) -> Case:
    model = Attention(32, rng.randint(5, 10))
    return _case(model, tasks.tokens(source), torch.optim.SGD(model.parameters(), 0.03))


@deep("no warm-up under post-norm", "optimizer")
def deep_post_norm(rng: random.Random, source: torch.Generator) -> Case:
    """The twin has the same weights, data and rate, risen to over the first steps. Only where the
    one is seen not to learn and the other to learn is it a case: a rate that is too large for both
    is another illness. (Of deep encoders no draw was: what failed, failed with a warm-up, too.)"""
    model = modules.PostNorm(64, 32, rng.randint(18, 24), 10)
    best = torch.optim.Adam(model.parameters(), rng.choice([1e-2, 1.2e-2]))
    case = _case(model, tasks.digits(source), best)
    case.twin = copy.deepcopy(case).warmed(30)
    case.twin.family = "deep post norm, warmed up"
    return case


@deep("symmetric start")
def zero_lstm(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Recurrent(nn.LSTM, 8, 32, 10)
    for p in model.cells.parameters():
        nn.init.constant_(p, 0.1)
    nn.init.constant_(model.head.weight, 0.1)
    case = _case(model, tasks.rows(source), torch.optim.Adam(model.parameters(), 5e-3))
    case.place = ("cells", "head")
    return case


@deep("vanishing gradients", "cells")
def long_recurrence(rng: random.Random, source: torch.Generator) -> Case:
    """The label is in the first of 60 steps, and the cell forgets a half at each."""
    model = modules.Recurrent(nn.RNN, 8, 32, 2)
    nn.init.orthogonal_(model.cells.weight_hh_l0, gain=rng.choice([0.2, 0.4]))
    x = torch.randn(1500, 60, 8, generator=source)
    batches = tasks.cut(source, 64, x, (x[:, 0, 0] > 0).long())
    return _case(model, batches, torch.optim.SGD(model.parameters(), 0.1))


@deep("float16 overflow")
def half_precision(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, 64, 64, 10], nn.ReLU)
    with torch.no_grad():
        model[0].weight *= 300
        model[2].weight *= 300
        model[4].weight /= 90000
    best = torch.optim.SGD(model.half().parameters(), 1e-4)
    case = _case(model, [(100 * x.half(), y) for x, y in tasks.digits(source)], best)
    case.place = ("0", "2", "loss", "4")
    return case


class Logarithm(nn.Module):
    """log(x) or sqrt(x), as written in haste: not finite below 0, or without a slope at 0."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        return x.log() if self.kind == "log" else (x * (x > 0)).sqrt()


@deep("not finite")
def root_of_zero(rng: random.Random, source: torch.Generator) -> Case:
    kind = rng.choice(["log", "sqrt"])
    layers = list(modules.mlp([64, *[64] * rng.randint(2, 4), 10], nn.ReLU))
    place = rng.choice([k for k in range(1, len(layers), 2)])
    layers[place] = Logarithm(kind)
    model = nn.Sequential(*layers)
    case = _case(model, tasks.digits(source), torch.optim.Adam(model.parameters(), 1e-3))
    case.place = (str(place), str(place - 1), str(place + 1))
    return case
