"""The shapes of what flows through a module, and a way to notice its activation functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from course import measures

# torch's functions that are activations, and the keys of `measures.FLAT`.
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


def by_unit(x: Tensor, replicas: int | None, most: int) -> Tensor:
    """(R, samples and places, units): units are the channels of images, else the last axis."""
    x = split(x, replicas)[:, :most]
    x = x.movedim(2, -1) if x.dim() > 4 else x
    return x.flatten(1, -2) if x.dim() > 2 else x[..., None]


def lengths(x: Tensor, replicas: int | None) -> Tensor:
    """Euclidean length of all numbers of x in each replica: float64 (R,)."""
    flat = split(x.detach(), replicas).flatten(1).to("cpu", torch.float64)
    return torch.linalg.vector_norm(flat, dim=-1)


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
        bounds = measures.FLAT[name]
        if name == "hard-tanh":
            ends = dict(zip(("min_val", "max_val"), args[1:3], strict=False)) | kwargs
            bounds = (ends.get("min_val", bounds[0]), ends.get("max_val", bounds[1]))
        return self.notice(name, z, bounds, partial(func, *args, **kwargs))
