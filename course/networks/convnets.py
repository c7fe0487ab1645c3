"""The convolutional networks of the course: what they are made from. Depth 8 n + 2.

A 3 x 3 convolution; four blocks of n residual units with w, 2 w, 4 w and 8 w channels; norm,
activation, the mean over places, and a linear read-out. A unit has two layers, so the depth, which
counts layers of weights from the first to the read-out, is 8 n + 2. With F(h) two times norm,
activation, 3 x 3 convolution, a unit is

    plain         h <- F(h)
    resnet        h <- F(h) + P h
    highway       h <- T F(h) + (1 - T) P h,      T = sigmoid(h * W_T + b_T)
    diracnet      h <- F(h),                      its kernels start near the identity
    van, van0     h <- F(h) + (1 - alpha) P h,    alpha from 0 (skip) to 1 (none), for each channel

The first unit of blocks 2 to 4 halves rows and columns: its first convolution has stride 2, and
there P is a projection, a 1 x 1 convolution with stride 2 ("y = F(x) + W_s x"). Elsewhere P h = h.
So a VAN with alpha = 0 is a resnet and one with alpha = 1 a plain network, whose weights it has;
only its projections are left over. No convolution has a bias: a norm comes after each.

Sources: Monti, Tootoonian and Cao, "Avoiding degradation in deep feed-forward networks by phasing
out skip-connections" (2018), section 4.2 and eq. 1. The unit: He, Zhang, Ren and Sun, "Identity
mappings in deep residual networks" (2016), figure 4(e). The paper does not say how many
channels there are. With w = 16 a network has 0.7 million parameters at depth 18 (w = 32: 2.8, 64:
11.2; at depth 26: 1.1, 4.4, 17.4), and networks of that size were published with errors near 7 % on
CIFAR-10 (ResNet-44 and 56, He et al. 2015, table 6), where the paper's table 1 has 6.2 to 6.5 %.
So w is larger than 16; 32 and 64 both fit.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import nn

from course import arguments, seeding
from course.networks import units
from course.networks.architectures import Recipe
from course.networks.blocks import PreActivation
from course.networks.convolutions import Convolution, DiracConvolution, GlobalAverage, MapNorm
from course.networks.layers import Activation

BLOCKS = 4


@dataclass(frozen=True, kw_only=True)
class ConvPlain(Recipe):
    """Units F one after another; see `networks.convolutional`."""

    name = "plain"
    ends: ClassVar[bool] = True
    kind: ClassVar[type[Convolution]] = Convolution  # of the branches
    width: int
    shape: tuple[int, int, int]
    inputs: int = field(init=False)
    bias: bool = field(init=False, default=True)  # of the read-out

    def __post_init__(self) -> None:
        if not isinstance(self.shape, Sequence) or len(self.shape) != 3:
            raise arguments.reject("shape", self.shape, "(channels, rows, columns) of a picture")
        shape = tuple(arguments.whole("shape", size, least=1) for size in self.shape)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "inputs", math.prod(shape))
        arguments.whole("width", self.width, least=1)
        arguments.whole("outputs", self.outputs, least=1)
        if arguments.whole("depth", self.depth, least=10) % 8 != 2:
            raise arguments.reject("depth", self.depth, "8 n + 2: 10, 18, 26, 34, ...")
        arguments.one_of("norm", self.norm, ("batch", None))
        super().__post_init__()

    @property
    def sizes(self) -> Iterator[tuple[str, int, int, int]]:
        """Of each unit its name, channels in, channels out, and stride."""
        channels, per_block = self.width, (self.depth - 2) // (2 * BLOCKS)
        for number in range(BLOCKS * per_block):
            block, place = divmod(number, per_block)
            out = self.width * 2**block
            yield f"unit {number + 1}", channels, out, 2 if block and not place else 1
            channels = out

    def parts(self) -> tuple[nn.Module, list[nn.Module], nn.Module]:
        units = [self.unit(*size) for size in self.sizes]
        pictures = nn.Unflatten(2, self.shape)
        stem = nn.Sequential(pictures, self.convolution("stem", self.shape[0], self.width))
        last = self.width * 2 ** (BLOCKS - 1)
        head = self.linear("head", last, self.outputs)
        return stem, units, nn.Sequential(*self.norm_act(last), GlobalAverage(), head)

    def unit(self, name: str, fan_in: int, fan_out: int, stride: int) -> nn.Module:
        """The unit of that name."""
        return nn.Sequential(OrderedDict(residual=self.residual(name, fan_in, fan_out, stride)))

    def residual(self, name: str, fan_in: int, fan_out: int, stride: int) -> nn.Module:
        """F: norm, activation, convolution, and once more."""
        first = self.convolution(f"{name} first", fan_in, fan_out, self.kind, stride=stride)
        second = self.convolution(f"{name} second", fan_out, fan_out, self.kind)
        return nn.Sequential(
            PreActivation(*self.norm_act(fan_in), first),
            PreActivation(*self.norm_act(fan_out), second),
        )

    def shortcut(self, name: str, fan_in: int, fan_out: int, stride: int) -> nn.Module:
        """P: the identity, or a projection where the maps change their size."""
        if stride == 1:
            return nn.Identity()
        return self.convolution(f"{name} projection", fan_in, fan_out, stride=stride, size=1)

    def convolution(
        self,
        name: str,
        fan_in: int,
        fan_out: int,
        kind: type[Convolution] = Convolution,
        **options: Any,
    ) -> Convolution:
        """A convolution that draws from the stream of that name."""
        generators = seeding.generators(self.seeds, name)
        options = {"init": self.init, **options}
        return kind(fan_in, fan_out, generators, dtype=self.dtype, **options)

    def norm_act(self, width: int) -> tuple[nn.Module, nn.Module]:
        norm = nn.Identity() if self.norm is None else None
        return norm or MapNorm(len(self.seeds), width, dtype=self.dtype), Activation(
            self.activation
        )


class ConvResNet(ConvPlain):
    """Units with a skip each."""

    name = "resnet"

    def unit(self, name: str, fan_in: int, fan_out: int, stride: int) -> nn.Module:
        size = name, fan_in, fan_out, stride
        return units.ResidualUnit(self.residual(*size), self.shortcut(*size))


class ConvDiracNet(ConvPlain):
    """Kernels that start near the identity."""

    name = "diracnet"
    kind = DiracConvolution


@dataclass(frozen=True, kw_only=True)
class ConvHighway(ConvPlain):
    """gate_bias: of the gates at the start; their kernels are drawn by "torch_default"."""

    name = "highway"
    gate_bias: float = -2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        arguments.real("gate_bias", self.gate_bias)

    def unit(self, name: str, fan_in: int, fan_out: int, stride: int) -> nn.Module:
        size = name, fan_in, fan_out, stride
        laws: dict[str, Any] = {"init": "torch_default", "bias": self.gate_bias, "stride": stride}
        gate = self.convolution(f"{name} gate", fan_in, fan_out, **laws)
        gate_of_h = nn.Sequential(gate, Activation("sigmoid"))
        return units.HighwayUnit(self.residual(*size), gate_of_h, self.shortcut(*size))


@dataclass(frozen=True, kw_only=True)
class ConvVAN(ConvPlain):
    """multiplier: lambda of every skip at the start; alpha: for each "unit" (channel), or "block".

    "block" means one alpha for all channels of a residual unit.
    """

    name = "van"
    multiplier: float = -1.0
    alpha: str = "unit"

    def __post_init__(self) -> None:
        super().__post_init__()
        arguments.real("multiplier", self.multiplier)
        arguments.one_of("alpha", self.alpha, ("unit", "block"))

    @property
    def alphas(self) -> list[int]:
        """How many alphas each residual unit has."""
        return [out if self.alpha == "unit" else 1 for _, _, out, _ in self.sizes]

    def unit(self, name: str, fan_in: int, fan_out: int, stride: int) -> nn.Module:
        size = name, fan_in, fan_out, stride
        return units.VariableUnit(self.residual(*size), self.shortcut(*size))


@dataclass(frozen=True, kw_only=True)
class ConvVAN0(ConvVAN):
    """A VAN whose skips follow the cost alone."""

    name = "van0"
    multiplier: float = 0.0


CONVOLUTIONAL: dict[str, type[ConvPlain]] = {
    recipe.name: recipe
    for recipe in (ConvPlain, ConvResNet, ConvHighway, ConvDiracNet, ConvVAN, ConvVAN0)
}
"""The names that `networks.convolutional` knows, and what each is made from."""
