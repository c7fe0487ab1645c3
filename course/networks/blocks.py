"""The blocks of the architectures, side by side: each is one equation.

h is the signal of R replicas, (R, batch, width), and so is what a block returns. Blocks are given
their layers; `networks.build` makes both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from course import seeding
from course.networks import initializers
from course.networks.layers import Activation, DiracLinear, Linear, norm_layer


class PostActivation(nn.Module):
    """h -> act(norm(h W + b)): the block of a plain network.

    With a `layers.DiracLinear` it is the block of a DiracNet.
    """

    def __init__(self, linear: nn.Module, norm: nn.Module, act: nn.Module) -> None:
        super().__init__()
        self.linear, self.norm, self.act = linear, norm, act

    def forward(self, h: Tensor) -> Tensor:
        return self.act(self.norm(self.linear(h)))


class PreActivation(nn.Module):
    """F(h) = act(norm(h)) W + b: the residual function.

    He, Zhang, Ren and Sun, "Identity mappings in deep residual networks" (2016), figure 4(e), with
    one layer of weights. A chain of these is a plain network too, cut at other places.
    """

    def __init__(self, norm: nn.Module, act: nn.Module, linear: nn.Module) -> None:
        super().__init__()
        self.norm, self.act, self.linear = norm, act, linear

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(self.act(self.norm(h)))


class Residual(nn.Module):
    """h -> h + scale(F(h)). He, Zhang, Ren and Sun (2016), eqs. 1 and 2, with identity skips."""

    def __init__(self, residual: nn.Module, scale: nn.Module) -> None:
        super().__init__()
        self.residual, self.scale = residual, scale

    def forward(self, h: Tensor) -> Tensor:
        return h + self.scale(self.residual(h))


class Scale(nn.Module):
    """h -> factor h. The factor is one fixed number, or learned: a tensor (R, 1, 1).

    Learned and 0 at the start, it makes a residual block a ReZero block: Bachlechner, Majumder,
    Mao, Cottrell and McAuley, "ReZero is all you need" (2020), eq. 1.
    """

    def __init__(self, factor: float | Tensor) -> None:
        super().__init__()
        self.factor = nn.Parameter(factor) if isinstance(factor, Tensor) else factor

    def forward(self, h: Tensor) -> Tensor:
        return self.factor * h


class Highway(nn.Module):
    """h -> T h' + (1 - T) h, with h' = transform(h) and T = gate(h) in (0, 1), for each unit.

    Srivastava, Greff and Schmidhuber, "Training very deep networks" (2015), eq. 3. The bias of the
    gate starts negative (T near 0, the signal passes). Hook `gate` to read T.
    """

    def __init__(self, transform: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.transform, self.gate = transform, gate

    def forward(self, h: Tensor) -> Tensor:
        return torch.lerp(h, self.transform(h), self.gate(h))  # h + T (h' - h)


class VariableActivation(nn.Module):
    """h -> F(h) + (1 - alpha) h, called with skip = 1 - alpha, shape (R, 1, 1).

    Monti, Tootoonian and Cao, "Avoiding degradation in deep feed-forward networks by phasing out
    skip-connections" (2018), eq. 4. alpha = 0 is a residual block, alpha = 1 a plain one.
    """

    def __init__(self, residual: nn.Module) -> None:
        super().__init__()
        self.residual = residual

    def forward(self, h: Tensor, skip: Tensor) -> Tensor:
        return torch.addcmul(self.residual(h), skip, h)


_PRE_ACTIVATION = ("resnet", "van", "van0")


class Maker:
    """Makes layers of one network: those of layer `layer` draw from the stream of that name."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        self.seeds, self.dtype = recipe["seeds"], recipe["dtype"]
        self.norm, self.activation = recipe["norm"], recipe["activation"]
        self.laws = {"init": recipe["init"], "bias": recipe["bias"]}

    def linear(
        self, layer: str, fan_in: int, fan_out: int, *, kind: type[Linear] = Linear, **laws: Any
    ) -> Linear:
        generators = seeding.generators(self.seeds, layer)
        return kind(fan_in, fan_out, generators, dtype=self.dtype, **(self.laws | laws))

    def norm_act(self, width: int) -> tuple[nn.Module, nn.Module]:
        norm = norm_layer(self.norm, len(self.seeds), width, self.dtype)
        return norm, Activation(self.activation)

    def post(self, layer: str, fan_in: int, fan_out: int, **laws: Any) -> PostActivation:
        return PostActivation(self.linear(layer, fan_in, fan_out, **laws), *self.norm_act(fan_out))

    def pre(self, layer: str, fan_in: int, fan_out: int, **laws: Any) -> PreActivation:
        return PreActivation(*self.norm_act(fan_in), self.linear(layer, fan_in, fan_out, **laws))


