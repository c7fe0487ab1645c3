"""A data set in memory: standardized float32 inputs and integer labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from course.arguments import reject, whole


@dataclass(frozen=True)
class Dataset:
    """Pictures as rows of numbers, with their labels, split into a training and a test set.

    name: as `data.load` knows it.
    x_train, x_test: (N, d) float32, each picture laid out as (channel, row, column), standardized:
        x = (pixel - mean) / sd, where pixels run from 0 (black) to 1 (white) and mean and sd are
        those of *all* pixels of the training set, one pair per colour channel.
    y_train, y_test: (N,) int64 labels, 0 to len(classes) - 1.
    classes: what each label means.
    shape: (channels, rows, columns), whose product is d.
    mean, sd: of the training set, one number per channel.
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raises ValueError that names what does not fit."""
        d, last = math.prod(self.shape), self.outputs - 1
        parts = {"train": (self.x_train, self.y_train), "test": (self.x_test, self.y_test)}
        for part, (x, y) in parts.items():
            if y.dim() != 1 or y.dtype != torch.int64 or not len(y):
                given = f"{tuple(y.shape)} of {y.dtype}"
                raise reject(f"y_{part}", given, "(N,) of torch.int64, N >= 1")
            if x.shape != (len(y), d) or x.dtype != torch.float32:
                given = f"{tuple(x.shape)} of {x.dtype}"
                raise reject(f"x_{part}", given, f"({len(y)}, {d}) of torch.float32")
            least, most = int(y.min()), int(y.max())
            if least < 0 or most > last:
                allowed = f"labels from 0 to {last}, since there are {self.outputs} classes"
                raise reject(f"y_{part}", f"labels from {least} to {most}", allowed)

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, {len(self.y_train):,} training and {len(self.y_test):,} test "
            f"pictures of shape {self.shape}, {self.outputs} classes)"
        )

    @property
    def inputs(self) -> int:
        """Numbers per picture, d."""
        return self.x_train.shape[1]

    @property
    def outputs(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def subset(self, n: int, test: int | None = None) -> Dataset:
        """The first n training pictures and the first `test` test pictures, scaled as before.

        test: all of them if None. The sets come in no particular order, so the first n are a fair
        sample of them.
        """
        whole("n", n, least=1, most=len(self.y_train))
        most = len(self.y_test)
        test = most if test is None else whole("test", test, least=1, most=most)
        return replace(
            self, x_train=self.x_train[:n], y_train=self.y_train[:n],
            x_test=self.x_test[:test], y_test=self.y_test[:test],
        )  # fmt: skip

    def pictures(self, x: Tensor) -> np.ndarray:
        """Rows of x (..., d) as pictures to look at: (..., rows, columns, channels) in [0, 1].

        One channel is left out: grey pictures are (..., rows, columns).
        """
        images = x.detach().cpu().reshape(*x.shape[:-1], *self.shape)
        mean, sd = (torch.tensor(v).reshape(-1, 1, 1) for v in (self.mean, self.sd))
        pixels = (images * sd + mean).clamp(0, 1).movedim(-3, -1).squeeze(-1)
        return pixels.numpy()


CHUNK = 1000
"""Pictures that are counted at once: numpy makes eight bytes of each pixel to count it."""

Labelled = tuple[np.ndarray, np.ndarray]
"""Pictures (N, d) uint8 and labels (N,) uint8."""


def standardized(
    name: str,
    train: Labelled,
    test: Labelled,
    *,
    classes: tuple[str, ...],
    shape: tuple[int, int, int],
    white: int,
) -> Dataset:
    """A Dataset from integer pixels, of which `white` is the brightest."""
    channels = shape[0]
    counts = np.zeros((channels, 256))
    for start in range(0, len(train[0]), CHUNK):
        part = train[0][start : start + CHUNK].reshape(-1, channels, shape[1] * shape[2])
        for channel in range(channels):
            counts[channel] += np.bincount(part[:, channel].ravel(), minlength=256)
    levels = np.arange(256) / white
    mean = counts @ levels / counts.sum(axis=1)
    sd = np.sqrt((counts * (levels - mean[:, None]) ** 2).sum(axis=1) / counts.sum(axis=1))

    def scale(images: np.ndarray) -> Tensor:
        x = images.astype(np.float32).reshape(len(images), channels, -1)
        x -= (mean * white).astype(np.float32)[:, None]
        x /= (sd * white).astype(np.float32)[:, None]
        return torch.from_numpy(x.reshape(len(images), -1))

    x_train, x_test = scale(train[0]), scale(test[0])
    y_train, y_test = (torch.tensor(part[1].astype(np.int64)) for part in (train, test))
    return Dataset(
        name,
        x_train,
        y_train,
        x_test,
        y_test,
        classes,
        shape,
        tuple(mean.tolist()),
        tuple(sd.tolist()),
    )
