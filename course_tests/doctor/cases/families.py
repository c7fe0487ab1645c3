"""Healthy networks of many kinds, drawn at random: width, depth, activation, optimizer."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_tests.doctor.cases import modules, tasks
from course_tests.doctor.cases.case import Case

FAMILIES: dict[str, Callable[[int], Case]] = {}
"""name: a function of a seed that draws a healthy case."""

DEVELOPMENT = (
    "mlp", "batch-norm mlp", "residual mlp", "conv", "lstm", "pre-norm transformer",
    "autoencoder", "regression", "binary", "siamese",
)  # fmt: skip
"""Families on which rules and thresholds were developed; all others are only ever scored."""


def family(function: Callable[[random.Random, torch.Generator], Case]) -> Callable[[int], Case]:
    """Registers a family under the function's name, as a function of the seed."""
    name = function.__name__.replace("_", " ").replace("pre ", "pre-").replace("post ", "post-")
    name = name.replace("batch norm", "batch-norm").replace("layer norm", "layer-norm")

    def draw(seed: int) -> Case:
        torch.manual_seed(seed)
        case = function(random.Random(seed), torch.Generator().manual_seed(seed))
        case.family = name
        return case

    FAMILIES[name] = draw
    return draw


def optimizer(rng: random.Random, model: nn.Module, size: float = 1.0) -> torch.optim.Optimizer:
    """One of those in common use, at a rate that is common for it."""
    p = model.parameters()
    return rng.choice([
        lambda: torch.optim.Adam(p, lr=size * rng.choice([1e-3, 2e-3, 3e-3])),
        lambda: torch.optim.AdamW(p, lr=size * rng.choice([1e-3, 3e-3]), weight_decay=0.01),
        lambda: torch.optim.SGD(p, lr=size * rng.choice([0.03, 0.05, 0.1]), momentum=0.9),
        lambda: torch.optim.RMSprop(p, lr=size * 1e-3),
    ])()  # fmt: skip


def classifier(model: nn.Module, batches: tasks.Batches, best: torch.optim.Optimizer) -> Case:
    """A case with cross-entropy."""
    return Case("", model, batches, functional.cross_entropy, best)


@family
def mlp(rng: random.Random, source: torch.Generator) -> Case:
    act = rng.choice([nn.ReLU, nn.Tanh, nn.GELU, nn.LeakyReLU, nn.ELU])
    depth = rng.randint(1, 4)
    model = modules.mlp([64, *[rng.choice([32, 64, 128])] * depth, 10], act)
    return classifier(model, tasks.digits(source), optimizer(rng, model))


@family
def batch_norm_mlp(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, *[rng.choice([32, 64])] * rng.randint(2, 6), 10], nn.ReLU, norm=True)
    return classifier(model, tasks.digits(source), optimizer(rng, model))


@family
def residual_mlp(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Residual(64, rng.choice([32, 64]), rng.randint(3, 16), 10)
    return classifier(model, tasks.digits(source), torch.optim.Adam(model.parameters(), 1e-3))


@family
def conv(rng: random.Random, source: torch.Generator) -> Case:
    c = rng.choice([8, 16])
    norm = rng.random() < 0.5
    model = nn.Sequential(
        nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c) if norm else nn.Identity(), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(c, 2 * c, 3, padding=1),
        nn.BatchNorm2d(2 * c) if norm else nn.Identity(), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(rng.choice([0.0, 0.25, 0.5])), nn.Linear(8 * c, 10),
    )  # fmt: skip
    return classifier(model, tasks.images(source), optimizer(rng, model, 0.7))


