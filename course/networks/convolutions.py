"""Layers of convolutional networks that hold R replicas side by side.

A signal is (R, batch, channels, rows, columns): feature maps, with the replicas in front as in
`layers`. To torch's convolution the channels of all replicas are those of one network, in R groups
that never meet; `side_by_side` and `apart` go from one reading to the other without a copy.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from course import arguments
from course.networks import initializers
from course.networks.initializers import Law
from course.networks.layers import BatchNorm, in_a_row, one_by_one


def side_by_side(x: Tensor) -> Tensor:
    """(R, batch, channels, rows, columns) as (batch, R channels, rows, columns).

    On a GPU the channels come last in memory, as its convolutions want them.
    """
    maps = x.transpose(0, 1).flatten(1, 2)
    return maps.contiguous(memory_format=torch.channels_last) if maps.is_cuda else maps


def apart(maps: Tensor, replicas: int) -> Tensor:
    """The inverse of `side_by_side`."""
    return maps.unflatten(1, (replicas, -1)).transpose(0, 1)


class Convolution(nn.Module):
    """y = x * W + b for each replica: W (R, channels out, channels in, size, size), b (R, out).

    x: (R, batch, channels in, rows, columns). Zeros are put around it, so with stride 1 the maps
    keep their size, and with stride 2 they have half of the rows and columns, rounded up.
    One generator per replica draws W by the law `init`: that of a linear layer from a patch of
    size^2 channels_in numbers to channels_out. bias: None (none) or a number for every channel.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        generators: Sequence[Generator],
        *,
        size: int = 3,
        stride: int = 1,
        init: str | Law = "he_normal",
        bias: float | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        arguments.one_of("size", size, (1, 3))
        self.stride = arguments.whole("stride", stride, least=1)
        arguments.whole("channels_in", channels_in, least=1)
        patch = size * size * channels_in
        drawn = initializers.replicate(init, patch, channels_out, generators)
        kernel = drawn.mT.reshape(len(drawn), channels_out, channels_in, size, size)
        self.weight = nn.Parameter(kernel.to(dtype).contiguous())
        self.bias: nn.Parameter | None = None
        if bias is not None:
            value = arguments.real("bias", bias)
            self.bias = nn.Parameter(self.weight.new_full((len(drawn), channels_out), value))

    def kernel(self) -> Tensor:
        """What the maps are convolved with, of the shape of W."""
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        replicas, _, channels, size, _ = self.weight.shape
        if x.dim() != 5 or x.shape[0] != replicas or x.shape[2] != channels:
            allowed = f"({replicas}, batch, {channels}, rows, columns)"
            raise arguments.reject("shape of x", tuple(x.shape), allowed)
        maps = functional.conv2d(
            side_by_side(x),
            self.kernel().flatten(0, 1),
            None if self.bias is None else self.bias.flatten(),
            stride=self.stride,
            padding=size // 2,
            groups=replicas,
        )
        return apart(maps, replicas)

    def extra_repr(self) -> str:
        replicas, out, channels, size, _ = self.weight.shape
        text = f"{channels}, {out}, size={size}, stride={self.stride}, replicas={replicas}"
        return text if self.bias is None else f"{text}, bias=True"


class DiracConvolution(Convolution):
    """y = x * (diag(a) I + diag(b) W_unit): a convolution that starts near the identity.

    I passes each channel on as it is (where there are more channels out than in, the rest get
    nothing), W_unit is W with the weights into each channel scaled to length 1. a (ones at the
    start) and b (0.1): (R, channels out), learned.
    Zagoruyko and Komodakis, "DiracNets" (2017), "Dirac parameterization".
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        generators: Sequence[Generator],
        **options: object,
    ) -> None:
        super().__init__(channels_in, channels_out, generators, **options)  # type: ignore[arg-type]
        replicas = len(self.weight)
        self.a = nn.Parameter(self.weight.new_ones(replicas, channels_out))
        self.b = nn.Parameter(self.weight.new_full((replicas, channels_out), 0.1))
        identity = nn.init.dirac_(torch.empty_like(self.weight[0]))
        self.register_buffer("identity", identity, persistent=False)

    identity: Tensor

    def kernel(self) -> Tensor:
        """diag(a) I + diag(b) W_unit, of the shape of W."""
        unit = functional.normalize(self.weight.flatten(2), dim=2).view_as(self.weight)
        a, b = (each[..., None, None, None] for each in (self.a, self.b))
        return a * self.identity + b * unit


class MapNorm(BatchNorm):
    """Batch norm of feature maps: y = scale (x - mean) / sqrt(variance + epsilon) + shift.

    x: (R, batch, width, rows, columns); per replica and channel, with the mean and the variance
    over examples and places. All else is as in `BatchNorm`: scale, shift and the running averages
    are (R, 1, width), one number a channel.
    Ioffe and Szegedy, "Batch normalization" (2015), section 3.2.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 5 or x.shape[0] != len(self.scale) or x.shape[2] != self.scale.shape[2]:
            allowed = f"({len(self.scale)}, batch, {self.scale.shape[2]}, rows, columns)"
            raise arguments.reject("shape of x", tuple(x.shape), allowed)
        here = self.training or self.evaluated_batches > 0
        count = self.batches(x.shape[1]) if here else 1
        running = self.training or not here
        maps = functional.batch_norm(
            side_by_side(one_by_one(x, count)),
            self.running_mean.view(-1) if running else None,
            self.running_variance.view(-1) if running else None,
            self.scale.expand(-1, count, -1).flatten(),
            self.shift.expand(-1, count, -1).flatten(),
            training=here,
            momentum=self.momentum,
            eps=self.epsilon,
        )
        return in_a_row(apart(maps, len(x) * count), count)


class GlobalAverage(nn.Module):
    """The mean of each map over its places: (R, batch, C, rows, columns) -> (R, batch, C).

    Lin, Chen and Yan, "Network in network" (2013), section 3.2.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((3, 4))
