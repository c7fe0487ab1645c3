"""Pictures changed at random each time they are seen, so that a network can't learn them by heart.

The changes are drawn on the CPU, from the stream of each seed, and made on the device, all
replicas at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from course.arguments import reject, whole
from course.seeding import generator


@dataclass(frozen=True)
class CropAndFlip:
    """Each picture shifted by up to `padding` pixels each way, and every second one mirrored.

    It is put into a frame of `padding` pixels of the mean colour (0, in standardized pictures), and
    a part of its own size is cut out at a place drawn at random; it is mirrored left to right with
    probability 1/2. shape: (channels, rows, columns). Every replica has draws of its own, which
    depend on its seed and the epoch alone: replicas are separate runs in this, too.
    He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2015), section 4.2.
    """

    shape: tuple[int, int, int]
    padding: int = 4

    def __post_init__(self) -> None:
        if not isinstance(self.shape, Sequence) or len(self.shape) != 3:
            raise reject("shape", self.shape, "(channels, rows, columns) of a picture")
        whole("padding", self.padding)

    def draw(self, count: int, seeds: Sequence[int], epoch: int) -> Tensor:
        """Row and column of the cut, 0 to 2 padding, and 1 if mirrored: (R, count, 3), on the CPU.

        For the pictures of an epoch, in the order in which they are seen.
        """
        purpose, draws = f"crops of epoch {epoch}", []
        for seed in seeds:
            stream = generator(seed, purpose)
            places = torch.randint(2 * self.padding + 1, (count, 2), generator=stream)
            draws.append(torch.cat([places, torch.randint(2, (count, 1), generator=stream)], 1))
        return torch.stack(draws)

    def __call__(self, x: Tensor, draws: Tensor) -> Tensor:
        """The pictures x (R, B, d), changed as drawn (R, B, 3): (R, B, d)."""
        channels, rows, columns = self.shape
        pictures = functional.pad(x.reshape(-1, *self.shape), [self.padding] * 4)
        top, left, mirrored = draws.flatten(0, 1).unbind(1)
        across = torch.arange(columns, device=x.device).expand(len(pictures), columns)
        across = torch.where(mirrored[:, None] == 1, across.flip(1), across) + left[:, None]
        down = torch.arange(rows, device=x.device) + top[:, None]
        each = torch.arange(len(pictures), device=x.device)[:, None, None, None]
        colour = torch.arange(channels, device=x.device)[:, None, None]
        cut = pictures[each, colour, down[:, None, :, None], across[:, None, None, :]]
        return cut.reshape(x.shape)

    def check(self, size: int) -> None:
        """ValueError if rows of so many numbers are no pictures of this shape."""
        if math.prod(self.shape) != size:
            raise reject("shape of augment", self.shape, f"one of {size} numbers, as the data")
