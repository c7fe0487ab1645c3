"""Small problems as lists of shuffled batches: digits, tokens, sequences, pairs, numbers."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from course import data

Batches = list[tuple[Tensor, ...]]


@cache
def _digits() -> tuple[Tensor, Tensor]:
    digits = data.digits()
    return torch.as_tensor(digits.x_train).float(), torch.as_tensor(digits.y_train).long()


def cut(source: torch.Generator, size: int, *parts: Tensor, most: int = 60) -> Batches:
    """Batches of `size` examples, shuffled: one pass through the data, at most so many."""
    order = torch.randperm(len(parts[0]), generator=source)
    full = [rows for rows in order.split(size) if len(rows) == size]
    return [tuple(part[rows] for part in parts) for rows in full[:most]]


def digits(source: torch.Generator, size: int = 64) -> Batches:
    """Pixels (B, 64), standardized, and labels 0 to 9."""
    return cut(source, size, *_digits())


def images(source: torch.Generator, size: int = 64) -> Batches:
    """The same as images (B, 1, 8, 8)."""
    x, y = _digits()
    return cut(source, size, x.view(-1, 1, 8, 8), y)


def rows(source: torch.Generator, size: int = 64) -> Batches:
    """The same as sequences of 8 rows of 8 pixels, (B, 8, 8)."""
    x, y = _digits()
    return cut(source, size, x.view(-1, 8, 8), y)


def parity(source: torch.Generator, size: int = 64) -> Batches:
    """Digits with the label (B, 1) whether it is over 4, as floats."""
    x, y = _digits()
    return cut(source, size, x, (y > 4).float()[:, None])


def numbers(source: torch.Generator, size: int = 64, inputs: int = 8) -> Batches:
    """A smooth function of 8 normal numbers, with a little noise: x (B, 8), y (B, 1)."""
    x = torch.randn(2000, inputs, generator=source)
    weights = torch.randn(inputs, 4, generator=source) / inputs**0.5
    y = torch.sin(1.5 * x @ weights).sum(1, keepdim=True) + x[:, :1]
    noise = 0.05 * torch.randn(2000, 1, generator=source)
    return cut(source, size, x, (y - y.mean()) / y.std() + noise)


def pictures_alone(source: torch.Generator, size: int = 64) -> list[Any]:
    """Pixels (B, 64) between 0 and 1, for autoencoders."""
    x, _ = _digits()
    low, high = x.min(0).values, x.max(0).values
    return [part[0] for part in cut(source, size, (x - low) / (high - low).clamp(min=1e-6))]


def tokens(source: torch.Generator, size: int = 32, length: int = 16, words: int = 60) -> Batches:
    """Sequences (B, 16) of words; the label is one of 4 topics, whose words are more frequent."""
    y = torch.randint(4, (1600,), generator=source)
    x = torch.randint(words, (1600, length), generator=source)
    own = torch.rand(1600, length, generator=source) < 0.4
    topical = y[:, None] * 10 + torch.randint(10, (1600, length), generator=source)
    return cut(source, size, torch.where(own, topical, x), y)


def text(source: torch.Generator, size: int = 32, length: int = 24, letters: int = 20) -> Batches:
    """Sequences of letters (B, 24) from a random chain, and the next letters (B, 24)."""
    chain = torch.softmax(2.5 * torch.randn(letters, letters, generator=source), 1)
    x = torch.zeros(1600, length + 1, dtype=torch.long)
    x[:, 0] = torch.randint(letters, (1600,), generator=source)
    for place in range(length):
        x[:, place + 1] = torch.multinomial(chain[x[:, place]], 1, generator=source)[:, 0]
    return cut(source, size, x[:, :-1], x[:, 1:])


def pairs(source: torch.Generator, size: int = 64) -> Batches:
    """Two digits (B, 64) each, and whether they are the same number, as floats (B,)."""
    x, y = _digits()
    first = torch.randint(len(x), (3000,), generator=source)
    second = torch.randint(len(x), (3000,), generator=source)
    same = torch.rand(3000, generator=source) < 0.5
    partner = torch.stack([
        torch.nonzero(y == y[k])[int(torch.randint((y == y[k]).sum(), (1,), generator=source)), 0]
        for k in first
    ])  # fmt: skip
    second = torch.where(same, partner, second)
    return cut(source, size, x[first], x[second], (y[first] == y[second]).float())
