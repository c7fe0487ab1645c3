"""The operations of a step, recorded once and then repeated by torch without Python in between.

A layer as thin as these takes torch some microseconds, and Python as long to ask for it: for its
modules, its functions, and the graph of autograd. All of that is the same at each step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course import measures
from course.training.compiling import compiled
from course.training.operations import Operations

LEARNT = 5  # calls until the operations are recorded: that takes as long as some steps


class Recorded:
    """`function` of tensors on the CPU, without Python from its sixth call on.

    The same operations in the same order: what it returns is equal bit for bit
    (test_recorded_steps.py), and was compared once. What the function uses and changes besides its
    inputs are the parameters and buffers of `module`, and `memory`. Which operations they are may
    depend on nothing but the shapes and strides of the inputs and the modes of the modules; with
    others, and where a module has hooks, the function is called as it is. So it is on other
    devices, and where recording fails: `failure` says why. Where the modules are not `watched`,
    nobody changes them: to look at all of them takes 1 to 2 % of a step.
    """

    def __init__(
        self,
        function: Callable[..., tuple[Tensor, ...]],
        module: nn.Module,
        memory: Sequence[Tensor] = (),
        *,
        watched: bool = True,
    ) -> None:
        self.function, self.module = function, module
        self.memory = [*module.parameters(), *module.buffers(), *memory]
        self.modules, self.hooks = (list(module.modules()), hooks(module)) if watched else ([], [])
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
        expected = tuple(each.clone() for each in outputs)
        try:
            self.repeat = compiled(operations.calls, inputs, outputs, self.memory)
            with measures.untouched_buffers(self.module):
                repeated = self._repeat(inputs)
            for one, other in zip(repeated, expected, strict=True):
                if not torch.allclose(one, other, rtol=0, atol=0, equal_nan=True):
                    raise ValueError("repeated, the operations give other numbers")
        except Exception as error:  # of torch's internals: another version may know others
            self.failure = str(error).partition("\n")[0] or type(error).__name__
        return expected


def hooks(network: nn.Module) -> list[dict[int, Any]]:
    """The hooks of each of its modules; those that are added later come into these dictionaries."""
    return [
        hooks
        for module in network.modules()
        for hooks in (module._forward_pre_hooks, module._forward_hooks, module._backward_hooks)
    ]
