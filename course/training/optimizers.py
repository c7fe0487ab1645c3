"""SGD with momentum, and Adam, on one flat buffer (R, P): a row holds all weights of a replica.

One row a replica makes whatever is done per replica (a norm, a clip) one operation, and makes the
update a handful of operations however deep the network is. The parameters are views of the buffer.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from course.arguments import real, reject, whole


class FlatWeights:
    """The parameters of R replicas as views of one buffer `values` (R, P).

    Each parameter must have shape (R, ...); ValueError names the first which has not.
    """

    def __init__(self, named: Mapping[str, nn.Parameter], replicas: int) -> None:
        for name, parameter in named.items():
            if parameter.dim() < 1 or parameter.shape[0] != replicas:
                shape = tuple(parameter.shape)
                raise reject(f"shape of parameter {name}", shape, f"(replicas = {replicas}, ...)")
        self.named = dict(named)
        self.parameters = list(named.values())
        self.sizes = [parameter[0].numel() for parameter in self.parameters]
        with torch.no_grad():
            self.values = self.gather(self.parameters)
            for parameter, piece in zip(
                self.parameters, self.pieces(self.values).values(), strict=True
            ):
                parameter.data = piece.view(parameter.shape)

    @property
    def attached(self) -> bool:
        """Whether the parameters still are views of `values`: no longer so after .to(...), say."""
        return self.parameters[0].data_ptr() == self.values.data_ptr()

    def part(self, named: Mapping[str, nn.Parameter], rows: slice) -> FlatWeights:
        """Those of the replicas `rows`, whose parameters are views of the same buffer already."""
        part = copy.copy(self)
        part.named, part.parameters = dict(named), list(named.values())
        part.values = self.values[rows]
        return part

    def gather(self, tensors: Sequence[Tensor], out: Tensor | None = None) -> Tensor:
        """Tensors shaped as the parameters, side by side: (R, P), in `out` if it is given."""
        return torch.cat([tensor.flatten(1) for tensor in tensors], dim=1, out=out)

    def pieces(self, flat: Tensor) -> dict[str, Tensor]:
        """What belongs to each parameter in a tensor (..., P), by name: views (..., size)."""
        return dict(zip(self.named, flat.split(self.sizes, dim=-1), strict=True))


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: v <- momentum v + g,  w <- w - rate v  (as torch.optim.SGD).

    `weight_decay` adds weight_decay times w to g.
    """

    rate: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        real("rate", self.rate, least=0)
        real("momentum", self.momentum, least=0, most=1)
        real("weight_decay", self.weight_decay, least=0)

    def state(self, weights: Tensor) -> dict[str, Tensor]:
        """What is remembered between steps, at the start."""
        return {"velocity": torch.zeros_like(weights)} if self.momentum else {}

    def numbers(self, step: int, rate: float) -> tuple[float, ...]:
        """The numbers which change from step to step (the first is 0); `update` gets a tensor."""
        return (rate,)

    def part(self, rows: slice) -> SGD:
        """The optimizer of these replicas alone: here the same, its numbers are those of all."""
        return self

    def update(self, weights: Tensor, gradient: Tensor, state: dict, numbers: Tensor) -> None:
        """One step, in place."""
        if in_one_pass(weights):
            _sgd(weights, gradient, state.get("velocity"), self, numbers.tolist()[0])
            return
        if self.weight_decay:
            gradient = gradient.add(weights, alpha=self.weight_decay)
        if self.momentum:
            gradient = state["velocity"].mul_(self.momentum).add_(gradient)
        weights.addcmul_(gradient, numbers[0], value=-1)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1, as torch.optim.Adam).

    m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2,
    w <- w - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
    """

    rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        real("rate", self.rate, least=0)
        for name in ("beta1", "beta2"):
            if real(name, getattr(self, name), least=0) >= 1:
                raise reject(name, getattr(self, name), "a number >= 0 and < 1")
        real("epsilon", self.epsilon, above=0)

    def state(self, weights: Tensor) -> dict[str, Tensor]:
        """What is remembered between steps, at the start."""
        return {"mean": torch.zeros_like(weights), "square": torch.zeros_like(weights)}

    def numbers(self, step: int, rate: float) -> tuple[float, ...]:
        """The numbers which change from step to step (the first is 0); `update` gets a tensor."""
        t = step + 1  # the first two are for the formula, the others for what torch makes of it
        return rate / (1 - self.beta1**t), 1 / math.sqrt(1 - self.beta2**t), rate, t

    def part(self, rows: slice) -> Adam:
        """The optimizer of these replicas alone: here the same, its numbers are those of all."""
        return self

    def update(self, weights: Tensor, gradient: Tensor, state: dict, numbers: Tensor) -> None:
        """One step, in place."""
        mean, square = state["mean"], state["square"]
        if in_one_pass(weights):
            _adam(weights, gradient, mean, square, self, *numbers.tolist()[2:4])
            return
        mean.lerp_(gradient, 1 - self.beta1)
        square.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        root = square.sqrt().mul_(numbers[1]).add_(self.epsilon)
        weights.addcdiv_(mean * numbers[0], root, value=-1)


Optimizer = SGD | Adam


def in_one_pass(weights: Tensor) -> bool:
    """Whether torch makes the whole update as one operation, which passes over memory once.

    It does on a processor, since 2.4. There that is twice (SGD) to ten times (Adam) as fast, the
    more where gradients vanish: the root of a number below 1e-38 takes long.
    """
    return weights.device.type == "cpu" and _has_fused()


@cache
def _has_fused() -> bool:
    """Tried once: these operations of torch have no public name."""
    weights, gradient, mean, square = torch.zeros(4, 1).unbind()
    try:
        _sgd(weights, gradient, mean, SGD(), 0.1)
        _adam(weights, gradient, mean, square, Adam(), 0.1, 1.0)
    except (AttributeError, RuntimeError, TypeError):
        return False
    return True


def _sgd(
    weights: Tensor, gradient: Tensor, velocity: Tensor | None, settings: SGD, rate: float
) -> None:
    torch._fused_sgd_(
        [weights], [gradient], [] if velocity is None else [velocity], lr=rate,
        momentum=settings.momentum, weight_decay=settings.weight_decay, dampening=0.0,
        nesterov=False, maximize=False, is_first_step=False,
    )  # fmt: skip


def _adam(
    weights: Tensor, gradient: Tensor, mean: Tensor, square: Tensor,
    settings: Adam, rate: float, step: float,
) -> None:  # fmt: skip
    torch._fused_adam_(
        [weights], [gradient], [mean], [square], [], [torch.tensor(step)], lr=rate,
        beta1=settings.beta1, beta2=settings.beta2, eps=settings.epsilon,
        weight_decay=0.0, amsgrad=False, maximize=False,
    )  # fmt: skip


def clip_(gradient: Tensor, most: float | Tensor) -> None:
    """Scale each row of `gradient` (R, P) down to Euclidean norm `most` where it is longer.

    Replica by replica, so that one replica's explosion leaves the others alone; the formula is
    that of torch.nn.utils.clip_grad_norm_: factor most / (norm + 1e-6), at most 1. The largest
    entry is divided out first: the square of a finite gradient may be infinite in float32.
    """
    largest = gradient.abs().amax(dim=1, keepdim=True).clamp_(min=1e-30)
    norm = (gradient / largest).norm(dim=1, keepdim=True)
    gradient.mul_((largest.reciprocal() * most / (norm + 1e-6 / largest)).clamp_(max=1.0))


@dataclass(frozen=True)
class Schedule:
    """A named number for each step, such as a factor on the learning rate.

    `factor` takes the share of the steps done, in [0, 1).

    The name is what a checkpoint remembers: two schedules with one name must be the same.
    """

    name: str
    factor: Callable[[float], float]

    def __call__(self, step: int, steps: int) -> float:
        """The factor for step number `step` (the first is 0) of `steps` >= 1."""
        return self.factor(step / whole("steps", steps, least=1))

    def __repr__(self) -> str:
        return self.name


constant = Schedule("constant", lambda done: 1.0)


def linear_decay(start: float = 0.6) -> Schedule:
    """1 up to the share `start` of the steps, then down in a straight line to reach 0 at the end.

    The last step still has a small factor: 0 would be reached one step later.
    """
    start = real("start", start, least=0, most=1)
    return Schedule(
        f"linear_decay(start={start:g})",
        lambda done: 1.0 if done <= start else (1 - done) / (1 - start),
    )


def step_decay(at: Sequence[float] = (0.5, 0.75), factor: float = 0.1) -> Schedule:
    """Times `factor` at each of the shares `at` of the steps: the usual schedule for CIFAR."""
    if not isinstance(at, Sequence):
        raise reject("at", at, "a sequence of shares of the steps, such as (0.5, 0.75)")
    at = tuple(real("at", share, least=0, most=1) for share in at)
    if list(at) != sorted(set(at)):
        raise reject("at", at, "shares of the steps in rising order")
    factor = real("factor", factor, above=0, most=1)
    return Schedule(
        f"step_decay(at={at}, factor={factor:g})",
        lambda done: factor ** sum(done >= share for share in at),
    )
