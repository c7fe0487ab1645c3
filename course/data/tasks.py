"""Tasks which draw fresh examples at each step, so that no data set has to be learned by heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from course.arguments import one_of, whole
from course.seeding import generator


class Task(Protocol):
    """A source of fresh examples: each step sees new ones, so there is no training set."""

    inputs: int
    outputs: int
    power: float  # mean square of a target component: predicting 0 has relative squared error 1

    def draw(self, seed: int, source: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
        """`count` examples: inputs (count, inputs) and targets (count, outputs), float32.

        What the seed fixes (a target map, say) is the same in each call; `source` is the
        randomness of the examples.
        """


@dataclass(frozen=True)
class LinearTeacher:
    """Learn a linear map from examples: x ~ N(0, I), y = x A, A `size` x `size`.

    `target` "orthogonal": A is drawn uniformly from the orthogonal matrices, another one for each
    seed; "identity": A = I.
    """

    size: int = 64
    target: str = "orthogonal"
    power = 1.0  # both kinds of A preserve the variance of x

    def __post_init__(self) -> None:
        whole("size", self.size, least=1)
        one_of("target", self.target, ("orthogonal", "identity"))

    @property
    def inputs(self) -> int:
        """Length of x."""
        return self.size

    @property
    def outputs(self) -> int:
        """Length of y."""
        return self.size

    def matrix(self, seed: int) -> Tensor:
        """The map A of this seed, (size, size)."""
        if self.target == "identity":
            return torch.eye(self.size)
        normal = torch.randn(self.size, self.size, generator=generator(seed, "linear teacher"))
        q, r = torch.linalg.qr(normal)
        return q * r.diagonal().sign()  # makes the law uniform (Mezzadri 2007)

    def draw(self, seed: int, source: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
        """`count` fresh pairs (x, x A)."""
        x = torch.randn(count, self.size, generator=source)
        return x, x @ self.matrix(seed)


def draw(
    task: Task,
    seeds: tuple[int, ...],
    purpose: str,
    count: int,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor]:
    """`count` examples of the task for each seed: inputs (R, count, d), targets (R, count, k).

    They are drawn in float32 whatever `dtype` says: a run in float64 sees the same numbers.
    """
    pairs = [task.draw(seed, generator(seed, purpose), count) for seed in seeds]
    x, y = zip(*pairs, strict=True)
    return torch.stack(x).to(device, dtype), torch.stack(y).to(device, dtype)
