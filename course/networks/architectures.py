"""The architectures of the course. Each is a stem, `depth` equal blocks and a head.

    plain         h <- act(norm(h W + b))
    resnet        h <- h + F(h),                  F(h) = act(norm(h)) W + b
    highway       h <- T h' + (1 - T) h,          h' as in plain, T = sigmoid(h W_T + b_T)
    diracnet      h <- act(norm(h M + c)),        M = diag(a) + W_unit diag(b)
    van, van0     h <- F(h) + (1 - alpha) * h,    F as in resnet, alpha from 0 (skip) to 1 (none)
    looks-linear  plain, and its weights start such that the network is linear in its input

`blocks` has the equations as code, with their sources. Plain, highway, diracnet and looks-linear
have the stem act(norm(x W + b)) and the head h W + b; resnet and van the stem x W + b and the head
act(norm(h)) W + b. So at depth 0 all are the same network, and a VAN with alpha = 1 is a plain
network, layer by layer.

The weights of layer l in replica r are drawn from a stream of their own, which belongs to
(seeds[r], l) whatever the architecture and the depth: networks with equal seeds start from equal
draws, so comparisons are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import torch
from torch import nn

from course import arguments, seeding
from course.networks import blocks, initializers
from course.networks.activations import ACTIVATIONS
from course.networks.initializers import Law
from course.networks.layers import Activation, DiracLinear, Linear, norm_layer


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that a network is made from, checked: the arguments of `networks.build` or `mlp`.

    It makes the parts, too: the layers of `layer` draw from the stream of that name.
    """

    name: ClassVar[str]
    inputs: int
    depth: int
    outputs: int
    seeds: Sequence[int]
    activation: str = "relu"
    norm: str | None = "batch"
    init: str | Law | Sequence[str | Law] = "torch_default"
    bias: bool | float | Law = True
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        arguments.one_of("activation", self.activation, ACTIVATIONS)
        norm_layer(self.norm, 1, 1, torch.float32)
        if not isinstance(self.dtype, torch.dtype) or not self.dtype.is_floating_point:
            raise arguments.reject("dtype", self.dtype, "a torch.dtype of floating point numbers")
        object.__setattr__(self, "seeds", arguments.seeds(self.seeds))

    def parts(self) -> tuple[nn.Module, list[nn.Module], nn.Module]:
        """Stem, blocks and head at their start."""
        raise NotImplementedError

    def linear(
        self, layer: str, fan_in: int, fan_out: int, *, kind: type[Linear] = Linear, **laws: Any
    ) -> Linear:
        """h W + b. laws: `init` and `bias`, where they are not the recipe's."""
        generators = seeding.generators(self.seeds, layer)
        laws = {"init": self.init, "bias": self.bias, **laws}
        return kind(fan_in, fan_out, generators, dtype=self.dtype, **laws)

    def norm_act(self, width: int) -> tuple[nn.Module, nn.Module]:
        """A norm and an activation."""
        norm = norm_layer(self.norm, len(self.seeds), width, self.dtype)
        return norm, Activation(self.activation)

    def post(self, layer: str, fan_in: int, fan_out: int, **laws: Any) -> blocks.PostActivation:
        """act(norm(h W + b))."""
        linear = self.linear(layer, fan_in, fan_out, **laws)
        return blocks.PostActivation(linear, *self.norm_act(fan_out))

    def pre(self, layer: str, fan_in: int, fan_out: int, **laws: Any) -> blocks.PreActivation:
        """act(norm(h)) W + b."""
        linear = self.linear(layer, fan_in, fan_out, **laws)
        return blocks.PreActivation(*self.norm_act(fan_in), linear)


@dataclass(frozen=True, kw_only=True)
class Plain(Recipe):
    """`depth` blocks of one width between a stem and a head; see `networks.build`."""

    name = "plain"
    width: int
    ends: bool = True

    def __post_init__(self) -> None:
        arguments.whole("width", self.width, least=1)
        for name, size in (("inputs", self.inputs), ("outputs", self.outputs)):
            arguments.whole(name, size, least=1)
            if not self.ends and size != self.width:
                raise arguments.reject(name, size, f"the width, {self.width}, without ends")
        arguments.whole("depth", self.depth)
        super().__post_init__()

    def parts(self) -> tuple[nn.Module, list[nn.Module], nn.Module]:
        middle = [self.block(f"layer {number}") for number in range(1, self.depth + 1)]
        if not self.ends:
            return nn.Identity(), middle, nn.Identity()
        return self.stem("layer 0"), middle, self.head("head")

    def stem(self, layer: str) -> nn.Module:
        """What comes before the blocks."""
        return self.post(layer, self.inputs, self.width)

    def block(self, layer: str) -> nn.Module:
        """The block of this layer."""
        return self.post(layer, self.width, self.width)

    def head(self, layer: str) -> nn.Module:
        """What comes after the blocks."""
        return self.linear(layer, self.width, self.outputs)


class DiracNet(Plain):
    """Layers that start near the identity."""

    name = "diracnet"

    def block(self, layer: str) -> nn.Module:
        return self.post(layer, self.width, self.width, kind=DiracLinear)


