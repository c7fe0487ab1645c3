"""The copies that are examined, the batches, and a guard that leaves everything as it was."""

from __future__ import annotations

import copy
import itertools
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from course import measures
from course.arguments import reject

Loss = Callable[[Any, Any], Tensor]
Forward = Callable[[nn.Module, Any], tuple[Any, Any]]

RECOMPUTED = "CheckpointFunctionBackward"
"""The node of the older torch.utils.checkpoint in a graph."""

MEMORY = 256 << 20
"""Bytes of batches that are kept at most."""


@contextmanager
def undisturbed(data: Any = None) -> Iterator[None]:
    """Inside, random numbers start from a fixed seed; afterwards all sources go on as before.

    data: a loader, whose own generator is put back, too. Gradients are recorded inside, also
    where the caller turned them off.
    """
    sources = [getattr(data, "generator", None)]
    sources += [getattr(getattr(data, "sampler", None), "generator", None)]
    own = [(one, one.get_state()) for one in sources if isinstance(one, torch.Generator)]
    python, arrays = random.getstate(), numpy.random.get_state()
    cards = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    try:
        with (
            torch.random.fork_rng(list(cards)),
            torch.inference_mode(False),
            torch.enable_grad(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # the owner hears them in training; here is the verdict
            torch.manual_seed(0)
            yield
    finally:
        random.setstate(python)
        numpy.random.set_state(arrays)
        for generator, state in own:
            generator.set_state(state)


def tensors(batch: Any) -> Iterator[Tensor]:
    """All tensors in nested tuples, lists and dicts."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, dict):
        yield from itertools.chain.from_iterable(map(tensors, batch.values()))
    elif isinstance(batch, tuple | list):
        yield from itertools.chain.from_iterable(map(tensors, batch))


def length(x: Tensor) -> float:
    """The Euclidean length, in double precision; also of sparse and complex numbers."""
    values = x.detach().coalesce().values() if x.is_sparse else x.detach()
    values = torch.view_as_real(values) if values.is_complex() else values
    wide = values.float() if x.device.type == "mps" else values.double()  # which has no double
    return float(torch.linalg.vector_norm(wide))


def apply(batch: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same nest with `change` of each tensor in it."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, dict):
        return {key: apply(value, change) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(apply(value, change) for value in batch))
    if isinstance(batch, tuple | list):
        return type(batch)(apply(value, change) for value in batch)
    return batch


def is_batch(data: Any) -> bool:
    """Whether it is one batch: a tensor, a dict, or a tuple or list that begins with a tensor.

    A list of more than three tensors of one shape is a loader of batches without targets.
    """
    if isinstance(data, Tensor | dict):
        return True
    if not isinstance(data, tuple | list) or not data or not isinstance(data[0], Tensor):
        return False
    alike = {(x.shape, x.dtype) if isinstance(x, Tensor) else None for x in data}
    return not (isinstance(data, list) and len(data) > 3 and len(alike) == 1)


def batches_of(data: Any, most: int) -> list[Any]:
    """The first batches of one pass through the data, at most so many, within `MEMORY`."""
    if isinstance(data, numpy.ndarray | str) or not (is_batch(data) or isinstance(data, Iterable)):
        allowed = "a batch of tensors, such as (x, y), or a loader that gives such batches"
        raise reject("data", type(data).__name__, allowed)
    if is_batch(data):
        return [data]
    batches: list[Any] = []
    size = 0
    for batch in itertools.islice(iter(data), most):
        batches.append(apply(batch, lambda x: x.detach().clone()))
        size += sum(x.numel() * x.element_size() for x in tensors(batch))
        if size > MEMORY:
            break
    return batches


def pair(batch: Any) -> tuple[tuple[Any, ...], Any]:
    """(inputs, targets): of (x, y) it is (x,) and y; of x alone, x and x."""
    if isinstance(batch, Tensor):
        return (batch,), batch
    if isinstance(batch, dict):
        allowed = (
            "a tensor or a tuple; for dicts give forward=..., (model, batch) -> (outputs, targets)"
        )
        raise reject("a batch", f"a dict with {list(batch)}", allowed)
    parts = tuple(batch)
    return (parts, parts[0]) if len(parts) == 1 else (parts[:-1], parts[-1])


def call(model: nn.Module, batch: Any) -> tuple[Any, Any]:
    """(outputs, targets) of a batch (x, y), (x1, x2, ..., y) or x: the model gets all inputs."""
    inputs, targets = pair(batch)
    return model(*inputs), targets


class Patient:
    """Deep copies of a model with its optimizer, the batches on its device, and its loss.

    Hooks that were registered on the model stay behind, except torch's own (weight norm, ...):
    they are someone's, and might write. `left` says what could not be taken along.
    """

    def __init__(
        self,
        model: nn.Module,
        batches: list[Any],
        loss: Loss,
        forward: Forward | None,
        optimizer: Optimizer | None,
        clip: float | None = None,
    ) -> None:
        model = getattr(model, "_orig_mod", model)  # what torch.compile wrapped
        self.loss, self.forward, self.clip = loss, forward or call, clip
        self.custom_forward = forward is not None
        self._recomputes: bool | None = None
        self.left: list[str] = []
        self.given = optimizer is not None
        self.earlier = {
            name: length(p.grad)
            for name, p in model.named_parameters()
            if p.grad is not None and not p.grad.is_sparse
        }  # lengths of the gradients that are there already
        self.model, self.optimizer = copies(model, optimizer)
        if _without_hooks(self.model):
            self.left.append("the hooks that are registered on the model")
        self.training = model.training
        like = next(iter(self.model.parameters()), None)
        self.batches = [apply(batch, lambda x: _moved(x, like)) for batch in batches]

    def fresh(self) -> tuple[nn.Module, Optimizer]:
        """A copy of the model and of its optimizer (Adam, 0.001, if none was given) to train."""
        model, optimizer = copies(self.model, self.optimizer)
        if optimizer is None:
            some = [p for p in model.parameters() if p.requires_grad]
            optimizer = torch.optim.Adam(some or [torch.zeros(1)])
        return model, optimizer

    def still(self) -> Any:
        """Inside its `with` no gradient is recorded, unless the forward pass asks for one itself
        (the derivative of an answer by its input, as a differential equation has it)."""
        return torch.set_grad_enabled(self._derives)

    @cached_property
    def _derives(self) -> bool:
        with torch.no_grad(), measures.untouched_buffers(self.model):
            try:
                self.forward(self.model, self.batches[0])
            except RuntimeError as error:
                return "does not require grad" in str(error)
        return False

    def slopes(self, value: Tensor, parameters: Sequence[Tensor]) -> Sequence[Tensor | None]:
        """The gradient of a loss by each parameter, None where none comes; p.grad stays.

        torch.utils.checkpoint, the older way (use_reentrant=True), knows only backward(): there
        p.grad of these parameters is read and put back.
        """
        if self._recomputes is None:
            self._recomputes = any(node.name() == RECOMPUTED for node in _nodes(value))
        if not self._recomputes:
            return torch.autograd.grad(value, parameters, allow_unused=True)
        before = [p.grad for p in parameters]
        for p in parameters:
            p.grad = None
        value.backward()
        result = [p.grad for p in parameters]
        for p, slope in zip(parameters, before, strict=True):
            p.grad = slope
        return result

    def value(
        self, model: nn.Module, batch: Any, change: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """The loss of a batch, a scalar: the mean, where it has more than one entry.

        change: what is done to the targets before.
        """
        outputs, targets = self.forward(model, batch)
        if change is not None:
            targets = apply(targets, change)
        loss = self.loss(outputs, targets)
        if not isinstance(loss, Tensor):
            raise TypeError(f"the loss returned {type(loss).__name__}, not a tensor")
        return loss if loss.dim() == 0 else loss.mean()


def _nodes(value: Tensor) -> Iterator[Any]:
    """The nodes of the graph behind a loss."""
    stack, known = [value.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is not None and node not in known:
            known.add(node)
            stack += [parent for parent, _ in node.next_functions]
            yield node


def copies(model: nn.Module, optimizer: Optimizer | None) -> tuple[nn.Module, Optimizer | None]:
    """Deep copies; the optimizer's copy steps the model's copy.

    Activations that a module keeps as attributes are copied without their history: torch would
    refuse. RuntimeError if a part can't be copied.
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in module.__dict__.values():
            for tensor in tensors(value):
                if not tensor.is_leaf:
                    memo[id(tensor)] = tensor.detach().clone()
    try:
        twin = copy.deepcopy(model, memo)
    except Exception as error:
        raise RuntimeError(f"the model can't be copied: {error}") from error
    if optimizer is None:
        return twin, None
    other = copy.deepcopy(optimizer, memo)
    for name, value in vars(optimizer).items():  # torch copies the state and the groups only
        if name not in vars(other) and isinstance(value, list | int | float | str | bool | None):
            setattr(other, name, copy.deepcopy(value, memo))
    return twin, other


def _without_hooks(model: nn.Module) -> int:
    """Removes the hooks that torch did not make itself; how many."""
    removed = 0
    for module in model.modules():
        for kind in (
            module._forward_hooks,
            module._forward_pre_hooks,
            module._backward_hooks,
            module._backward_pre_hooks,
        ):
            for key, hook in list(kind.items()):
                if not str(getattr(hook, "__module__", "")).startswith("torch."):
                    del kind[key]
                    module._forward_hooks_with_kwargs.pop(key, None)
                    module._forward_hooks_always_called.pop(key, None)
                    module._forward_pre_hooks_with_kwargs.pop(key, None)
                    removed += 1
    return removed


def _moved(x: Tensor, like: Tensor | None) -> Tensor:
    """x on the device of the parameters, floats in their precision, without history."""
    x = x.detach()
    if like is None or isinstance(like, nn.parameter.UninitializedParameter):
        return x
    if x.is_floating_point() and like.is_floating_point():
        return x.to(like.device, like.dtype)
    return x.to(like.device)
