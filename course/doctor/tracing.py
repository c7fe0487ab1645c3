"""What went into the loss, and through which functions: torch's calls in one pass, as they came."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

LOSSES = (
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "ctc_loss",
)  # fmt: skip
SQUASHES = ("softmax", "log_softmax", "sigmoid")
LIMITS = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
}
"""Functions that give numbers within limits only."""
BETWEEN = ("sub", "__sub__", "__rsub__", "rsub", "mul", "__mul__", "eq", "__eq__")


@dataclass(frozen=True)
class LossCall:
    """A call of one of torch's losses: its name, what it was given, its other settings, and its
    result if that is the mean over the batch (NaN if it is a sum, or not reduced)."""

    name: str
    input: Tensor
    target: Tensor
    settings: dict[str, Any]
    mean: float


@dataclass
class Trace:
    """losses: the calls; total: the whole loss of the pass. squashed: the last results of softmax
    and sigmoid, (name, result, axis). limited: the last two results of a function in `LIMITS`,
    (name, result). clipped: share of entries in front of a clip to 0 ... 1, in the loss, that are
    outside of it; logarithm: whether the loss takes one. crossed: shapes of two operands, (N, 1)
    and (N,), that made (N, N) in the loss. attention: whether positions attend to positions."""

    losses: list[LossCall] = field(default_factory=list)
    total: float = math.nan
    squashed: list[tuple[str, Tensor, int | None]] = field(default_factory=list)
    limited: list[tuple[str, Tensor]] = field(default_factory=list)
    clipped: float = 0.0
    logarithm: bool = False
    crossed: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    attention: bool = False


class Tracing(TorchFunctionMode):
    """Inside its `with`, torch's calls are noted in `trace`; `in_loss`: whether the loss runs."""

    def __init__(self) -> None:
        super().__init__()
        self.trace = Trace()
        self.in_loss = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        plain = name.removesuffix("_")
        if plain in LIMITS and isinstance(result, Tensor):
            self.trace.limited = [*self.trace.limited[-1:], (plain, result.detach())]
        if name in LOSSES:
            self._loss(name, args, kwargs, result)
        elif plain in SQUASHES and isinstance(result, Tensor):
            axis = kwargs.get("dim", args[1] if len(args) > 1 else None)
            self._squashed(plain, result, axis if isinstance(axis, int) else None)
        elif self.in_loss and plain in ("clamp", "clip") and isinstance(args[0], Tensor):
            self._clipping(args[0], result)
        elif self.in_loss and plain in ("log", "xlogy"):
            self.trace.logarithm = True
        elif name in ("scaled_dot_product_attention", "multi_head_attention_forward"):
            self.trace.attention = True
        elif self.in_loss and name in BETWEEN and len(args) == 2:
            self._between(args, result)
        return result

    def _loss(self, name: str, args: Any, kwargs: Any, result: Any) -> None:
        first, second = ("log_probs", "targets") if name == "ctc_loss" else ("input", "target")
        given = dict(zip((first, second), args, strict=False)) | kwargs
        answer, target = given.pop(first, None), given.pop(second, None)
        self.trace.logarithm |= name in ("binary_cross_entropy", "nll_loss", "kl_div")
        if isinstance(answer, Tensor) and isinstance(target, Tensor):
            known = ("weight", "ignore_index", "label_smoothing", "pos_weight", "beta", "delta")
            settings = {key: given[key] for key in known if given.get(key) is not None}
            averaged = given.get("reduction", "mean") == "mean" and result.dim() == 0
            mean = float(result.detach()) if averaged else math.nan
            call = LossCall(name, answer.detach(), target.detach(), settings, mean)
            self.trace.losses.append(call)
            self._crossing(answer, target)

    def _squashed(self, name: str, result: Tensor, axis: int | None) -> None:
        self.trace.squashed = [*self.trace.squashed[-3:], (name, result.detach(), axis)]
        square = result.dim() >= 3 and result.shape[-1] == result.shape[-2] > 1
        if name == "softmax" and square and axis in (-1, result.dim() - 1):
            self.trace.attention = True

    def _clipping(self, before: Tensor, after: Tensor) -> None:
        """Notes what lies outside of 0 ... 1, by over 0.01, before a clip to it."""
        if not before.is_floating_point() or not before.numel():
            return
        if 0 <= float(after.min()) <= 0.01 and 0.5 <= float(after.max()) <= 1:
            outside = (before < -0.01) | (before > 1.01)
            self.trace.clipped = max(self.trace.clipped, float(outside.double().mean()))

    def _between(self, args: Any, result: Any) -> None:
        if all(isinstance(x, Tensor) for x in (*args, result)):
            self._crossing(*args)

    def _crossing(self, one: Tensor, other: Tensor) -> None:
        shapes = {tuple(one.shape), tuple(other.shape)}
        n = max(one.numel(), other.numel())
        if n < 2 or one.numel() != other.numel() or shapes != {(n, 1), (n,)}:
            return
        if not _same_numbers(one, other):
            self.trace.crossed = (tuple(one.shape), tuple(other.shape))


def _same_numbers(one: Tensor, other: Tensor) -> bool:
    """Whether both are views of one tensor: scores[:, None] - scores takes all pairs on purpose."""
    try:
        return one.data_ptr() == other.data_ptr()
    except RuntimeError:  # it has no storage of its own
        return False
