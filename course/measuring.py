"""What is measured while replicas train: losses, evaluations, norms by layer, first NaN or inf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from course.layers import batch_statistics
from course.records import Evaluation

LOSSES = ("cross_entropy", "mse")
WATCHABLE = ("activations", "gradients", "weights", "weight_gradients")
CHUNK = 1000  # examples evaluated at once


def losses(outputs: Tensor, y: Tensor, kind: str, power: float = 1.0) -> Tensor:
    """Loss of each replica, (R,): the mean over its batch.

    outputs: (R, B, k). "cross_entropy": y holds labels (R, B). "mse": y holds targets (R, B, k),
    and the mean squared error is divided by `power`, the mean square of the targets, so that
    answering 0 costs 1; for a linear map it is |P - A|^2 / |A|^2.
    """
    if kind == "mse":
        return (outputs - y).square().mean(dim=(1, 2)) / power
    each = functional.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none")
    return each.view(y.shape).mean(1)


def accuracies(outputs: Tensor, y: Tensor) -> Tensor:
    """Share of right answers of each replica, (R,): outputs (R, B, k), labels (R, B)."""
    return (outputs.argmax(2) == y).to(outputs.dtype).mean(1)


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


@torch.no_grad()
def evaluate(
    network: Any,
    x: Tensor,
    y: Tensor,
    *,
    loss: str = "cross_entropy",
    power: float = 1.0,
    batch: int | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Loss and accuracy (None for "mse") of each replica, two arrays (R,), over all examples.

    x: (N, d) shared by the replicas, or (R, N, d); y likewise. Batch norm uses its running
    statistics, or with `batch` those of batches of about that many examples, as in training.
    """
    count, shared = x.shape[-2], x.dim() == 2
    summed, right = np.zeros(network.replicas), np.zeros(network.replicas)
    pieces = -(-count // (batch or CHUNK))
    if batch:
        pieces = min(pieces, max(count // 2, 1))  # one example alone has no variance
    training = network.training
    network.eval()
    try:
        with batch_statistics(network) if batch else nullcontext():
            for part in np.array_split(np.arange(count), pieces):
                here = slice(int(part[0]), int(part[-1]) + 1)
                targets = y[here].expand(network.replicas, *y[here].shape) if shared else y[:, here]
                outputs = network(x[here] if shared else x[:, here])
                means = losses(outputs, targets, loss, power).cpu().double().numpy()
                summed += means * len(part)
                if loss == "cross_entropy":
                    right += (outputs.argmax(2) == targets).sum(1).cpu().numpy()
    finally:
        network.train(training)
    return summed / count, None if loss == "mse" else right / count


def evaluation(
    network: Any, problem: Any, *, loss: str = "cross_entropy", batch: int | None = None
) -> Evaluation:
    """`evaluate` on every part of a `batches.Problem`."""
    found: dict[str, np.ndarray | None] = {}
    for part, (x, y) in problem.evaluation.items():
        found[f"{part}_loss"], found[f"{part}_accuracy"] = evaluate(
            network, x, y, loss=loss, power=problem.power, batch=batch
        )
    return Evaluation(**found)


def layers(network: Any) -> dict[str, nn.Module]:
    """The layers whose signals are measured, input first: "stem", "block 1", ..., "head".

    A stem that passes its input on is left out.
    """
    named = {} if isinstance(network.stem, nn.Identity) else {"stem": network.stem}
    named |= {f"block {k}": block for k, block in enumerate(network.blocks, start=1)}
    return named | {"head": network.head}


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
    """While open, the list fills with the output of each module that runs, in running order."""
    seen: list[Tensor] = []
    handles = [
        module.register_forward_hook(lambda *call: seen.append(call[2])) for module in modules
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def example_norms(signals: Sequence[Tensor], scale: float = 1.0) -> np.ndarray:
    """Root mean square over the examples of each example's Euclidean norm: (R, layers).

    signals: one (R, B, n) per layer. For the gradient of the batch's mean loss the scale B makes it
    that of each example's own loss. In float64: squares of float32 numbers overflow and underflow.
    """
    squares = [signal.detach().cpu().double().square().sum(2).mean(1) for signal in signals]
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
    with torch.no_grad(), untouched_buffers(network), outputs_of(list(named.values())) as seen:
        network(x)
    for name, output in zip(named, seen, strict=True):
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
