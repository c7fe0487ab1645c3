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

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from course import arguments
from course.measures import representations, signals
from course.measures.activations import MEASURES, RANKS, Layer, keep, largest_by_unit
from course.measures.weights import Weights
from course.networks import Network


class Probe:
    """Measures every layer of `module` in the last forward and backward pass inside the `with`.

    layers: names, as in `module.named_modules()` or as by default: "stem", "block 1", ..., "head"
    of a network of this course, and of others `signals.leaves`: the innermost modules.
    labels: whole numbers (B,) or (R, B), for "neighbours"; other layers than those with B samples
    get NaN. samples: how many samples of the batch the measures of activations use (the first).
    measure: which of `MEASURES`, `RANKS` and "neighbours"; all by default.

    Of a sample with more than 8,192 numbers, as in the first layers of convolutional networks, the
    ranks, "cosine" and "neighbours" use 8,192 of them, drawn at random but the same each time. The
    ranks come out too small, the more so the more samples: in VGG16 at the start, with 128, by up
    to 0.4 % (effective rank) and 3 % (participation ratio). A single unit that outweighs all others
    may be missed. All else is of all numbers. The cost is linear in calls and in numbers.

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
        for name, part in {type(module).__name__: module, **self.chosen}.items():
            if isinstance(part, torch.jit.ScriptModule):
                raise arguments.reject("layer", name, "as it was before torch.jit compiled it")
        available = [*MEASURES, *RANKS, "neighbours"]
        wanted = available if measure is None else measure
        self.measure = [arguments.one_of("measure", name, available) for name in wanted]
        self._layers: list[Layer] = []
        self._open: list[Layer] = []
        self._times: Counter[str] = Counter()  # how often each layer ran in this pass
        self._outside: Counter[str] = Counter()  # and outside of a call of `module`
        self._passes = 0
        self._running = False
        self._reached = False  # a backward pass, since the last forward pass
        self._weights = Weights(module)
        self._gradients = ExitStack()  # removes the hooks on the signals of the last pass
        self._cleanup: ExitStack | None = None  # removes all the others

    def __enter__(self) -> Probe:
        if self._cleanup is not None:
            raise RuntimeError("this probe is in use: leave its `with` before entering it again")
        self._layers, self._passes, self._reached = [], 0, False
        self._outside.clear()
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
            self._weights.watch(stack)
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
        self._weights.mark()

    def table(self) -> list[dict[str, Any]]:
        """A record for each layer, in the order in which they ran in the last forward pass.

        layer (its name), kind (class), activation (the first kind met inside, or ""), shape (of the
        output); and (R,) arrays: mean, sd (over samples and units), norm (root mean square length
        of a sample), nonfinite (share of entries), effective_rank, participation_ratio, cosine,
        neighbours (leave-one-out 1-nearest-neighbour accuracy; NaN without labels), saturated and
        dead (shares; NaN without an activation) and gradient: the root mean square over the
        samples of the length of dl_b / dx_b, where x_b is the output for a sample and l_b its own
        loss, if what was differentiated is their mean, (sum_b l_b) / B, for each replica.
        `training.fit(watch=["gradients"])` records the same.

        backward says what the gradient is, or why there is none (it is NaN then):
        "finite" or "not finite" (NaN or infinity in a replica: that is what was computed);
        "no backward pass" since the last forward pass, inside the `with`;
        "no history": torch.no_grad(), frozen weights, or `detach` inside of the layer;
        "detached or unused": a backward pass came by, but not through this layer's output;
        "no output": the layer failed, or returned no floating-point tensor.

        RuntimeError, with what was seen and what to do, if no layer ran in a call of the module.
        """
        if not self._layers:
            raise RuntimeError(self._nothing_seen())
        counts = sorted({layer.samples for layer in self._layers} - {0})
        if counts and self.labels is not None and self.labels.shape[-1] not in counts:
            allowed = f"(B,) or (R, B) with the B of a layer's output: {counts}"
            raise arguments.reject("shape of labels", tuple(self.labels.shape), allowed)
        return [layer.record(self.measure, self.labels, self._reached) for layer in self._layers]

    def parameters(self) -> list[dict[str, Any]]:
        """A record for each parameter: its name and (R,) arrays of lengths (Frobenius norms).

        weight (now), gradient (p.grad now; NaN if None), update (since `with` or `mark`) and ratio:
        update / weight before it, about 1e-3 in healthy training; 0 if nothing moved, infinite for
        a parameter that started at 0.

        backward says what the gradient is: "finite" or "not finite"; "cleared": one came, and was
        set to None or 0 since (`zero_grad`); "earlier": p.grad is as it was before the `with`;
        "frozen"; "no backward pass" inside the `with`; "not accumulated": a backward pass came by,
        but left nothing in p.grad (detached, unused, or torch.autograd.grad).
        """
        return self._weights.records(self.replicas, self._reached)

    def _nothing_seen(self) -> str:
        """What was seen in place of a layer in a forward pass, and what to do."""
        kind = type(self.module).__name__
        if self._passes:
            names = ", ".join(map(repr, list(self.chosen)[:5])) or "none"
            return (
                f"{kind} was called, but none of the layers that are watched ran ({names}): name "
                "`layers` that are called, as modules, in its forward pass"
            )
        if self._outside:
            names = ", ".join(map(repr, list(self._outside)[:5]))
            return (
                f"no call of the whole {kind} was seen inside the `with`, only calls of its layers "
                f"({names}): call module(x), not module.forward(x), or probe the part that you call"
            )
        return (
            f"no forward pass of this {kind} was seen inside the `with`: call this very module "
            "there, as module(x). Not seen are module.forward(x) and copies of it: by torch.jit, "
            "torch.compile, deepcopy or DataParallel"
        )

    def _start(self, module: nn.Module, inputs: Any) -> None:
        self._layers, self._open, self._running = [], [], True
        self._passes, self._reached = self._passes + 1, False
        self._times.clear()
        self._gradients.close()

    def _stop(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._running = False
        self._await(signals.first_tensor(output), self._come_by)

    def _enter_layer(self, name: str, module: nn.Module, inputs: Any) -> None:
        if self._running:
            self._open.append(self._new(name, type(module).__name__))
        else:
            self._outside[name] += 1

    def _new(self, name: str, kind: str) -> Layer:
        self._times[name] += 1
        times = self._times[name]
        layer = Layer(name if times == 1 else f"{name} ({times})", kind)
        self._layers.append(layer)
        return layer

    def _leave_layer(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._running:
            self._see(self._open.pop(), output)

    def _see(self, layer: Layer, output: Any) -> None:
        """Copy a layer's output (what runs next may overwrite it) and await its gradient."""
        tensor = signals.first_tensor(output)
        if tensor is None:
            return
        layer.shape, layer.history = tuple(tensor.shape), tensor.requires_grad
        layer.replicas, layer.samples = signals.split(tensor, self.replicas).shape[:2]
        if self.measure:
            x = signals.by_sample(tensor.detach(), self.replicas, self.samples)
            layer.output = keep(x, self.measure)
        self._await(tensor, partial(self._arrive, layer))

    def _await(self, tensor: Tensor | None, act: Callable[[Tensor], None]) -> None:
        if tensor is not None and tensor.requires_grad:
            self._gradients.callback(tensor.register_hook(act).remove)

    def _come_by(self, gradient: Tensor) -> None:
        self._reached = True

    def _arrive(self, layer: Layer, gradient: Tensor) -> None:
        self._reached = True
        layer.gradient = layer.samples**0.5 * signals.lengths(gradient, self.replicas)

    def _activated(
        self, name: str, z: Tensor, bounds: tuple[float, float], function: Callable[[], Tensor]
    ) -> Tensor:
        """In place of function(), an activation of z: measure, and return its result."""
        if not self._running:
            return function()
        inside = self._open or ([self._new(name, name)] if self.strays else [])
        numbers = signals.by_sample(z.detach(), self.replicas, self.samples)
        share = representations.share_outside(numbers, *bounds)
        output = function()
        units = largest_by_unit(output.detach(), self.replicas, self.samples)
        zero = representations.dead(units)
        for layer in inside:
            layer.activation = layer.activation or name
            if layer.activation == name and (not layer.flat or layer.flat[0].shape == share.shape):
                layer.flat.append(share)
                layer.zero.append(zero)
        if inside and not self._open:
            self._see(inside[0], output)
        return output


def _default_layers(module: nn.Module) -> dict[str, nn.Module]:
    if isinstance(module, Network):
        return signals.layers(module)
    names: dict[nn.Module, str] = {}
    for name, leaf in signals.leaves(module):
        names.setdefault(leaf, name or type(module).__name__)
    return {name: leaf for leaf, name in names.items()}
