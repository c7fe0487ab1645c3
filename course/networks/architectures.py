"""The architectures of the course. Each is a stem, `depth` equal blocks and a head.

    plain         h <- act(norm(h W + b))
    resnet        h <- h + F(h),                  F(h) = act(norm(h)) W + b
    highway       h <- T h' + (1 - T) h,          h' as in plain, T = sigmoid(h W_T + b_T)
    diracnet      h <- act(norm(h M + c)),        M = diag(a) + W_unit diag(b)
    van, van0     h <- F(h) + (1 - alpha) h,      F as in resnet, alpha from 0 (skip) to 1 (none)
    looks-linear  plain, and its weights start such that the network is linear in its input

`blocks` has them as code, with their sources. Plain, highway, diracnet and looks-linear have the
stem act(norm(x W + b)) and the head h W + b; resnet and van the stem x W + b and the head
act(norm(h)) W + b. So at depth 0 all are the same network, and a VAN with alpha = 1 is a plain
network, layer by layer.

Every network holds R replicas, one per seed. The weights of layer l in replica r are drawn from a
stream of their own, which belongs to (seeds[r], l) whatever the architecture and the depth:
networks with equal seeds start from equal draws, so comparisons are paired.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course import arguments
from course.networks.activations import ACTIVATIONS
from course.networks.blocks import BLOCKS, Maker, make_head, make_stem
from course.networks.initializers import Law
from course.networks.layers import norm_layer

# The names `build` knows, with the options that are each one's own and their values.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "resnet": {"branch": 1.0},
    "highway": {"gate_bias": -2.0},
    "diracnet": {},
    "van": {"multiplier": -1.0},
    "van0": {"multiplier": 0.0},
    "looks-linear": {"base": "orthogonal"},
}


class Network(nn.Module):
    """Stem, blocks and head of R replicas. x: (batch, inputs), shared, or (R, batch, inputs).

    Returns (R, batch, outputs). `recipe` holds the arguments of `build` or `mlp` that made it.
    """

    def __init__(
        self, recipe: dict[str, Any], stem: nn.Module, blocks: Sequence[nn.Module], head: nn.Module
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.name: str = recipe["name"]
        self.seeds: tuple[int, ...] = recipe["seeds"]
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

    alpha (from 0) and multiplier (the paper's lambda): (depth, R). Both are buffers: an optimizer
    of the weights never sees them. backward() adds dC/dalpha to alpha.grad, for eq. 7; in a loop of
    your own set alpha.grad to None before it, as no optimizer does that for you.
    """

    alpha: Tensor
    multiplier: Tensor

    def __init__(
        self, recipe: dict[str, Any], stem: nn.Module, blocks: Sequence[nn.Module], head: nn.Module
    ) -> None:
        super().__init__(recipe, stem, blocks, head)
        start = torch.zeros(self.depth, self.replicas, dtype=recipe["dtype"])
        self.register_buffer("multiplier", torch.full_like(start, recipe["multiplier"]))
        self.register_buffer("alpha", start.requires_grad_())

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(self.replicated(x))
        for block, alpha in zip(self.blocks, self.alpha, strict=True):
            h = block(h, (1 - alpha)[:, None, None])
        return self.head(h)

    def _apply(self, fn: Any, recurse: bool = True) -> VariableActivationNetwork:
        super()._apply(fn, recurse)
        if not (self.alpha.is_leaf and self.alpha.requires_grad):
            self.alpha = self.alpha.detach().requires_grad_()  # a copy made by .to(...)
        return self


