"""Data of the public cases: of the posts' own formulas, or of the same shape and kind."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course import data
from course_tests.doctor.cases.tasks import Batches

Pair = tuple[Tensor, Tensor]


def draw(words: str, batch: int, source: torch.Generator) -> Batches:
    """Batches of the data that a line of the table names, shuffled, at most 60.

    words: the name of a function here with its numbers, then "standardized", "y (N,)" and the like.
    """
    name, *changes = [part.strip() for part in words.split(",", 1)]
    kind = name.rstrip("0123456789 ")
    numbers = [int(part) for part in name[len(kind) :].split()]
    x, y = KINDS[kind](source, *numbers)
    for change in changes:
        if change == "standardized":
            x = (x - x.mean(0)) / x.std(0).clamp(min=1e-9)
            y = (y - y.mean()) / y.std() if y.is_floating_point() and y.unique().numel() > 2 else y
        elif change == "y (N,)":
            y = y[:, 0]
        elif change == "labels over 255":
            y = (y / 255).long()
    order = torch.randperm(len(x), generator=source)
    parts = [rows for rows in order.split(batch) if len(rows) == min(batch, len(x))]
    return [(x[rows], y[rows]) for rows in parts[:60]]


def _normal(source: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=source)


def _uniform(source: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=source)


def _xor(source: torch.Generator) -> Pair:
    x = torch.tensor([[1.0, 1], [1, 0], [0, 0], [0, 1]])
    return x, torch.tensor([[0.0], [1], [0], [1]])


def _table(source: torch.Generator, columns: int, most: int, classes: int) -> Pair:
    """Columns of positive numbers, from 1 up to `most` in size; a plane parts the classes."""
    size = most ** torch.linspace(0, 1, columns)
    x = _normal(source, 1500, columns)
    y = ((x.sum(1) / columns**0.5).sigmoid() * classes).long().clamp(max=classes - 1)
    return (x.abs() + x.sign() * 0.3) * size, y


def _ones_and_zeros(source: torch.Generator, width: int) -> Pair:
    y = (_uniform(source, 0, 1, 2000, 1) > 0.5).float()
    return y.expand(2000, width).clone(), y


def _weighted_sums(source: torch.Generator) -> Pair:
    x = _uniform(source, 0, 10000, 2000, 3)
    return x, x @ torch.tensor([[1.0], [0.5], [0.25]]) + 1.1


def _several_labels(source: torch.Generator, columns: int, classes: int) -> Pair:
    """Counts of words, and any number of labels at once."""
    y = (_uniform(source, 0, 1, 2000, classes) < 0.5).float()
    law = torch.rand(classes, columns, generator=source).square()
    return torch.poisson(2 * (y @ law) + 0.3, generator=source), y


def _permuted_bits(source: torch.Generator, bits: int) -> Pair:
    x = (torch.arange(2**bits)[:, None] >> torch.arange(bits)) % 2
    return x.float(), x[torch.randperm(2**bits, generator=source)].float()


def _letter_codes(source: torch.Generator) -> Pair:
    x = torch.randint(65, 71, (300, 3), generator=source).float()
    return x, (x.diff(dim=1).gt(0).sum(1, keepdim=True) == 2).float()


def _packets(source: torch.Generator) -> Pair:
    """Addresses of 3e9, lengths, ports and flags."""
    attack = (_uniform(source, 0, 1, 100, 1) > 0.5).float()
    sizes = torch.tensor([3.2e9, 3.2e9, 6, 128, 5.2e5, 5e4, 12, 61, 6, 1, 206])
    noise = torch.tensor([10, 10, 0, 0, 256, 2e4, 0, 0, 0, 0, 0.0])
    flags = torch.cat([torch.ones(100, 6), attack.expand(100, 5)], 1)
    return sizes * flags + noise * _normal(source, 100, 11).abs(), attack


def _two_classes(source: torch.Generator, columns: int) -> Pair:
    x = _normal(source, 1500, columns)
    return x, (x.sum(1, keepdim=True) > 0).float()


def _sizes_and_a_flag(source: torch.Generator) -> Pair:
    x = _uniform(source, 15000, 25000, 1000, 1)
    return x, (x + 3000 * _normal(source, 1000, 1) < 20000).float()


def _parabola(source: torch.Generator) -> Pair:
    x = torch.arange(-10, 10.1, 0.1)[:, None]
    return x, x**2 + 3


def _small_numbers(source: torch.Generator, columns: int) -> Pair:
    x = _normal(source, 17, columns)
    y = (0.8 + 0.9 * _normal(source, 17, 1)).abs()
    y[0] = -1.053
    return x + 0.5, y


def _five_squares(source: torch.Generator) -> Pair:
    x = torch.arange(0, 5, 0.1)[:, None]
    return x, 5 * x**2 + _normal(source, 50, 1) ** 3


def _two_squares(source: torch.Generator) -> Pair:
    one, two = _uniform(source, 0.2, 0.4, 100, 2), _uniform(source, 0.5, 0.7, 100, 2)
    return torch.cat([one, two]), torch.arange(2).repeat_interleave(100)


def _fourth_powers(source: torch.Generator) -> Pair:
    x = torch.arange(-100, 100, 0.5)[:, None]
    return x, x**4


def _flowers(source: torch.Generator) -> Pair:
    """Means and spreads of the four measures of three species of iris."""
    means = torch.tensor([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    sds = torch.tensor([[0.35, 0.38, 0.17, 0.1], [0.52, 0.31, 0.47, 0.2], [0.64, 0.32, 0.55, 0.27]])
    y = torch.arange(3).repeat_interleave(50)
    return means[y] + sds[y] * _normal(source, 150, 4), y


def _words(source: torch.Generator, words: int, classes: int) -> Pair:
    """Which of 1,000 words are in a text; each class has words of its own."""
    y = torch.randint(classes, (2500,), generator=source)
    law = 0.05 + 0.4 * (torch.rand(classes, words, generator=source) < 0.03).float()
    return torch.bernoulli(law[y], generator=source), y


def _circles(source: torch.Generator) -> Pair:
    y = (_uniform(source, 0, 1, 1000, 1) > 0.5).float()
    angle = _uniform(source, 0, 6.2832, 1000, 1)
    x = (1 - 0.5 * y) * torch.cat([angle.cos(), angle.sin()], 1)
    return x + 0.1 * _normal(source, 1000, 2), y


def _blobs(source: torch.Generator) -> Pair:
    y = torch.randint(3, (1000,), generator=source)
    centres = torch.tensor([[-1.5, -9.5], [4.5, -4.0], [-10.0, -3.5]])
    return centres[y] + 2 * _normal(source, 1000, 2), y


def _line(source: torch.Generator) -> Pair:
    x = _normal(source, 100, 2)
    return x, 10 + 9 * x[:, :1] - 2 * x[:, 1:] + _normal(source, 100, 1)


def _sums_of_three(source: torch.Generator) -> Pair:
    x = _uniform(source, 0, 1, 1024, 3)
    return x, x.sum(1, keepdim=True)


def _three_clouds(source: torch.Generator, columns: int) -> Pair:
    y = torch.randint(3, (1000,), generator=source)
    return 2 * _normal(source, 3, columns)[y] + _normal(source, 1000, columns), y


def _large_numbers(source: torch.Generator, columns: int) -> Pair:
    x = _uniform(source, 2, 600, 40, columns)
    return x, 50 * x.sum(1, keepdim=True) + 300 * _normal(source, 40, 1)


def _squares_to_100(source: torch.Generator) -> Pair:
    x = torch.arange(100.0)[:, None]
    return (x - x.mean()) / x.std(), x**2 + 3


def _lines_to_100(source: torch.Generator) -> Pair:
    x = torch.arange(100.0)[:, None]
    return x, 2 * x + 3


def _bits_to_large_numbers(source: torch.Generator, bits: int) -> Pair:
    x = (_uniform(source, 0, 1, 2000, bits) > 0.5).float()
    return x, x @ _uniform(source, 0, 100, bits, 1)


def _digits(source: torch.Generator, side: int) -> Pair:
    """Digits from 0 to 1, enlarged, as rows of side * side numbers."""
    x, y = _images(source, side)
    return x.flatten(1), y


def _pixels(source: torch.Generator, side: int) -> Pair:
    x, y = _digits(source, side)
    return (x * 255).round(), y


def _images(source: torch.Generator, side: int) -> Pair:
    digits = data.digits()
    x = torch.as_tensor(digits.x_train).float().view(-1, 1, 8, 8)
    x = ((x - x.min()) / (x.max() - x.min())).clamp(0, 1)
    y = torch.as_tensor(digits.y_train).long()
    return functional.interpolate(x, (side, side), mode="bilinear").clamp(0, 1), y


def _four_numbers(source: torch.Generator) -> Pair:
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    return x, torch.tensor([[1.0], [2], [3], [4]])


def _percentages(source: torch.Generator) -> Pair:
    x = _uniform(source, 0, 100, 500, 1)
    return x, 5 * x + 3 + 0.1 * _normal(source, 500, 1)


def _two_by_four(source: torch.Generator) -> Pair:
    return _uniform(source, 0, 0.4, 2, 4), _uniform(source, 0, 1, 2, 2)


KINDS = {
    "xor": _xor, "table": _table, "ones and zeros": _ones_and_zeros,
    "weighted sums": _weighted_sums, "several labels": _several_labels,
    "permuted bits": _permuted_bits, "letter codes": _letter_codes, "packets": _packets,
    "two classes": _two_classes, "sizes and a flag": _sizes_and_a_flag, "parabola": _parabola,
    "small numbers": _small_numbers, "five squares": _five_squares, "two squares": _two_squares,
    "fourth powers": _fourth_powers, "flowers": _flowers, "words": _words, "circles": _circles,
    "blobs": _blobs, "a line": _line, "sums of three": _sums_of_three,
    "three clouds": _three_clouds, "large numbers": _large_numbers,
    "squares to": lambda source, most: _squares_to_100(source),
    "lines to": lambda source, most: _lines_to_100(source),
    "bits to large numbers": _bits_to_large_numbers, "digits": _digits, "pixels": _pixels,
    "images": _images, "two by four": _two_by_four, "four numbers": _four_numbers,
    "percentages": _percentages,
}  # fmt: skip
