"""What is measured while replicas train: losses, evaluations, norms by layer, first NaN or inf."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from course.measures import representations

WATCHABLE = ("activations", "gradients", "weights", "weight_gradients")


@contextmanager
def untouched_buffers(network: nn.Module) -> Iterator[None]:
    """Whatever runs inside leaves the running statistics of the network as they were."""
    before = [(buffer, buffer.detach().clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)


def layers(network: Any) -> dict[str, nn.Module]:
    """The layers whose signals are measured, input first: "stem", "block 1", ..., "head".

    A stem that passes its input on is left out.
    """
    named = {} if isinstance(network.stem, nn.Identity) else {"stem": network.stem}
    named |= zip(block_names(network), network.blocks, strict=True)
    return named | {"head": network.head}


def block_names(network: Any) -> list[str]:
    """The names of its blocks among its `layers`: "block 1", "block 2", ..."""
    return [f"block {number}" for number in range(1, len(network.blocks) + 1)]


def leaves(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The innermost modules by name, each once: layers that are made of no other layer.

    nn.MultiheadAttention is one (its last linear layer is never called), and so is a layer whose
    weight is parametrized, by weight norm for instance. Identities are left out.
    """
    inside = [child for child in module.named_children() if child[0] != "parametrizations"]
    if isinstance(module, nn.MultiheadAttention):
        inside = []
    if not inside and not isinstance(module, nn.Identity):
        yield name, module
    for part, child in inside:
        yield from leaves(child, f"{name}.{part}".lstrip("."))


@contextmanager
def outputs_of(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """While open, the list holds what each of the modules returned when it last ran."""
    outputs = [torch.empty(0)] * len(modules)
    handles = [
        module.register_forward_hook(lambda *call, k=k: outputs.__setitem__(k, call[2]))
        for k, module in enumerate(modules)
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def example_norms(signals: Sequence[Tensor], scale: float = 1.0) -> np.ndarray:
    """Root mean square over the examples of each example's Euclidean norm: (R, layers).

    signals: one (R, B, n) or (R, B, ...) per layer. For the gradient of the batch's mean loss the
    scale B makes it that of each example's own loss. In float64: squares of float32 numbers
    overflow and underflow.
    """
    numbers = [signal.detach().cpu().double().flatten(2) for signal in signals]
    squares = [each.square().sum(2).mean(1) for each in numbers]
    return torch.stack(squares, dim=1).sqrt().mul(scale).numpy()


def parameter_norms(pieces: Mapping[str, Tensor], network: Any) -> np.ndarray:
    """Euclidean norm of the parameters of each layer together: (R, layers), computed in float64.

    pieces: by the full name of a parameter, its values or its gradient, (R, size).
    """
    squares = {name: torch.zeros(network.replicas).double() for name in layers(network)}
    for parameter, piece in pieces.items():
        layer = layer_of(network, parameter)
        if layer in squares:
            squares[layer] += piece.detach().cpu().double().square().sum(1)
    return torch.stack(list(squares.values()), dim=1).sqrt().numpy()


def first_nonfinite_output(network: Any, x: Tensor, replica: int) -> tuple[str, str]:
    """(layer, what): the first layer of that replica with a non-finite output, or the loss."""
    named = layers(network)
    with torch.no_grad(), untouched_buffers(network), outputs_of(list(named.values())) as outputs:
        network(x)
    for name, output in zip(named, outputs, strict=True):
        if not torch.isfinite(output[replica]).all():
            return name, "activation"
    return "loss", "loss"


def layer_of(network: Any, parameter: str) -> str:
    """Layer that a parameter (by its full name) belongs to; its own name if to none."""
    paths = {module: path for path, module in network.named_modules()}
    for name, module in layers(network).items():
        if parameter.startswith(paths[module] + "."):
            return name
    return parameter


# torch's functions that are activations, and the keys of `representations.FLAT`.
NAMES = {
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "hardtanh": "hard-tanh",
    "relu": "relu",
    "relu6": "relu6",
    "leaky_relu": "leaky-relu",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
}


def split(x: Tensor, replicas: int | None) -> Tensor:
    """x with an axis for replicas in front: (R, ...).

    x has it if it has at least three axes and `replicas` entries in the first; else R = 1.
    """
    own = replicas is not None and x.dim() >= 3 and x.shape[0] == replicas
    return x if own else x[None]


def by_sample(x: Tensor, replicas: int | None, most: int) -> Tensor:
    """(R, B, n): at most the first `most` samples, each with all its numbers in a row."""
    x = split(x, replicas)[:, :most]
    return x.flatten(2) if x.dim() > 2 else x[..., None]


def lengths(x: Tensor, replicas: int | None) -> Tensor:
    """Euclidean length of all numbers of x in each replica: float64 (R,)."""
    pieces = split(x.detach(), replicas).flatten(1).split(representations.CHUNK, dim=1)
    parts = [torch.linalg.vector_norm(in_double(piece), dim=1) for piece in pieces]
    return torch.linalg.vector_norm(torch.stack(parts).cpu(), dim=0)


def in_double(x: Tensor, copy: bool = False) -> Tensor:
    """x in float64, on its device if that can: a GPU of Apple's can't."""
    return x.to("cpu" if x.device.type == "mps" else x.device, torch.float64, copy=copy)


def first_tensor(output: Any) -> Tensor | None:
    """The first floating-point tensor with an axis in what a module returned, or None."""
    if isinstance(output, Tensor):
        return output if output.dim() > 0 and output.is_floating_point() else None
    if not isinstance(output, dict | list | tuple):
        return None
    parts = output.values() if isinstance(output, dict) else output
    return next((found for found in map(first_tensor, parts) if found is not None), None)


class ActivationCalls(TorchFunctionMode):
    """Inside its `with`: notice(name, z, bounds, function) is called in place of an activation.

    It sees torch.relu, torch.nn.functional.relu, x.relu_() and so on, in modules and outside. z is
    what goes in; bounds are the ends of the part that isn't flat; notice must return function().
    """

    def __init__(self, notice: Callable[..., Any]) -> None:
        super().__init__()
        self.notice = notice

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = NAMES.get(getattr(func, "__name__", "").removesuffix("_"))
        z = args[0] if args else kwargs.get("input")
        if name is None or not isinstance(z, Tensor) or z.dim() == 0:
            return func(*args, **kwargs)
        bounds = representations.FLAT[name]
        if name == "hard-tanh":
            ends = dict(zip(("min_val", "max_val"), args[1:3], strict=False)) | kwargs
            bounds = (ends.get("min_val", bounds[0]), ends.get("max_val", bounds[1]))
        return self.notice(name, z, bounds, partial(func, *args, **kwargs))