def build(
    name: str,
    *,
    inputs: int,
    width: int,
    depth: int,
    outputs: int,
    seeds: Sequence[int],
    activation: str = "relu",
    norm: str | None = "batch",
    init: str | Law = "torch_default",
    bias: bool | float | Law = True,
    ends: bool = True,
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> Network:
    """The network `name` (one of `ARCHITECTURES`), one replica per seed, on the CPU.

    depth >= 0 counts the blocks between stem and head. norm is "batch", "layer" or None; `init` and
    `bias` are laws for every layer, see `layers.Linear`. ends=False leaves stem and head out: the
    blocks alone, a map from width to width, so inputs and outputs must equal it.

    Options of single architectures:
    resnet: branch = a number (F is multiplied by it), "rezero" (by a learned number, 0 at first) or
    "zero" (the weights of F start at 0). highway: gate_bias; the weights of the gates are drawn by
    "torch_default". van: multiplier, lambda at the start. looks-linear: base, the law of the halves
    (`initializers.mirrored`); it does not use `init`, and needs an even width and ReLU.
    Raises ValueError that names the argument, its value and what is allowed.
    """
    defaults = ARCHITECTURES[arguments.one_of("name", name, ARCHITECTURES)]
    for option in options.keys() - defaults.keys():
        known = "one of " + ", ".join(defaults) if defaults else "left out, it has no options"
        raise arguments.reject(f"option of {name}", option, known)
    recipe = dict(
        name=name, inputs=inputs, width=width, depth=depth, outputs=outputs, seeds=seeds,
        activation=activation, norm=norm, init=init, bias=bias, ends=ends, dtype=dtype,
        **defaults | options,
    )  # fmt: skip
    check(recipe)
    recipe["seeds"] = arguments.seeds(seeds)
    make = Maker(recipe)
    layers = [f"layer {number}" for number in range(1, depth + 1)]
    blocks = [BLOCKS[name](make, layer, width, recipe) for layer in layers]
    kind = VariableActivationNetwork if name in ("van", "van0") else Network
    return kind(recipe, make_stem(make, recipe), blocks, make_head(make, recipe))


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
    if not isinstance(widths, Sequence) or len(widths) < 2:
        raise arguments.reject("widths", widths, "at least two whole numbers >= 1: in and out")
    widths = tuple(arguments.whole("widths", width, least=1) for width in widths)
    layers = len(widths) - 1
    if not isinstance(init, str) and not callable(init):
        init = tuple(init)
    inits = init if isinstance(init, tuple) else (init,) * layers
    if len(inits) != layers:
        raise arguments.reject("init", init, f"one law, or one for each of the {layers} layers")
    recipe = dict(
        name="mlp", widths=widths, seeds=arguments.seeds(seeds), activation=activation,
        norm=norm, init=init, bias=bias, dtype=dtype,
    )  # fmt: skip
    check_kinds(recipe)
    make = Maker(recipe)
    blocks = [
        make.post(f"layer {number}", widths[number], widths[number + 1], init=inits[number])
        for number in range(layers - 1)
    ]
    head = make.linear("head", widths[-2], widths[-1], init=inits[-1])
    return Network(recipe, nn.Identity(), blocks, head)


def rebuild(network: Network, **changes: Any) -> Network:
    """A new network at its start, by the recipe of `network` with these arguments changed."""
    recipe = network.recipe | changes
    if recipe["name"] != network.name:  # another architecture has other options
        gone = ARCHITECTURES.get(network.name, {}).keys() - changes.keys()
        recipe = {key: value for key, value in recipe.items() if key not in gone}
    if network.name != "mlp":
        return build(**recipe)
    del recipe["name"]
    return mlp(**recipe)


def extend_with_identity(network: Network, extra: int) -> Network:
    """A deeper network that computes exactly the same: `extra` identity blocks before the head.

    Each is act(h I + 0), and ReLU leaves what a ReLU has returned as it is. Takes a plain network,
    looks-linear or mlp with norm None, "relu" or "identity" and at least one block; ValueError for
    others. The copy shares no weights with `network`.
    """
    arguments.whole("extra", extra)
    recipe, depth = network.recipe, network.depth
    if network.name not in ("plain", "looks-linear", "mlp") or recipe["norm"] is not None:
        kind = f"{network.name}, norm {recipe['norm']}"
        raise arguments.reject("network", kind, "plain, looks-linear or mlp, with norm None")
    arguments.one_of("activation", recipe["activation"], ("relu", "identity"))
    arguments.whole("depth", depth, least=1)
    deeper = copy.deepcopy(network)
    make, like = Maker(recipe), next(network.parameters())
    if network.name == "mlp":
        width, last = recipe["widths"][-2:]
        deeper.recipe["widths"] = (*recipe["widths"][:-1], *[width] * extra, last)
        if isinstance(recipe["init"], tuple):
            *first, head = recipe["init"]
            deeper.recipe["init"] = (*first, *["identity"] * extra, head)
    else:
        width = recipe["width"]
        deeper.recipe["depth"] += extra
    for number in range(depth + 1, depth + extra + 1):
        block = make.post(f"layer {number}", width, width, init="identity", bias=0.0)
        deeper.blocks.append(block.to(like.device, like.dtype))
    return deeper


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
