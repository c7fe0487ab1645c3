"""Sums of two digits: a task on the same pictures that no linear map can do.

An example is two pictures side by side, its label the last digit of their sum: (a + b) mod 10. One
of the two alone says nothing about it: if b is any digit with the same probability, so is the sum,
whatever a is. A linear map adds what it makes of the one to what it makes of the other, and that is
no help, as it is none for the exclusive or (Minsky and Papert, "Perceptrons", 1969).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from course.arguments import whole
from course.data import Dataset
from course.seeding import generator


def sums(examples: Dataset, count: int = 6000, test: int = 1000) -> Dataset:
    """`count` random pairs of training pictures and `test` of test pictures, with their sums.

    Pictures may come in several pairs. ValueError unless there are ten classes.
    """
    whole("classes of examples", examples.outputs, least=10, most=10)
    channels, rows, columns = examples.shape
    x_train, y_train = _pairs(examples.x_train, examples.y_train, columns, count, "training")
    x_test, y_test = _pairs(examples.x_test, examples.y_test, columns, test, "test")
    return replace(
        examples, name=f"sums of {examples.name}", x_train=x_train, y_train=y_train,
        x_test=x_test, y_test=y_test, shape=(channels, rows, 2 * columns),
        classes=tuple(str(digit) for digit in range(10)),
    )  # fmt: skip


def _pairs(x: Tensor, y: Tensor, columns: int, count: int, purpose: str) -> tuple[Tensor, Tensor]:
    number = whole("count", count, least=1)
    pair = torch.randint(len(y), (2, number), generator=generator(0, f"{purpose} pairs"))
    left, right = x[pair].unflatten(2, (-1, columns))  # (count, channels * rows, columns) each
    return torch.cat([left, right], 2).flatten(1), y[pair].sum(0) % 10
