"""What makes healthy networks ill: each fault takes a fresh healthy case and changes one thing."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from course_tests.doctor.cases.case import Case

FAULTS: dict[str, Callable[[Case, random.Random], Case | None]] = {}
"""name: makes a healthy case ill, or returns None where it does not apply."""

TRUTHS: dict[str, str] = {}
"""name: the illness."""

BY_SIGHT = frozenset({
    "softmax first", "softmax inside", "sigmoid first", "no log-softmax", "crossed shapes",
    "sorted labels", "same batch", "constant input", "nan in data", "shuffled labels",
    "shifted labels", "in a list", "detached", "frozen", "left out", "stale optimizer", "eval mode",
    "batch of one", "piled up", "symmetric", "constant label", "wrong axis", "out of reach",
    "does not run",
})  # fmt: skip
"""Ill whether or not the loss falls. All others count only where they are seen not to learn."""


def fault(truth: str) -> Callable[[Any], Any]:
    """Registers a fault under the function's name, with what it truly is."""

    def register(function: Callable[[Case, random.Random], tuple[str, ...] | None]) -> Any:
        name = function.__name__.replace("_", " ").replace("log softmax", "log-softmax")

        def make(case: Case, rng: random.Random) -> Case | None:
            place = function(case, rng)
            if place is None:
                return None
            case.truth, case.fault, case.place = truth, name, place
            return case

        FAULTS[name], TRUTHS[name] = make, truth
        return make

    return register


def _renew(case: Case, parameters: Any = None) -> None:
    """The optimizer anew, with the same settings, after the model has changed."""
    settings = dict(case.optimizer.param_groups[0])
    settings.pop("params")
    known = case.optimizer.defaults
    settings = {key: value for key, value in settings.items() if key in known}
    chosen = list(case.model.parameters() if parameters is None else parameters)
    settings.pop("decoupled_weight_decay", None)
    case.optimizer = type(case.optimizer)(chosen, **settings)


def _labels(case: Case) -> bool:
    first = case.batches[0]
    return (
        isinstance(first, tuple) and len(first) == 2 and isinstance(first[1], Tensor)
        and first[1].dtype == torch.long and first[1].dim() == 1
    )  # fmt: skip


def _is_float(case: Case) -> bool:
    first = case.batches[0]
    return isinstance(first, tuple) and len(first) == 2 and first[0].is_floating_point()


def _weighted(case: Case) -> list[tuple[str, nn.Module]]:
    kinds = nn.Linear | nn.Conv2d | nn.Conv1d
    return [(name, m) for name, m in case.model.named_modules() if isinstance(m, kinds)]


def _is_frozen(case: Case) -> bool:
    return not all(p.requires_grad for p in case.model.parameters())


def _rates(case: Case, factor: float) -> None:
    for group in case.optimizer.param_groups:
        group["lr"] *= factor


# The optimizer


