"""The networks that the families are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


def mlp(sizes: Sequence[int], act: Callable[[], nn.Module], norm: bool = False) -> nn.Sequential:
    """Linear layers of these sizes with activations (and batch norm) between."""
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        parts += [nn.Linear(inputs, outputs), *([nn.BatchNorm1d(outputs)] if norm else []), act()]
    return nn.Sequential(*parts, nn.Linear(sizes[-2], sizes[-1]))


class Residual(nn.Module):
    """x + branch(x), with layer norm in the branch, or with a factor that starts at 0."""

    def __init__(self, inputs: int, width: int, depth: int, outputs: int, zero: bool = False):
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Identity() if zero else nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(),
                nn.Linear(width, width),
            )
            for _ in range(depth)
        )  # fmt: skip
        self.alpha = nn.Parameter(torch.zeros(depth)) if zero else None
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for place, block in enumerate(self.blocks):
            x = x + (block(x) if self.alpha is None else self.alpha[place] * block(x))
        return self.head(x)


class Recurrent(nn.Module):
    """An RNN of some kind over (B, T, n), and a linear layer on its last output."""

    def __init__(self, kind: Callable[..., nn.Module], inputs: int, width: int, outputs: int,
                 layers: int = 1):  # fmt: skip
        super().__init__()
        self.cells = kind(inputs, width, num_layers=layers, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cells(x)[0][:, -1])


class Encoder(nn.Module):
    """torch's transformer encoder over tokens, mean over positions, and a linear layer."""

    def __init__(self, words: int, width: int, heads: int, depth: int, outputs: int, pre: bool):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.position = nn.Parameter(0.02 * torch.randn(64, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.1, batch_first=True, norm_first=pre
        )
        self.body = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x) + self.position[: x.shape[1]]
        return self.head(self.body(x).mean(1))


class PostNorm(nn.Module):
    """Residual blocks h -> norm(h + F(h)): the norm after the sum, as in the first transformers."""

    def __init__(self, inputs: int, width: int, depth: int, outputs: int):
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.branches = nn.ModuleList(mlp([width, 2 * width, width], nn.ReLU) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for branch, norm in zip(self.branches, self.norms, strict=True):
            x = norm(x + branch(x))
        return self.head(x)


class BagOfWords(nn.Module):
    """The mean of embeddings, and a linear layer."""

    def __init__(self, words: int, width: int, outputs: int):
        super().__init__()
        self.embedding = nn.EmbeddingBag(words, width)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.embedding(x))


class ResNet(nn.Module):
    """Residual blocks of two convolutions with batch norm, and an average over places."""

    def __init__(self, width: int, depth: int, outputs: int):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
            )
            for _ in range(depth)
        )  # fmt: skip
        self.head = nn.Linear(4 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        for block in self.blocks:
            x = (x + block(x)).relu()
        return self.head(functional.adaptive_avg_pool2d(x, 2).flatten(1))


class LanguageModel(nn.Module):
    """The next letter from the letters so far: embedding, GRU, logits (B, T, letters)."""

    def __init__(self, letters: int, width: int):
        super().__init__()
        self.embedding = nn.Embedding(letters, width)
        self.cells = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, letters)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cells(self.embedding(x))[0])


def next_letter_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy over all places."""
    return functional.cross_entropy(logits.flatten(0, 1), y.flatten())


class Siamese(nn.Module):
    """One body for two inputs; a linear layer judges the distance of their codes, unit by unit."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.body = mlp([inputs, width, width], nn.ReLU)
        self.head = nn.Linear(width, 1)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        distance = (self.body(one) - self.body(other)).abs()
        return self.head(distance).squeeze(1)


class Variational(nn.Module):
    """A variational autoencoder: returns logits, mean and log variance of the code."""

    def __init__(self, inputs: int, width: int, code: int):
        super().__init__()
        self.encoder = mlp([inputs, width, 2 * code], nn.ReLU)
        self.decoder = mlp([code, width, inputs], nn.ReLU)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encoder(x).chunk(2, 1)
        code = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decoder(code), mean, log_variance


def variational_loss(outputs: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    """Reconstruction plus the distance of the code from a standard normal, per example."""
    logits, mean, log_variance = outputs
    fit = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    distance = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
    return (fit + distance) / len(x)


class Mixer(nn.Module):
    """Mixes over places, then over channels, with skips (B, T, n)."""

    def __init__(self, places: int, inputs: int, width: int, depth: int, outputs: int):
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.over_places = nn.ModuleList(mlp([places, 16, places], nn.GELU) for _ in range(depth))
        self.over_channels = nn.ModuleList(mlp([width, 64, width], nn.GELU) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * depth))
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for k, (places, channels) in enumerate(
            zip(self.over_places, self.over_channels, strict=True)
        ):
            x = x + places(self.norms[2 * k](x).mT).mT
            x = x + channels(self.norms[2 * k + 1](x))
        return self.head(x.mean(1))


class TwoHeads(nn.Module):
    """One body, ten classes and one yes or no."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, width), nn.ReLU())
        self.classes, self.yes = nn.Linear(width, 10), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.classes(x), self.yes(x).squeeze(1)


def two_losses(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the classes plus that of the yes or no."""
    one = functional.cross_entropy(outputs[0], targets[0])
    return one + functional.binary_cross_entropy_with_logits(outputs[1], targets[1])