@family
def lstm(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Recurrent(nn.LSTM, 8, rng.choice([32, 64]), 10, layers=rng.randint(1, 2))
    return classifier(model, tasks.rows(source), torch.optim.Adam(model.parameters(), 5e-3))


@family
def pre_norm_transformer(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Encoder(60, 32, 4, rng.randint(1, 4), 4, pre=True)
    return classifier(model, tasks.tokens(source), torch.optim.AdamW(model.parameters(), 1e-3))


@family
def autoencoder(rng: random.Random, source: torch.Generator) -> Case:
    act = rng.choice([nn.ReLU, nn.Tanh, nn.GELU])
    model = modules.mlp([64, 48, rng.choice([8, 16]), 48, 64], act)
    batches = tasks.pictures_alone(source)
    best = torch.optim.Adam(model.parameters(), rng.choice([2e-3, 5e-3]))
    if rng.random() < 0.5:
        return Case("", model, batches, functional.mse_loss, best)
    return Case("", model, batches, functional.binary_cross_entropy_with_logits, best)


@family
def regression(rng: random.Random, source: torch.Generator) -> Case:
    act = rng.choice([nn.ReLU, nn.Tanh, nn.SiLU])
    model = modules.mlp([8, *[rng.choice([32, 64])] * rng.randint(1, 3), 1], act)
    loss = rng.choice([functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss])
    return Case("", model, tasks.numbers(source), loss, torch.optim.Adam(model.parameters(), 3e-3))


@family
def binary(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, *[rng.choice([32, 64])] * rng.randint(1, 3), 1], nn.ReLU)
    loss = functional.binary_cross_entropy_with_logits
    if rng.random() < 0.4:
        model, loss = nn.Sequential(*model, nn.Sigmoid()), functional.binary_cross_entropy
    return Case("", model, tasks.parity(source), loss, optimizer(rng, model))


@family
def siamese(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Siamese(64, rng.choice([32, 64]))
    best = torch.optim.Adam(model.parameters(), 2e-3)
    return Case("", model, tasks.pairs(source), functional.binary_cross_entropy_with_logits, best)


@family
def gru(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Recurrent(nn.GRU, 8, rng.choice([32, 64]), 10)
    return classifier(model, tasks.rows(source), torch.optim.Adam(model.parameters(), 5e-3))


@family
def rnn(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Recurrent(nn.RNN, 8, rng.choice([32, 64]), 10)
    return classifier(model, tasks.rows(source), torch.optim.Adam(model.parameters(), 3e-3))


@family
def post_norm_transformer(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Encoder(60, 32, 4, rng.randint(1, 3), 4, pre=False)
    return classifier(model, tasks.tokens(source), torch.optim.Adam(model.parameters(), 1e-3))


@family
def text_classifier(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.BagOfWords(60, rng.choice([16, 32]), 4)
    return classifier(model, tasks.tokens(source), torch.optim.Adam(model.parameters(), 1e-2))


@family
def residual_conv(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.ResNet(rng.choice([8, 12]), rng.randint(2, 4), 10)
    best = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    return classifier(model, tasks.images(source), best)


@family
def language_model(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.LanguageModel(20, rng.choice([32, 64]))
    best = torch.optim.Adam(model.parameters(), 5e-3)
    return Case("", model, tasks.text(source), modules.next_letter_loss, best)


@family
def selu_mlp(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.mlp([64, *[64] * rng.randint(4, 8), 10], nn.SELU)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)
    return classifier(model, tasks.digits(source), torch.optim.SGD(model.parameters(), 0.02, 0.9))


@family
def layer_norm_mlp(rng: random.Random, source: torch.Generator) -> Case:
    parts: list[nn.Module] = []
    for inputs in [64] * rng.randint(2, 5):
        parts += [nn.Linear(inputs, 64), nn.LayerNorm(64), nn.GELU()]
    model = nn.Sequential(*parts, nn.Linear(64, 10))
    return classifier(model, tasks.digits(source), optimizer(rng, model))


@family
def variational_autoencoder(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Variational(64, 64, rng.choice([4, 8]))
    best = torch.optim.Adam(model.parameters(), 3e-3)
    return Case("", model, tasks.pictures_alone(source), modules.variational_loss, best)


@family
def mixer(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Mixer(8, 8, 32, rng.randint(1, 3), 10)
    return classifier(model, tasks.rows(source), torch.optim.AdamW(model.parameters(), 2e-3))


@family
def softmax_regression(rng: random.Random, source: torch.Generator) -> Case:
    model = nn.Linear(64, 10)
    return classifier(model, tasks.digits(source), torch.optim.SGD(model.parameters(), 0.1))


@family
def log_softmax_mlp(rng: random.Random, source: torch.Generator) -> Case:
    model = nn.Sequential(*modules.mlp([64, 64, 10], nn.ReLU), nn.LogSoftmax(1))
    best = torch.optim.SGD(model.parameters(), 0.1)
    return Case("", model, tasks.digits(source), functional.nll_loss, best)


@family
def rezero(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.Residual(64, 64, rng.randint(6, 20), 10, zero=True)
    return classifier(model, tasks.digits(source), torch.optim.Adam(model.parameters(), 3e-3))


@family
def depthwise_conv(rng: random.Random, source: torch.Generator) -> Case:
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.SiLU(),
        nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.Conv2d(16, 32, 1), nn.GroupNorm(4, 32),
        nn.SiLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    return classifier(model, tasks.images(source), torch.optim.Adam(model.parameters(), 3e-3))


@family
def frozen_features(rng: random.Random, source: torch.Generator) -> Case:
    """A body that was trained before is frozen on purpose; a new head is trained."""
    model = modules.mlp([64, 64, 64, 10], nn.ReLU)
    before = torch.optim.Adam(model.parameters(), 3e-3)
    warm = Case("", model, tasks.digits(source), functional.cross_entropy, before)
    warm.steps(250)
    for p in model[:-1].parameters():
        p.requires_grad_(False)
    model[-1] = nn.Linear(64, 10)
    head = torch.optim.Adam(model[-1].parameters(), 1e-2)
    model.zero_grad()
    return classifier(model, tasks.digits(source), head)


@family
def multi_task(rng: random.Random, source: torch.Generator) -> Case:
    model = modules.TwoHeads(64, 64)
    batches = [((x, (y, (y > 4).float()))) for x, y in tasks.digits(source)]
    return Case("", model, batches, modules.two_losses, torch.optim.Adam(model.parameters(), 2e-3))


@family
def sequence_regression(rng: random.Random, source: torch.Generator) -> Case:
    """A number for a sequence (B, 12, 4), of the standard kind."""
    model = modules.Recurrent(nn.GRU, 4, rng.choice([24, 48]), 1)
    x = torch.randn(2000, 12, 4, generator=source)
    y = x[:, :, 0].mean(1) * 12**0.5 + torch.tanh(2 * x[:, -1, 1])
    batches = tasks.cut(source, 64, x, ((y - y.mean()) / y.std())[:, None])
    loss = rng.choice([functional.mse_loss, functional.l1_loss])
    return Case("", model, batches, loss, torch.optim.Adam(model.parameters(), 5e-3))


def scaled_pixels(x: Tensor) -> Tensor:
    """Pixels from 0 to 255, as they come from files."""
    return ((x - x.min()) / (x.max() - x.min()) * 255).round()


@family
def pixels_under_batch_norm(rng: random.Random, source: torch.Generator) -> Case:
    """Inputs from 0 to 255 are no illness where a norm comes first."""
    model = nn.Sequential(nn.BatchNorm1d(64), *modules.mlp([64, 64, 10], nn.ReLU))
    batches = [(scaled_pixels(x), y) for x, y in tasks.digits(source)]
    return classifier(model, batches, torch.optim.Adam(model.parameters(), 2e-3))
