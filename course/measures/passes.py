"""One batch forward and backward: what the layers of a network return, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course.arguments import one_of
from course.measures import signals
from course.measures.loss import losses
from course.measures.representations import mean_cosine
from course.measures.signals import example_norms, outputs_of, untouched_buffers
from course.networks import Network, one_thread

Array = NDArray[np.float64]


@contextmanager
def as_in_training(network: nn.Module) -> Iterator[None]:
    """Inside, the network computes as in a step of training, on one thread; then all is as before.

    The modes of its modules, its running statistics and torch's random state come back, also after
    an error. Parameters and gradients are the business of what runs inside.
    """
    modes = [(module, module.training) for module in network.modules()]
    cards = {parameter.device for parameter in network.parameters() if parameter.is_cuda}
    network.train()
    try:
        with one_thread(), untouched_buffers(network), torch.random.fork_rng(cards):
            yield
    finally:
        for module, mode in modes:
            module.training = mode


@dataclass(frozen=True)
class Signals:
    """What the layers of R replicas return for one batch of B examples, and the gradients there.

    names: of the layers. outputs: a tensor (R, B, n) for each layer. gradients: likewise, of each
    example's own loss with respect to its output; empty without a backward pass. loss: (R,), the
    mean over the batch; NaN without labels. weight_gradients: of that mean, by the full name of a
    parameter. What is derived from them: float64, (layers, R).
    """

    names: tuple[str, ...]
    outputs: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]
    loss: Array
    weight_gradients: dict[str, Tensor]

    def measure(
        self, function: Callable[[Tensor], Tensor], places: Iterable[int] | None = None
    ) -> Array:
        """`function` of the outputs (R, B, n) of the layers, or of those at `places`: (layers, R).

        function: say `effective_rank`; it returns a number for each replica, (R,).
        """
        chosen = self.outputs if places is None else [self.outputs[place] for place in places]
        with one_thread():
            return np.stack([function(output).cpu().double().numpy() for output in chosen])

    @cached_property
    def sizes(self) -> Array:
        """Root mean square of the outputs over examples and units, (layers, R)."""
        return self.measure(lambda output: output.double().square().mean((1, 2)).sqrt())

    @cached_property
    def cosine(self) -> Array:
        """Mean cosine over pairs of examples, (layers, R), see `mean_cosine`."""
        return self.measure(mean_cosine)

    @cached_property
    def gradient_norms(self) -> Array:
        """Root mean square over the examples of the norm of their gradients, (layers, R)."""
        with one_thread():
            return example_norms(self.gradients).T

    @cached_property
    def growth(self) -> Array:
        """Factor on the norm of gradients per block on their way back, geometric mean, (R,).

        (|g_1| / |g_L|)^(1 / (L - 1)) for the L blocks among the layers, each next to the other; NaN
        for fewer than two, and where the gradient is 0 at both ends.
        """
        norms = self.gradient_norms[[name.startswith("block ") for name in self.names]]
        if len(norms) < 2:
            return np.full(len(self.loss), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((norms[0] / norms[-1]) ** (1 / (len(norms) - 1)))


def one_pass(
    network: Network,
    x: Tensor,
    y: Tensor | None = None,
    *,
    layers: Sequence[str] | None = None,
    weights: Sequence[str] = (),
    loss: str = "cross_entropy",
) -> Signals:
    """One batch through a network, forward and, with y, backward, computed as in training.

    x: (B, d) for all replicas, or (R, B, d). y: labels (B,) or (R, B); for the loss "mse" targets
    (B, k) or (R, B, k); None: forward only. layers: which ones, by their name in `measures.layers`
    or in network.named_modules(); all of the former if None. weights: full names of the parameters
    whose gradients are wanted, too.

    Batch norm uses the statistics of this batch. The network is left as it was, gradients and
    random state included, also after an error. NaN and infinity are passed on. ValueError for a
    name that there is not.
    """
    by_name = dict(network.named_modules()) | signals.layers(network)
    names = tuple(signals.layers(network) if layers is None else layers)
    modules = [by_name[one_of("layers", name, by_name)] for name in names]
    parameters = dict(network.named_parameters())
    chosen = [parameters[one_of("weights", name, parameters)] for name in weights]
    like = next(network.parameters())
    mean_losses = torch.full((network.replicas,), torch.nan)
    slopes: tuple[Tensor, ...] = ()
    with (
        as_in_training(network),
        torch.set_grad_enabled(y is not None),
        outputs_of(modules) as outputs,
    ):
        answers = network(x.to(like))
        if y is not None:
            targets = y.to(like.device).expand(answers.shape[: 3 if loss == "mse" else 2])
            mean_losses = losses(answers, targets, loss)
            wanted = [*outputs, *chosen]
            slopes = torch.autograd.grad(mean_losses.sum(), wanted, materialize_grads=True)
    return Signals(
        names,
        tuple(output.detach() for output in outputs),
        tuple(answers.shape[1] * slope for slope in slopes[: len(names)]),
        mean_losses.detach().cpu().double().numpy(),
        dict(zip(weights, slopes[len(names) :], strict=y is not None)),
    )
