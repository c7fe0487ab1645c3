"""Networks of R replicas, one per seed: how they are made, made again, and made deeper."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from course import arguments
from course.networks.architectures import ARCHITECTURES, MLP, VAN, Plain, Recipe
from course.networks.convnets import CONVOLUTIONAL, ConvPlain, ConvVAN
from course.networks.initializers import Law

Parts = tuple[nn.Module, Sequence[nn.Module], nn.Module]


class Network(nn.Module):
    """Stem, blocks and head of R replicas. x: (batch, inputs), shared, or (R, batch, inputs).

    Returns (R, batch, outputs). `recipe` holds the arguments of `build` or `mlp` that made it.
    """

    def __init__(self, recipe: Recipe, parts: Parts | None = None) -> None:
        super().__init__()
        self.recipe, self.name, self.seeds = recipe, recipe.name, tuple(recipe.seeds)
        stem, blocks, head = parts or recipe.parts()
        self.stem, self.blocks, self.head = stem, nn.ModuleList(blocks), head

    @property
    def replicas(self) -> int:
        return len(self.seeds)

    @property
    def depth(self) -> int:
        return len(self.blocks)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(self.replicated(x))
        for block in self.blocks:
            h = block(h)
        return self.head(h)

    def replicated(self, x: Tensor) -> Tensor:
        """x as (R, batch, width): a batch that all replicas share is repeated without a copy."""
        return x.expand(self.replicas, *x.shape) if x.dim() == 2 else x


class VariableActivationNetwork(Network):
    """A network of `VariableActivation` blocks and the state that phases out their skips.

    alpha (from 0) and multiplier (the paper's lambda): (depth, R, width), an entry for each unit as
    in the paper's eq. 4, or (depth, R, 1), one for all units of a block. Both are buffers: an
    optimizer of the weights never sees them. backward() adds dC/dalpha to alpha.grad, for eq. 7; in
    a loop of your own set alpha.grad to None before it, as no optimizer does that for you.
    """

    alpha: Tensor
    multiplier: Tensor

    def __init__(self, recipe: VAN | ConvVAN) -> None:
        super().__init__(recipe)
        start = torch.zeros(self.alpha_shape(recipe), dtype=recipe.dtype)
        self.register_buffer("multiplier", torch.full_like(start, recipe.multiplier))
        self.register_buffer("alpha", start.requires_grad_())

    def alpha_shape(self, recipe: Any) -> tuple[int, int, int]:
        """The shape of alpha and of the multiplier."""
        return self.depth, self.replicas, recipe.alphas

    def by_block(self, values: Tensor) -> tuple[Tensor, ...]:
        """What belongs to each block in a tensor of the shape of alpha: (R, units)."""
        return values.unbind(0)

    def block_means(self, values: Tensor) -> Tensor:
        """The means over the units of each block: (R, depth)."""
        return values.mean(2).T

    def skips(self) -> list[Tensor]:
        """1 - alpha for each block, in the shape that multiplies its signal."""
        return [(1 - alpha)[:, None] for alpha in self.by_block(self.alpha)]

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(self.replicated(x))
        for block, skip in zip(self.blocks, self.skips(), strict=True):
            h = block(h, skip)
        return self.head(h)

    def _apply(self, fn: Any, recurse: bool = True) -> VariableActivationNetwork:
        super()._apply(fn, recurse)
        if not (self.alpha.is_leaf and self.alpha.requires_grad):
            self.alpha = self.alpha.detach().requires_grad_()  # a copy made by .to(...)
        return self


class VariableConvolutions(VariableActivationNetwork):
    """The same of residual units with different numbers of channels.

    alpha and multiplier: (1, R, K), the entries of all units one after another; `by_block` parts
    them into (R, channels), or (R, 1) with one alpha for all channels of a unit.
    """

    recipe: ConvVAN

    def alpha_shape(self, recipe: Any) -> tuple[int, int, int]:
        return 1, self.replicas, sum(recipe.alphas)

    def by_block(self, values: Tensor) -> tuple[Tensor, ...]:
        return values[0].split(self.recipe.alphas, dim=1)

    def block_means(self, values: Tensor) -> Tensor:
        return torch.stack([part.mean(1) for part in self.by_block(values)], dim=1)

    def skips(self) -> list[Tensor]:
        return [(1 - a)[:, None, :, None, None] for a in self.by_block(self.alpha)]


def build(
    name: str,
    *,
    width: int,
    depth: int,
    seeds: Sequence[int],
    like: Any = None,
    inputs: int | None = None,
    outputs: int | None = None,
    activation: str = "relu",
    norm: str | None = "batch",
    init: str | Law = "torch_default",
    bias: bool | float | Law = True,
    ends: bool = True,
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> Network:
    """The network `name` (one of `ARCHITECTURES`), one replica per seed, on the CPU.

    depth >= 0 counts the blocks between stem and head. like: a data set or a task, which says
    inputs and outputs where they are not given. norm is "batch", "layer" or None; `init` and `bias`
    are laws for every layer, see `layers.Linear`. ends=False leaves stem and head out: the blocks
    alone, a map from width to width, so inputs and outputs must equal it, or be left out.

    Options of single architectures:
    resnet: branch = a number (F is multiplied by it), "rezero" (by a learned number, 0 at first) or
    "zero" (the weights of F start at 0). highway: gate_bias; the weights of the gates are drawn by
    "torch_default". van: multiplier, lambda at the start, and alpha = "unit", one for each unit, or
    "block", one for all of a block. looks-linear: base, the law of the halves
    (`initializers.mirrored`); it does not use `init`, and needs an even width and ReLU.
    Raises ValueError that names the argument, its value and what is allowed.
    """
    architecture = _architecture(ARCHITECTURES, name, options)
    for size, given in (("inputs", inputs), ("outputs", outputs)):
        missing = getattr(like, size, None) if ends else width
        options[size] = missing if given is None else given
    recipe = architecture(
        width=width, depth=depth, seeds=seeds, activation=activation, norm=norm, init=init,
        bias=bias, ends=ends, dtype=dtype, **options,
    )  # fmt: skip
    return _network(recipe)


def convolutional(
    name: str,
    *,
    width: int,
    depth: int,
    seeds: Sequence[int],
    like: Any = None,
    shape: tuple[int, int, int] | None = None,
    outputs: int | None = None,
    activation: str = "relu",
    norm: str | None = "batch",
    init: str | Law = "he_normal",
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> Network:
    """The convolutional network `name` (one of `CONVOLUTIONAL`), one replica per seed, on the CPU.

    depth = 8 n + 2 counts its layers of weights; width: channels of the first block, doubled in
    each of the three others. like: a data set, which says the shape (channels, rows, columns) of
    its pictures and the number of outputs where they are not given. Pictures go in as rows of
    numbers, as in every data set of the course: (batch, d) or (R, batch, d) -> (R, batch, outputs).
    norm is "batch" or None; `init` is the law of all weights.

    Options: highway: gate_bias. van: multiplier, lambda at the start, and alpha = "unit", one for
    each channel, or "block", one for all channels of a residual unit. `convnets` has the
    equations. Raises ValueError that names the argument, its value and what is allowed.
    """
    architecture = _architecture(CONVOLUTIONAL, name, options)
    for size, given in (("shape", shape), ("outputs", outputs)):
        options[size] = getattr(like, size, None) if given is None else given
    recipe = architecture(
        width=width, depth=depth, seeds=seeds, activation=activation, norm=norm, init=init,
        dtype=dtype, **options,
    )  # fmt: skip
    return _network(recipe)


def mlp(
    widths: Sequence[int],
    *,
    seeds: Sequence[int],
    activation: str = "relu",
    init: str | Law | Sequence[str | Law] = "he_normal",
    bias: bool | float | Law = True,
    norm: str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Network:
    """The bare chain x -> act(norm(x W + b)) -> ... -> h W + b through `widths`, ends included.

    widths = [inputs, n_1, ..., n_L, outputs] with at least two entries: L blocks and a linear head.
    `init` is one law, or one for each of the L + 1 layers. activation="identity" makes it the deep
    linear network y = x W_1 W_2 ... W_(L+1). Layer l has the stream of layer l of `build`.
    """
    recipe = MLP(
        widths=widths, seeds=seeds, activation=activation, norm=norm, init=init, bias=bias,
        dtype=dtype,
    )  # fmt: skip
    return _network(recipe)


def rebuild(network: Network, *, name: str | None = None, **changes: Any) -> Network:
    """A new network at its start, by the recipe of `network` with these arguments changed.

    name: of another architecture; the options of the old one are left out.
    """
    recipe = network.recipe
    if name is None or name == network.name:
        return _network(replace(recipe, **changes))
    make, shared = (convolutional, ConvPlain) if isinstance(recipe, ConvPlain) else (build, Plain)
    return make(name, **{each: getattr(recipe, each) for each in _arguments(shared)} | changes)


def first_blocks(network: Network, depth: int) -> Network:
    """The network of the first `depth` blocks, with the same weights: neither drawn nor copied.

    At the start it is what `build` makes for that depth: block k has the same draw at every depth.
    ValueError for a VAN, an mlp, a convolutional network, and for more blocks than there are.
    """
    recipe = network.recipe
    if not isinstance(recipe, Plain) or isinstance(recipe, VAN):
        raise arguments.reject("network", network.name, "one of `ARCHITECTURES` but van and van0")
    blocks = network.blocks[: arguments.whole("depth", depth, most=network.depth)]
    return Network(replace(recipe, depth=depth), (network.stem, list(blocks), network.head))


def extend_with_identity(network: Network, extra: int) -> Network:
    """A deeper network that computes exactly the same: `extra` identity blocks before the head.

    Each is act(h I + 0), and ReLU leaves what a ReLU has returned as it is. Takes a plain network,
    looks-linear or mlp with norm None, "relu" or "identity" and at least one block; ValueError for
    others. The copy shares no weights with `network`.
    """
    arguments.whole("extra", extra)
    recipe: Any = network.recipe
    if network.name not in ("plain", "looks-linear", "mlp") or recipe.norm is not None:
        kind = f"{network.name}, norm {recipe.norm}"
        raise arguments.reject("network", kind, "plain, looks-linear or mlp, with norm None")
    arguments.one_of("activation", recipe.activation, ("relu", "identity"))
    depth = arguments.whole("depth", network.depth, least=1)
    width = recipe.widths[-2] if network.name == "mlp" else recipe.width
    deeper, first = copy.deepcopy(network), next(network.parameters())
    for number in range(depth + 1, depth + extra + 1):
        block = recipe.post(f"layer {number}", width, width, init="identity", bias=0.0)
        deeper.blocks.append(block.to(first.device, first.dtype))
    changes: dict[str, Any] = {"depth": depth + extra}
    if network.name == "mlp":
        changes = {"widths": (*recipe.widths[:-1], *[width] * extra, recipe.outputs)}
        if isinstance(recipe.init, tuple):
            changes["init"] = (*recipe.init[:-1], *["identity"] * extra, recipe.init[-1])
    deeper.recipe = replace(recipe, **changes)
    return deeper


def _network(recipe: Recipe) -> Network:
    if isinstance(recipe, ConvVAN):
        return VariableConvolutions(recipe)
    return VariableActivationNetwork(recipe) if isinstance(recipe, VAN) else Network(recipe)


def _arguments(recipe: type[Recipe]) -> list[str]:
    """What a network of that recipe is made from."""
    return [each.name for each in fields(recipe) if each.init]


def _architecture(kinds: Mapping[str, type[Any]], name: str, options: dict[str, Any]) -> Any:
    """The recipe of that name; ValueError for an option that it has not got.

    What is not an argument of "plain" is an option of its own.
    """
    architecture = kinds[arguments.one_of("name", name, kinds)]
    shared = _arguments(kinds["plain"])
    known = [each for each in _arguments(architecture) if each not in shared]
    for option in options.keys() - set(known):
        allowed = "one of " + ", ".join(known) if known else "left out, it has no options"
        raise arguments.reject(f"option of {name}", option, allowed)
    return architecture