def make_stem(make: Maker, recipe: dict[str, Any]) -> nn.Module:
    """What comes before the blocks: act(norm(x W + b)), or x W + b before pre-activation blocks."""
    sizes = recipe["inputs"], recipe["width"]
    if not recipe["ends"]:
        return nn.Identity()
    if recipe["name"] in _PRE_ACTIVATION:
        return make.linear("layer 0", *sizes)
    if recipe["name"] == "looks-linear":
        law = partial(initializers.mirrored_first, base=recipe["base"])
        return make.post("layer 0", *sizes, init=law)
    return make.post("layer 0", *sizes)


def make_head(make: Maker, recipe: dict[str, Any]) -> nn.Module:
    """What comes after the blocks: h W + b, or act(norm(h)) W + b after pre-activation blocks."""
    sizes = recipe["width"], recipe["outputs"]
    if not recipe["ends"]:
        return nn.Identity()
    if recipe["name"] in _PRE_ACTIVATION:
        return make.pre("head", *sizes)
    if recipe["name"] == "looks-linear":
        law = partial(initializers.mirrored_last, base=recipe["base"])
        return make.linear("head", *sizes, init=law)
    return make.linear("head", *sizes)


def _plain(make: Maker, layer: str, n: int, recipe: dict[str, Any]) -> nn.Module:
    return make.post(layer, n, n)


def _diracnet(make: Maker, layer: str, n: int, recipe: dict[str, Any]) -> nn.Module:
    return make.post(layer, n, n, kind=DiracLinear)


def _resnet(make: Maker, layer: str, n: int, recipe: dict[str, Any]) -> nn.Module:
    branch = recipe["branch"]
    if branch == "zero":
        return Residual(make.pre(layer, n, n, init="zero"), nn.Identity())
    if branch == "rezero":
        start = torch.zeros(len(make.seeds), 1, 1, dtype=make.dtype)
        return Residual(make.pre(layer, n, n), Scale(start))
    return Residual(make.pre(layer, n, n), nn.Identity() if branch == 1 else Scale(branch))


def _highway(make: Maker, layer: str, n: int, recipe: dict[str, Any]) -> nn.Module:
    laws = {"init": "torch_default", "bias": recipe["gate_bias"]}
    gate = make.linear(f"{layer} gate", n, n, **laws)
    return Highway(make.post(layer, n, n), nn.Sequential(gate, Activation("sigmoid")))


def _van(make: Maker, layer: str, n: int, recipe: dict[str, Any]) -> nn.Module:
    return VariableActivation(make.pre(layer, n, n))


def _looks_linear(make: Maker, layer: str, n: int, recipe: dict[str, Any]) -> nn.Module:
    law = partial(initializers.mirrored, base=recipe["base"])
    return make.post(layer, n, n, init=law)


BLOCKS: dict[str, Callable[[Maker, str, int, dict[str, Any]], nn.Module]] = {
    "plain": _plain,
    "resnet": _resnet,
    "highway": _highway,
    "diracnet": _diracnet,
    "van": _van,
    "van0": _van,
    "looks-linear": _looks_linear,
}
