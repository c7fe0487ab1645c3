"""Look inside a network while it runs: what happens to signals and gradients, layer by layer.

    with Probe(network, labels=y) as probe:
        loss(network(x), y).backward()
        optimizer.step()
    probe.table()       # a record per layer: activations, their rank, gradients
    probe.parameters()  # a record per parameter: weight, gradient and update norms

Works on the replicated networks of this course and on any torch.nn.Module. Numbers
are float64 arrays with one entry per replica, (R,); a module without replicas has R = 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from course import arguments
from course.measures import representations, signals
from course.measures.representations import dead, mean_cosine, nearest_neighbour_accuracy
from course.networks import Network

# What `table` measures on the activations (R, B, n) of a layer: one number per replica.
MEASURES: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.mean((-2, -1)),
    "sd": lambda x: x.std((-2, -1), correction=0),
    "norm": representations.sample_norm,
    "nonfinite": lambda x: (~x.isfinite()).double().mean((-2, -1)),
    "cosine": mean_cosine,
}
# The same from the singular values of the centred activations, which are computed once.
RANKS: dict[str, Callable[[Tensor], Tensor]] = {
    "effective_rank": representations.entropy_rank,
    "participation_ratio": representations.participation,
}


@dataclass
class _Layer:
    """One layer in one forward pass."""

    name: str
    kind: str
    activation: str = ""
    flat: list[Tensor] = field(default_factory=list)  # share saturated, per activation inside
    zero: list[Tensor] = field(default_factory=list)  # share dead, likewise
    output: Tensor | None = None
    shape: tuple[int, ...] = ()
    samples: int = 0
    gradient: Tensor | None = None
    known: dict[str, numpy.ndarray] = field(default_factory=dict)


class Probe:
    """Measures every layer of `module` in the last forward and backward pass inside the `with`.

    layers: names, as in `module.named_modules()` or as by default: "stem", "block 1", ..., "head"
    of a network of this course, and of others `signals.leaves`: the innermost modules.
    labels: whole numbers (B,) or (R, B), for "neighbours"; other layers than those with B samples
    get NaN. samples: how many samples of the batch the measures of activations use (the first).
    measure: which of `MEASURES`, `RANKS` (an SVD per layer) and "neighbours"; all by default.

    An activation counts where it is applied, as a module or as a function (torch.relu, ...): for
    the layers it happens inside of; outside of all default layers it gets its own record. A module
    called twice gets two records, the second named "name (2)". If `module` has `replicas` = R, the
    first axis of an output (with R entries) is that of the replicas. Samples come next (say
    batch_first=True in recurrent nets and transformers); the rest are units, in a row (for `dead`:
    channels of images are units, else the last axis).

    Nothing in the network is changed, and leaving the `with` removes every hook, also after an
    error; the tables can be read afterwards. ValueError for an unknown name or bad labels.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        labels: Any = None,
        layers: Sequence[str] | None = None,
        measure: Sequence[str] | None = None,
        samples: int = 512,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise arguments.reject("module", module, "a torch.nn.Module")
        self.module = module
        self.replicas = getattr(module, "replicas", None)
        self.labels = None if labels is None else torch.as_tensor(labels).cpu()
        if self.labels is not None and self.labels.dim() not in (1, 2):
            raise arguments.reject("labels", tuple(self.labels.shape), "of shape (B,) or (R, B)")
        self.samples = arguments.whole("samples", samples, least=1)
        self.strays = layers is None  # record activations outside of the layers, too
        self.chosen = _default_layers(module)
        if layers is not None:
            known = {n: m for n, m in module.named_modules() if n} | self.chosen
            self.chosen = {arguments.one_of("layers", name, known): known[name] for name in layers}
        available = [*MEASURES, *RANKS, "neighbours"]
        wanted = available if measure is None else measure
        self.measure = [arguments.one_of("measure", name, available) for name in wanted]
        self._layers: list[_Layer] = []
        self._open: list[_Layer] = []
        self._running = False
        self._before: dict[str, Tensor] = {}
        self._gradients = ExitStack()  # removes the hooks on the signals of the last pass
        self._cleanup: ExitStack | None = None  # removes all the others

    def __enter__(self) -> Probe:
        if self._cleanup is not None:
            raise RuntimeError("this probe is in use: leave its `with` before entering it again")
        with ExitStack() as stack:  # undone at once if a hook can't be registered
            hook = self.module.register_forward_pre_hook(self._start)
            stack.callback(hook.remove)
            for name, module in self.chosen.items():
                for handle in (
                    module.register_forward_pre_hook(partial(self._enter_layer, name)),
                    module.register_forward_hook(self._leave_layer),
                ):
                    stack.callback(handle.remove)
            hook = self.module.register_forward_hook(self._stop, always_call=True)
            stack.callback(hook.remove)
            stack.enter_context(signals.ActivationCalls(self._activated))
            self.mark()
            stack.callback(self._gradients.close)
            self._cleanup = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cleanup, self._cleanup, self._running = self._cleanup, None, False
        if cleanup is not None:
            cleanup.close()

    def mark(self) -> None:
        """Remember the weights as they are now: updates are measured from here (or from `with`)."""
        self._before = {n: p.detach().clone() for n, p in self.module.named_parameters()}

    def table(self) -> list[dict[str, Any]]:
        """A record for each layer, in the order in which they ran in the last forward pass.

        layer (its name), kind (class), activation (the first kind met inside, or ""), shape (of the
        output); and (R,) arrays: mean, sd (over samples and units), norm (root mean square length
        of a sample), nonfinite (share of entries), effective_rank, participation_ratio, cosine,
        neighbours (leave-one-out 1-nearest-neighbour accuracy; NaN without labels), saturated and
        dead (shares; NaN without an activation) and gradient: the root mean square over the
        samples of the length of dl_b / dx_b, where x_b is the output for a sample and l_b its own
        loss, if what was differentiated is their mean, (sum_b l_b) / B, for each replica. NaN
        without a backward pass. `training.fit(watch=["gradients"])` records the same.
        """
        counts = sorted({layer.samples for layer in self._layers} - {0})
        if counts and self.labels is not None and self.labels.shape[-1] not in counts:
            allowed = f"(B,) or (R, B) with the B of a layer's output: {counts}"
            raise arguments.reject("shape of labels", tuple(self.labels.shape), allowed)
        return [self._record(layer) for layer in self._layers]

    def parameters(self) -> list[dict[str, Any]]:
        """A record for each parameter: its name and (R,) arrays of lengths (Frobenius norms).

        weight (now), gradient (p.grad; NaN if None), update (since `with` or `mark`) and ratio:
        update / weight before it, about 1e-3 in healthy training; 0 if nothing moved, infinite for
        a parameter that started at 0.
        """

        def length(x: Tensor) -> numpy.ndarray:
            return signals.lengths(x, self.replicas).numpy()

        records = []
        for name, parameter in self.module.named_parameters():
            new = parameter.detach()
            unknown = torch.full_like(new, math.nan)
            old = self._before.get(name, unknown)
            gradient = unknown if parameter.grad is None else parameter.grad
            update, before = length(new - old), length(old)
            with numpy.errstate(divide="ignore", invalid="ignore"):
                ratio = numpy.where(update == 0, 0.0, update / before)
            about = dict(parameter=name, weight=length(new), gradient=length(gradient))
            records.append(about | dict(update=update, ratio=ratio))
        return records

    def _start(self, module: nn.Module, inputs: Any) -> None:
        self._layers, self._open, self._running = [], [], True
        self._gradients.close()

    def _stop(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._running = False

    def _enter_layer(self, name: str, module: nn.Module, inputs: Any) -> None:
        if self._running:
            self._open.append(self._new(name, type(module).__name__))

    def _new(self, name: str, kind: str) -> _Layer:
        times = 1 + sum(layer.name.split(" (")[0] == name for layer in self._layers)
        layer = _Layer(name if times == 1 else f"{name} ({times})", kind)
        self._layers.append(layer)
        return layer

    def _leave_layer(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._running:
            self._see(self._open.pop(), output)

    def _see(self, layer: _Layer, output: Any) -> None:
        """Copy a layer's output (what runs next may overwrite it) and await its gradient."""
        found = signals.first_tensor(output)
        if found is None:
            return
        layer.shape = tuple(found.shape)
        layer.samples = signals.split(found, self.replicas).shape[1]
        kept = signals.by_sample(found.detach(), self.replicas, self.samples)
        layer.output = kept.to("cpu", copy=True)
        if found.requires_grad:
            handle = found.register_hook(partial(self._arrive, layer))
            self._gradients.callback(handle.remove)

    def _arrive(self, layer: _Layer, gradient: Tensor) -> None:
        layer.gradient = layer.samples**0.5 * signals.lengths(gradient, self.replicas)

    def _activated(
        self, name: str, z: Tensor, bounds: tuple[float, float], function: Callable[[], Tensor]
    ) -> Tensor:
        """In place of function(), an activation of z: measure, and return its result."""
        if not self._running:
            return function()
        inside = self._open or ([self._new(name, name)] if self.strays else [])
        units = partial(signals.by_unit, replicas=self.replicas, most=self.samples)
        share = representations.share_outside(units(z.detach()), *bounds)
        output = function()
        zero = dead(units(output.detach()))
        for layer in inside:
            layer.activation = layer.activation or name
            if layer.activation == name and (not layer.flat or layer.flat[0].shape == share.shape):
                layer.flat.append(share)
                layer.zero.append(zero)
        if inside and not self._open:
            self._see(inside[0], output)
        return output

    def _record(self, layer: _Layer) -> dict[str, Any]:
        if layer.output is not None and not layer.known:
            x = layer.output
            wide = x.to(torch.float64)
            found = {name: MEASURES[name](wide) for name in self.measure if name in MEASURES}
            if any(name in RANKS for name in self.measure):
                singular = representations.relative_singular_values(x, centred=True)
                found |= {name: rank(singular) for name, rank in RANKS.items()}
            if "neighbours" in self.measure:
                found["neighbours"] = self._neighbours(layer, x)
            layer.known = {name: found[name].numpy() for name in self.measure}
        replicas = 1 if layer.output is None else layer.output.shape[0]
        none = numpy.full(replicas, math.nan)
        flat = torch.stack(layer.flat).mean(0).numpy() if layer.flat else none
        zero = torch.stack(layer.zero).mean(0).numpy() if layer.zero else none
        gradient = none if layer.gradient is None else layer.gradient.numpy()
        measured = {name: layer.known.get(name, none) for name in self.measure}
        about = dict(
            layer=layer.name, kind=layer.kind, activation=layer.activation, shape=layer.shape
        )
        return about | measured | dict(saturated=flat, dead=zero, gradient=gradient)

    def _neighbours(self, layer: _Layer, x: Tensor) -> Tensor:
        if self.labels is None or self.labels.shape[-1] != layer.samples:
            return torch.full((x.shape[0],), math.nan, dtype=torch.float64)
        return nearest_neighbour_accuracy(x, self.labels[..., : self.samples])


def _default_layers(module: nn.Module) -> dict[str, nn.Module]:
    if isinstance(module, Network):
        return signals.layers(module)
    names: dict[nn.Module, str] = {}
    for name, leaf in signals.leaves(module):
        names.setdefault(leaf, name or type(module).__name__)
    return {name: leaf for leaf, name in names.items()}
