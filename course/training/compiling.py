"""Recorded operations as a function that torch runs without Python in between."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from course.training.fusing import fused
from course.training.operations import Call, geometry, into, place, schema
from course.training.workspace import Workspace

FORMATS = {torch.contiguous_format: 0, torch.preserve_format: 1}  # as TorchScript numbers them


def compiled(
    calls: Sequence[Call],
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    memory: Sequence[Tensor],
) -> Callable[..., tuple[Tensor, ...]]:
    """The calls as a function of the inputs that returns the outputs, run by TorchScript.

    Half of the calls only look at memory in another shape. A view of `memory` is a constant, and so
    is one of a result in the workspace. One of another result is made where it is used, in one
    operation, however many views of views it was.

    ValueError for a tensor that is in none of the arguments, and was not computed by the calls, and
    for a number that was read from a tensor: at another step it would be another one.
    """
    graph: Any = torch._C.Graph()
    one = torch._C.TensorType.get()
    values = {id(tensor): graph.addInput() for tensor in inputs}
    constant, given = {0, *map(place, memory)}, set(map(place, inputs))
    computing = fused(_computing(calls, constant, given), outputs)
    workspace = Workspace(computing, outputs)
    results: dict[int, Tensor] = {}  # what the calls computed, by the place of its memory
    numbers: dict[str, Any] = {}  # and other constants, by what they look like

    def node(kind: str, arguments: Sequence[Any], types: Sequence[Any]) -> list[Any]:
        new = graph.insertNode(graph.create(kind, [value(each) for each in arguments], len(types)))
        for output, type_ in zip(new.outputs(), types, strict=True):
            output.setType(type_)
        return list(new.outputs())

    def value(argument: Any) -> Any:
        if isinstance(argument, torch._C.Value):
            return argument
        if isinstance(argument, list | tuple) and any(isinstance(x, Tensor) for x in argument):
            return node("prim::ListConstruct", argument, [torch._C.ListType(one)])[0]
        if not isinstance(argument, Tensor):
            known = isinstance(argument, torch.memory_format)
            number = FORMATS[argument] if known else argument
            if repr(number) not in numbers:
                numbers[repr(number)] = graph.insertConstant(number)
            return numbers[repr(number)]
        if id(argument) not in values:
            values[id(argument)] = view(argument)
        return values[id(argument)]

    def view(tensor: Tensor) -> Any:
        if place(tensor) in constant:
            return graph.insertConstant(tensor.detach())
        if tensor in workspace:
            return graph.insertConstant(workspace[tensor])
        if place(tensor) not in results:
            raise ValueError(f"a tensor {tuple(tensor.shape)} comes from elsewhere")
        result = results[place(tensor)]
        if tensor.dtype != result.dtype:
            raise ValueError(f"memory of {result.dtype} is read as {tensor.dtype}")
        if geometry(tensor) == geometry(result):
            return values[id(result)]
        return node("aten::as_strided", [result, *geometry(tensor)], [one])[0]

    for tensor in values.values():
        tensor.setType(one)
    for call in computing:
        fixed = all(each in workspace for each in call.results)
        operation, arguments, tensors = (into(call, call.results) if fixed else None) or call
        types = schema(operation).returns
        new = node(schema(operation).name, arguments, types)
        if isinstance(types[0], torch._C.ListType):
            new = node("prim::ListUnpack", new, [one] * len(tensors))
        for tensor, output in zip(tensors, new, strict=True):
            values[id(tensor)] = output
            if place(tensor) and place(tensor) not in given:
                results.setdefault(place(tensor), tensor)
    together = torch._C.TupleType([one] * len(outputs))
    graph.registerOutput(node("prim::TupleConstruct", outputs, [together])[0])
    return torch._C._create_function_from_graph("step", graph)


def _computing(
    calls: Iterable[Call], constant: Iterable[int], given: Collection[int]
) -> list[Call]:
    """The calls without those that only show memory in another way; see `compiled`."""
    known, computing = set(constant), []
    for call in calls:
        if not all(isinstance(each, Tensor | None) for each in call.results):
            raise ValueError(f"{call.operation} reads a number")
        places = set(map(place, call.results))
        if not places <= known or schema(call.operation).changes:
            computing.append(call)
            known |= places.difference(given)
    return computing
