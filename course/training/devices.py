"""Where to compute, and how to repeat a computation on a GPU without launching its pieces again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.arguments import one_of, reject

DEVICES = ("auto", "cpu", "cuda", "mps")
WARM_UP = 3  # runs before recording: libraries choose their kernels in the first ones
_RECORDING = threading.Lock()  # a process can record one graph at a time; runs live in threads


def device(name: str = "auto") -> torch.device:
    """The device of that name. "auto": CUDA where it is there, otherwise the CPU.

    Apple's "mps" is taken on request only: for the small networks here the CPU is faster. Raises
    ValueError for a device that this machine (or this torch) has not got.
    """
    one_of("device", name, DEVICES)
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if usable["cuda"] else "cpu")
    if not usable.get(name, True):
        names = ", ".join(["auto", "cpu", *(kind for kind in usable if usable[kind])])
        raise reject("device", name, f"a device of this machine: {names}")
    return torch.device(name)


def on_cuda(tensor: Tensor) -> bool:
    """Whether the tensor is on a CUDA device, where recording pays."""
    return tensor.is_cuda


class Repeated:
    """`function` of tensors, the same at each call; on CUDA recorded once, then replayed.

    A deep thin network is a long chain of tiny kernels, and a GPU waits for Python to launch each
    of them. A CUDA graph launches all at once. Inputs must keep their shapes, whatever the
    function changes in place must be listed in `state`, and the outputs of one call are
    overwritten by the next. Where recording fails the function runs as it is; `failure` says why.
    On other devices the function is called, and nothing else.
    """

    def __init__(
        self, function: Callable[..., tuple[Tensor, ...]], state: Sequence[Tensor]
    ) -> None:
        self.function, self.state = function, state
        self.graph: torch.cuda.CUDAGraph | None = None
        self.failure: str | None = None

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the function returns for these inputs."""
        if self.failure or not on_cuda(inputs[0]):
            return self.function(*inputs)
        if self.graph is None:
            self._record(inputs)
            return self(*inputs)
        for place, value in zip(self.inputs, inputs, strict=True):
            place.copy_(value)
        self.graph.replay()
        return self.outputs

    def _record(self, inputs: tuple[Tensor, ...]) -> None:
        before = [tensor.detach().clone() for tensor in self.state]
        self.inputs = [tensor.clone() for tensor in inputs]
        graph, here = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        try:
            side = torch.cuda.Stream()
            side.wait_stream(here)
            with torch.cuda.stream(side):
                for _ in range(WARM_UP):
                    self.function(*self.inputs)
            here.wait_stream(side)
            # "thread_local": what other threads do on the GPU meanwhile is no error. The outer
            # `stream`: a recording that fails would leave its own one as the current stream.
            with (
                _RECORDING,
                torch.cuda.stream(here),
                torch.cuda.graph(graph, capture_error_mode="thread_local"),
            ):
                self.outputs = self.function(*self.inputs)
            self.graph = graph
        except RuntimeError as error:
            self.failure = str(error).partition("\n")[0] or type(error).__name__
        for tensor, value in zip(self.state, before, strict=True):
            tensor.detach().copy_(value)
