"""The operations of a step, recorded once and then repeated by torch without Python in between.

A layer as thin as these takes torch some microseconds, and Python as long to ask for it: for its
modules, its functions, and the graph of autograd. All of that is the same at each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from course import measures

LEARNT = 5  # calls until the operations are recorded: that takes as long as some steps
FORMATS = {torch.contiguous_format: 0, torch.preserve_format: 1}  # as TorchScript numbers them


class Recorded:
    """`function` of tensors on the CPU, without Python from its sixth call on.

    The same operations in the same order on the same memory: what it returns is equal bit for bit
    (test_recorded_steps.py). `memory` is what the function uses and changes besides its inputs: the
    parameters and buffers of `module`. Which operations they are may depend on nothing but the
    shapes and strides of the inputs and the modes of the modules; with others, and where a module
    has hooks, the function is called as it is. So it is on other devices, and where recording
    fails: `failure` says why.
    """

    def __init__(self, function: Callable[..., tuple[Tensor, ...]], module: nn.Module) -> None:
        self.function, self.module = function, module
        self.modules, self.hooks = list(module.modules()), hooks(module)
        self.calls = 0
        self.repeat: Callable[..., tuple[Tensor, ...]] | None = None
        self.failure: str | None = None

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the function returns for these inputs."""
        if self.failure or inputs[0].device.type != "cpu" or any(self.hooks):
            return self.function(*inputs)
        self.calls += 1
        if self.calls <= LEARNT:
            return self.function(*inputs)
        if self.repeat is None:
            return self._record(inputs)
        if self.signature != self._signature(inputs):
            return self.function(*inputs)
        return self._repeat(inputs)

    def _repeat(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        assert self.repeat is not None
        with torch.no_grad(), torch.jit.optimized_execution(False):
            return self.repeat(*inputs)

    def _signature(self, inputs: Sequence[Tensor]) -> tuple[list[Any], list[bool]]:
        """What the recording depends on."""
        shapes = [(tensor.shape, tensor.stride(), tensor.dtype) for tensor in inputs]
        return shapes, [module.training for module in self.modules]

    def _record(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """What the function returns, now that its operations are known."""
        self.signature = self._signature(inputs)
        with Operations() as operations:
            outputs = self.function(*inputs)
        memory = [*self.module.parameters(), *self.module.buffers()]
        try:
            self.repeat = compiled(operations.calls, inputs, outputs, memory)
            with measures.untouched_buffers(self.module):
                self._repeat(inputs)
        except Exception as error:  # of torch's internals: another version may know others
            self.failure = str(error).partition("\n")[0] or type(error).__name__
        return outputs


def hooks(network: nn.Module) -> list[dict[int, Any]]:
    """The hooks of each of its modules; those that are added later come into these dictionaries."""
    return [
        hooks
        for module in network.modules()
        for hooks in (module._forward_pre_hooks, module._forward_hooks, module._backward_hooks)
    ]


class Operations(TorchDispatchMode):
    """Inside its `with`, `calls` grows by (operation, its arguments by position, its result)."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, list[Any], Any]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True would import torch's compiler: seconds, and many megabytes

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        rest = [kwargs.get(name, value) for name, value in schema(func).arguments[len(args) :]]
        self.calls.append((func, [*args, *rest], result))
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


def compiled(
    calls: Iterable[tuple[Any, list[Any], Any]],
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    memory: Sequence[Tensor],
) -> Callable[..., tuple[Tensor, ...]]:
    """The calls as a function of the inputs that returns the outputs, run by TorchScript.

    Half of the calls only look at memory in another shape. A view of `memory` is a constant; one of
    a result is made where it is used, in one operation, however many views of views it was.

    ValueError for a tensor that is in none of the arguments, and was not computed by the calls, and
    for a number that was read from a tensor: at another step it would be another one.
    """
    graph: Any = torch._C.Graph()
    one = torch._C.TensorType.get()
    values = {id(tensor): graph.addInput() for tensor in inputs}
    constant, given = set(map(_place, memory)), set(map(_place, inputs))
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
        if _place(tensor) in constant:
            return graph.insertConstant(tensor.detach())
        if _place(tensor) not in results:
            raise ValueError(f"a tensor {tuple(tensor.shape)} comes from elsewhere")
        result = results[_place(tensor)]
        if tensor.dtype != result.dtype:
            raise ValueError(f"memory of {result.dtype} is read as {tensor.dtype}")
        if _geometry(tensor) == _geometry(result):
            return values[id(result)]
        return node("aten::as_strided", [result, *_geometry(tensor)], [one])[0]

    for tensor in values.values():
        tensor.setType(one)
    for operation, arguments, result in calls:
        tensors = result if isinstance(result, list | tuple) else [result]
        if not all(isinstance(each, Tensor | None) for each in tensors):
            raise ValueError(f"{operation} reads a number")
        known = all(_place(each) in constant or _place(each) in results for each in tensors)
        if known and not schema(operation).changes:
            continue  # views
        types = schema(operation).returns
        new = node(schema(operation).name, arguments, types)
        if isinstance(types[0], torch._C.ListType):
            new = node("prim::ListUnpack", new, [one] * len(tensors))
        for tensor, output in zip(tensors, new, strict=True):
            values[id(tensor)] = output
            if _place(tensor) and _place(tensor) not in given:
                results.setdefault(_place(tensor), tensor)
    together = torch._C.TupleType([one] * len(outputs))
    graph.registerOutput(node("prim::TupleConstruct", outputs, [together])[0])
    return torch._C._create_function_from_graph("step", graph)


def _place(tensor: Tensor | None) -> int:
    """Where the memory of the tensor begins; 0 if it has none."""
    return 0 if tensor is None else tensor.untyped_storage().data_ptr()


def _geometry(tensor: Tensor) -> tuple[list[int], list[int], int]:
    """Which numbers of its memory a tensor shows: its shape, strides and offset."""
    return list(tensor.shape), list(tensor.stride()), int(tensor.storage_offset())
