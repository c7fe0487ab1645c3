"""Makes the parts of a network from its recipe: layers with their streams, and the blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import nn

from course import arguments, initializers, seeding
from course.activations import ACTIVATIONS
from course.blocks import (
    Highway,
    PostActivation,
    PreActivation,
    Residual,
    Scale,
    VariableActivation,
)
from course.layers import Activation, DiracLinear, Linear, norm_layer

_PRE_ACTIVATION = ("resnet", "van", "van0")


def check_kinds(recipe: dict[str, Any], activations: Iterable[str] = ACTIVATIONS) -> None:
    """ValueError for an activation, norm or dtype that there is not."""
    arguments.one_of("activation", recipe["activation"], activations)
    norm_layer(recipe["norm"], 1, 1, torch.float32)
    dtype = recipe["dtype"]
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise arguments.reject("dtype", dtype, "a torch.dtype of floating point numbers")


def check(recipe: dict[str, Any]) -> None:
    """ValueError for the first argument of `networks.build` that does not fit."""
    width, mirrored = recipe["width"], recipe["name"] == "looks-linear"
    for size in ("inputs", "width", "outputs"):
        arguments.whole(size, recipe[size], least=1)
        if not recipe["ends"] and recipe[size] != width:
            raise arguments.reject(size, recipe[size], f"the width, {width}, without ends")
    arguments.whole("depth", recipe["depth"])
    if mirrored and width % 2:
        raise arguments.reject("width", width, "even: half of the units mirror the other half")
    check_kinds(recipe, ["relu"] if mirrored else ACTIVATIONS)
    for option in ("gate_bias", "multiplier", "branch"):
        value = recipe.get(option, 0.0)
        if isinstance(value, str) and option == "branch":
            arguments.one_of("branch, if not a number,", value, ("zero", "rezero"))
        else:
            arguments.real(option, value)


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
