"""What torch does when a function is called: its operations, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten


class Call(NamedTuple):
    """An operation that was made."""

    operation: Any
    arguments: Sequence[Any]  # by position
    results: Sequence[Any]


class Operations(TorchDispatchMode):
    """Inside its `with`, `calls` grows by each operation that torch makes."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True would import torch's compiler: seconds, and many megabytes

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        rest = [kwargs.get(name, value) for name, value in schema(func).arguments[len(args) :]]
        several = isinstance(result, list | tuple)
        self.calls.append(Call(func, [*args, *rest], result if several else [result]))
        return result


@dataclass(frozen=True)
class Schema:
    """What torch says of an operation: its name, its arguments with their defaults, its results.

    Asked once: to ask for it takes torch longer than most of the operations themselves.
    """

    name: str
    arguments: list[tuple[str, Any]]
    returns: list[Any]
    changes: bool  # an argument


@cache
def schema(operation: Any) -> Schema:
    """The schema of an operation of torch."""
    own = operation._schema
    arguments = [(each.name, each.default_value) for each in own.arguments]
    return Schema(own.name, arguments, [each.type for each in own.returns], own.is_mutable)


def into(call: Call, results: Sequence[Tensor]) -> Call | None:
    """The call that writes the same numbers into the tensors `results`; None if torch has none."""
    operation, arguments, _ = call
    if operation.namespace == "course":  # a kernel's: see fusing
        return Call(operation, [*arguments, *results], results)
    if operation in (aten.clone.default, aten._to_copy.default):
        return Call(aten.copy_.default, [results[0], arguments[0], False], results)
    if operation is aten.relu.default:  # as torch computes it
        operation, arguments = aten.clamp_min.default, [arguments[0], 0]
    return Call(operation, [*arguments, *results], results) if _writes(operation) else None


@cache
def _writes(operation: Any) -> bool:
    """Whether torch can make the operation in given memory, and needs no other.

    Each of its operations has a form with arguments for that. Most of these forms were generated,
    for all kinds of devices, and copy what the operation returns; the others are for the processor.
    """
    packet = operation.overloadpacket
    wanted = [(each.name, str(each.type)) for each in operation._schema.arguments]
    for form in (getattr(packet, name) for name in packet.overloads()):
        arguments = form._schema.arguments
        others = [(each.name, str(each.type)) for each in arguments if not each.is_out]
        if others == wanted and len(arguments) > len(others):
            return torch._C._dispatch_has_kernel_for_dispatch_key(form.name(), "CPU")
    return False


def tensors(arguments: Iterable[Any]) -> Iterator[Tensor]:
    """The tensors among the arguments, and in the lists among them."""
    for each in arguments:
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, list | tuple):
            yield from tensors(each)


def place(tensor: Tensor | None) -> int:
    """Where the memory of the tensor begins; 0 if it has none."""
    return 0 if tensor is None else tensor.untyped_storage().data_ptr()


def geometry(tensor: Tensor) -> tuple[list[int], list[int], int]:
    """Which numbers of its memory a tensor shows: its shape, strides and offset."""
    return list(tensor.shape), list(tensor.stride()), int(tensor.storage_offset())