@fault("rate too large")
def rate_large(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    _rates(case, rng.choice([100, 300, 1000]))
    return ("optimizer",)


@fault("rate too small")
def rate_small(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    _rates(case, rng.choice([1e-3, 3e-4, 1e-4]))
    return ("optimizer",)


@fault("rate too small")
def rate_zero(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    _rates(case, 0.0)
    return ("optimizer",)


@fault("decayed to a standstill")
def decay(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    p = [p for p in case.model.parameters() if p.requires_grad]
    if rng.random() < 0.5:
        case.optimizer = torch.optim.AdamW(p, 1e-3, weight_decay=rng.choice([300.0, 600.0]))
    else:
        case.optimizer = torch.optim.SGD(p, 0.05, weight_decay=rng.choice([3.0, 8.0]))
    return ("optimizer",)


@fault("clipped to a standstill")
def clip(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if not isinstance(case.optimizer, torch.optim.SGD):
        return None
    case.clip = rng.choice([1e-4, 1e-5])
    return ("clip",)


# The data


def _with_inputs(case: Case, change: Callable[[Tensor], Tensor]) -> None:
    if isinstance(case.batches[0], Tensor):
        case.batches = [change(x) for x in case.batches]
    else:
        case.batches = [(change(batch[0]), *batch[1:]) for batch in case.batches]


@fault("badly scaled input")
def raw_input(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if not _is_float(case):
        return None
    size, offset = rng.choice([(1e3, 0), (3e3, 1e3), (1e-4, 0), (1.0, 300.0)])
    _with_inputs(case, lambda x: x * size + offset)
    return ("data",)


@fault("badly scaled target")
def raw_target(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    first = case.batches[0]
    if not isinstance(first, tuple) or case.loss not in (functional.mse_loss, functional.l1_loss):
        return None
    size, offset = rng.choice([(1.0, 300.0), (1e3, 3e3), (100.0, 1e4)])
    case.batches = [(x, y * size + offset) for x, y in case.batches]
    return ("data",)


@fault("constant input")
def constant_input(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if not isinstance(case.batches[0], tuple) or len(case.batches[0]) != 2:
        return None
    one = case.batches[0][0][:1].clone()
    _with_inputs(case, lambda x: one.expand_as(x).clone())
    return ("data",)


@fault("input not finite")
def nan_in_data(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    first = case.batches[0]
    x = first if isinstance(first, Tensor) else first[0]
    if not x.is_floating_point():
        return None
    bad = rng.choice([float("nan"), float("inf")])
    place = rng.randrange(len(case.batches))
    count = iter(range(len(case.batches)))

    def change(x: Tensor) -> Tensor:
        x = x.clone()
        if next(count) == place:
            x.view(-1)[0] = bad
        return x

    _with_inputs(case, change)
    return ("data",)


@fault("same batch again and again")
def same_batch(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    case.batches = [case.batches[0]] * len(case.batches)
    return ("data",)


@fault("sorted labels")
def sorted_labels(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if not _labels(case):
        return None
    x = torch.cat([batch[0] for batch in case.batches])
    y = torch.cat([batch[1] for batch in case.batches])
    order = torch.argsort(y, stable=True)
    size = len(case.batches[0][1])
    case.batches = list(zip(x[order].split(size), y[order].split(size), strict=True))
    return ("data",)


@fault("labels do not belong to inputs")
def shuffled_labels(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if not _labels(case) or not _is_float(case):
        return None
    x = torch.cat([batch[0] for batch in case.batches])
    y = torch.cat([batch[1] for batch in case.batches])
    size = len(case.batches[0][1])
    y = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(rng.randrange(1000)))]
    case.batches = list(zip(x.split(size), y.split(size), strict=True))
    return ("data",)


@fault("labels do not belong to inputs")
def shifted_labels(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if not _labels(case) or not _is_float(case):
        return None
    places = rng.choice([-1, 1])
    case.batches = [(x, y.roll(places)) for x, y in case.batches]
    return ("data",)


# The loss


@fault("softmax before cross-entropy")
def softmax_first(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if case.loss is not functional.cross_entropy:
        return None
    case.model = nn.Sequential(case.model, nn.Softmax(1))
    return ("loss",)


@fault("softmax before cross-entropy")
def softmax_inside(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if case.loss is not functional.cross_entropy:
        return None
    case.loss = lambda outputs, y: functional.cross_entropy(torch.softmax(outputs, -1), y)
    return ("loss",)


@fault("sigmoid twice")
def sigmoid_first(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if case.loss is not functional.binary_cross_entropy_with_logits:
        return None
    before = case.loss
    case.loss = lambda outputs, y: before(torch.sigmoid(outputs), y)
    return ("loss",)


@fault("missing sigmoid or softmax")
def no_log_softmax(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if case.loss is not functional.cross_entropy:
        return None
    case.loss = functional.nll_loss
    return ("loss",)


@fault("broadcast in the loss")
def crossed_shapes(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    first = case.batches[0]
    if not isinstance(first, tuple) or not isinstance(first[-1], Tensor):
        return None
    if first[-1].dim() != 2 or first[-1].shape[1] != 1:
        return None
    if case.loss is functional.binary_cross_entropy:
        return None
    case.batches = [(x, y.squeeze(1)) for x, y in case.batches]
    case.loss = rng.choice([functional.mse_loss, lambda out, y: (out - y).square().mean()])
    return ("loss",)


# The wiring


@fault("layers in a list")
def in_a_list(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if type(case.model) is not nn.Sequential or len(_weighted(case)) < 2 or _is_frozen(case):
        return None
    case.model = Listed(list(case.model))
    _renew(case)
    return ("layers",)


class Listed(nn.Module):
    """Layers in a list that torch does not see; only the last one is registered."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = layers[:-1]
        self.head = layers[-1]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


@fault("detached")
def detached(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if type(case.model) is not nn.Sequential or len(_weighted(case)) < 2 or _is_frozen(case):
        return None
    layers = list(case.model)
    places = [k for k, layer in enumerate(layers) if isinstance(layer, nn.Linear | nn.Conv2d)]
    cut = rng.choice(places[1:])
    case.model = nn.Sequential(*layers[:cut], Cut(), *layers[cut:])
    return tuple(str(k) for k in range(cut))


class Cut(nn.Module):
    """Passes numbers on, without their history."""

    def forward(self, x: Tensor) -> Tensor:
        return x.detach()


@fault("frozen by mistake")
def frozen(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if case.family == "frozen features":
        return None
    layers = [(n, m) for n, m in _weighted(case) if min(m.weight.shape[:2]) >= 4]
    if len(layers) < 2:
        return None
    name, module = rng.choice(layers)
    for p in module.parameters():
        p.requires_grad_(False)
    return (name,)


@fault("not in the optimizer")
def left_out(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    layers = [(n, m) for n, m in _weighted(case) if m.weight.requires_grad]
    layers = [(n, m) for n, m in layers if min(m.weight.shape[:2]) >= 4]
    if len(layers) < 2:
        return None
    name, module = rng.choice(layers)
    out = {id(p) for p in module.parameters()}
    _renew(case, [p for p in case.model.parameters() if id(p) not in out])
    return (name,)


@fault("not in the optimizer")
def stale_optimizer(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    """The optimizer has the parameters of an earlier copy of the model."""
    case.model = copy.deepcopy(case.model)
    return tuple(name for name, p in case.model.named_parameters() if p.requires_grad)


@fault("evaluation mode")
def eval_mode(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    norms = [n for n, m in case.model.named_modules() if isinstance(m, _BatchNorm)]
    if not norms:
        return None
    case.model.eval()
    return tuple(norms)


@fault("batch of one under batch norm")
def batch_of_one(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    """Not over the places of pictures: that is instance norm, and may well train."""
    norms = [n for n, m in case.model.named_modules() if isinstance(m, nn.BatchNorm1d)]
    if not norms:
        return None
    case.batches = [tuple(part[:1] for part in batch) for batch in case.batches]
    return tuple(norms)


@fault("gradients pile up")
def piled_up(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    """Many passes without zero_grad lie behind it."""
    for step in range(rng.randint(30, 60)):
        case.value(case.batches[step % len(case.batches)]).backward()
        if step % 10 == 9 and rng.random() < 0.5:
            case.optimizer.step()
    return ("p.grad",)


# The start


@fault("symmetric start")
def symmetric(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    layers = [(n, m) for n, m in _weighted(case) if m.weight.requires_grad]
    if len(layers) < 2 or any(isinstance(m, nn.Dropout) and m.p for m in case.model.modules()):
        return None
    value = rng.choice([0.0, 0.05, 0.1])
    for _, module in layers:
        nn.init.constant_(module.weight, value)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return tuple(name for name, _ in layers)


@fault("dead units")
def dead(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    layers = list(case.model) if type(case.model) is nn.Sequential else []
    places = [
        k for k in range(len(layers) - 1)
        if isinstance(layers[k], nn.Linear | nn.Conv2d) and isinstance(layers[k + 1], nn.ReLU)
        and layers[k].bias is not None
    ]  # fmt: skip
    if not places:
        return None
    place = rng.choice(places)
    nn.init.constant_(layers[place].bias, -rng.choice([20.0, 50.0]))
    return (str(place + 1), str(place))


@fault("saturated units")
def saturated(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    layers = list(case.model) if type(case.model) is nn.Sequential else []
    places = [k for k, m in enumerate(layers) if isinstance(m, nn.Tanh | nn.Sigmoid)]
    places = [k for k in places if k + 1 < len(layers)]
    if not places:
        return None
    for k in places:
        layers[k - 1].weight.data *= rng.choice([50.0, 100.0])
    return tuple(str(k) for k in places)


# What came later: at the end, so that the draws of the others stay


@fault("constant label")
def constant_label(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    if not _labels(case) or case.loss is not functional.cross_entropy:
        return None
    label = rng.randrange(4)
    case.batches = [(x, torch.full_like(y, label)) for x, y in case.batches]
    return ("data",)


@fault("softmax over the wrong axis")
def wrong_axis(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    """Over the batch, where over the classes it would be right; or over one unit."""
    if case.loss is functional.cross_entropy and _labels(case):
        case.model, case.loss = nn.Sequential(case.model, nn.LogSoftmax(0)), functional.nll_loss
        return ("output",)
    if case.loss is functional.binary_cross_entropy_with_logits and case.family == "binary":
        case.model = nn.Sequential(case.model, nn.Softmax(1))
        case.loss = functional.binary_cross_entropy
        return ("output",)
    return None


@fault("target out of reach")
def out_of_reach(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    """Standardized targets, and a last function that gives no negative numbers, or none over 1."""
    if case.loss not in (functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss):
        return None
    if not isinstance(case.batches[0], tuple):
        return None
    case.model = nn.Sequential(case.model, rng.choice([nn.ReLU, nn.Sigmoid, nn.Tanh])())
    return ("output",)


@fault("does not run")
def does_not_run(case: Case, rng: random.Random) -> tuple[str, ...] | None:
    """The loss gets fewer targets than answers, or the first layer more inputs than it has."""
    if not _labels(case):
        return None
    if _is_float(case) and case.batches[0][0].dim() < 4 and rng.random() < 0.5:
        _with_inputs(case, lambda x: torch.cat([x, x[..., :1]], -1))
        return ("the forward pass",)
    case.batches = [(x, y[1:]) for x, y in case.batches]
    return ("the loss",)