@dataclass(frozen=True, kw_only=True)
class HighwayNet(Plain):
    """gate_bias: of the gates at the start; their weights are drawn by "torch_default"."""

    name = "highway"
    gate_bias: float = -2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        arguments.real("gate_bias", self.gate_bias)

    def block(self, layer: str) -> nn.Module:
        size = self.width, self.width
        gate = self.linear(f"{layer} gate", *size, init="torch_default", bias=self.gate_bias)
        return blocks.Highway(self.post(layer, *size), nn.Sequential(gate, Activation("sigmoid")))


@dataclass(frozen=True, kw_only=True)
class LooksLinear(Plain):
    """base: the law of the halves that mirror each other; see `initializers.mirrored`."""

    name = "looks-linear"
    base: str | Law = "orthogonal"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % 2:
            allowed = "even: half of the units mirror the other half"
            raise arguments.reject("width", self.width, allowed)
        arguments.one_of("activation", self.activation, ["relu"])

    def stem(self, layer: str) -> nn.Module:
        law = partial(initializers.mirrored_first, base=self.base)
        return self.post(layer, self.inputs, self.width, init=law)

    def block(self, layer: str) -> nn.Module:
        law = partial(initializers.mirrored, base=self.base)
        return self.post(layer, self.width, self.width, init=law)

    def head(self, layer: str) -> nn.Module:
        law = partial(initializers.mirrored_last, base=self.base)
        return self.linear(layer, self.width, self.outputs, init=law)


class _Residual(Plain):
    """The ends of networks whose blocks are made of F(h) = act(norm(h)) W + b."""

    def stem(self, layer: str) -> nn.Module:
        return self.linear(layer, self.inputs, self.width)

    def head(self, layer: str) -> nn.Module:
        return self.pre(layer, self.width, self.outputs)


@dataclass(frozen=True, kw_only=True)
class ResNet(_Residual):
    """branch: the factor on F, a number; "rezero": learned, 0 at first; "zero": F starts as 0."""

    name = "resnet"
    branch: float | str = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.branch, str):
            arguments.one_of("branch, if not a number,", self.branch, ("zero", "rezero"))
        else:
            arguments.real("branch", self.branch)

    def block(self, layer: str) -> nn.Module:
        laws = {"init": "zero"} if self.branch == "zero" else {}
        residual = self.pre(layer, self.width, self.width, **laws)
        if self.branch in (1, "zero"):
            return blocks.Residual(residual, nn.Identity())
        learned = torch.zeros(len(self.seeds), 1, 1, dtype=self.dtype)  # of "rezero"
        scale = blocks.Scale(learned if isinstance(self.branch, str) else self.branch)
        return blocks.Residual(residual, scale)


@dataclass(frozen=True, kw_only=True)
class VAN(_Residual):
    """multiplier: lambda of every skip at the start; alpha: one for each "unit", or "block"."""

    name = "van"
    multiplier: float = -1.0
    alpha: str = "unit"

    def __post_init__(self) -> None:
        super().__post_init__()
        arguments.real("multiplier", self.multiplier)
        arguments.one_of("alpha", self.alpha, ("unit", "block"))

    @property
    def alphas(self) -> int:
        """How many alphas a block has."""
        return self.width if self.alpha == "unit" else 1

    def block(self, layer: str) -> nn.Module:
        return blocks.VariableActivation(self.pre(layer, self.width, self.width))


@dataclass(frozen=True, kw_only=True)
class VAN0(VAN):
    """A VAN whose skips follow the cost alone."""

    name = "van0"
    multiplier: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MLP(Recipe):
    """The bare chain through `widths`, which say inputs, depth and outputs; see `networks.mlp`."""

    name = "mlp"
    widths: Sequence[int]
    inputs: int = field(init=False)
    depth: int = field(init=False)
    outputs: int = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.widths, Sequence) or len(self.widths) < 2:
            allowed = "at least two whole numbers >= 1: in and out"
            raise arguments.reject("widths", self.widths, allowed)
        widths = tuple(arguments.whole("widths", width, least=1) for width in self.widths)
        set_ = partial(object.__setattr__, self)  # the class is frozen
        set_("widths", widths)
        set_("inputs", widths[0]), set_("depth", len(widths) - 2), set_("outputs", widths[-1])
        if not isinstance(self.init, str) and not callable(self.init):
            set_("init", tuple(self.init))
        if isinstance(self.init, tuple) and len(self.init) != self.depth + 1:
            allowed = f"one law, or one for each of the {self.depth + 1} layers"
            raise arguments.reject("init", self.init, allowed)
        super().__post_init__()

    def parts(self) -> tuple[nn.Module, list[nn.Module], nn.Module]:
        laws = self.init if isinstance(self.init, tuple) else (self.init,) * (self.depth + 1)
        sizes = list(zip(self.widths, self.widths[1:], laws, strict=False))
        middle: list[nn.Module] = [
            self.post(f"layer {number}", fan_in, fan_out, init=law)
            for number, (fan_in, fan_out, law) in enumerate(sizes[:-1])
        ]
        fan_in, fan_out, law = sizes[-1]
        return nn.Identity(), middle, self.linear("head", fan_in, fan_out, init=law)


ARCHITECTURES: dict[str, type[Plain]] = {
    recipe.name: recipe for recipe in (Plain, ResNet, HighwayNet, DiracNet, VAN, VAN0, LooksLinear)
}
"""The names that `networks.build` knows, and what each is made from."""
