"""Layers that hold R replicas side by side: R independent runs for hardly more than one.

A weight is (R, fan_in, fan_out), a bias (R, 1, fan_out), a signal (R, batch, width). Replica r
never meets another one: every operation is a textbook operation with one more index in front.
One replica is R = 1, the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from course import arguments
from course.networks import activations, initializers, kernels, memory
from course.networks.initializers import Law

memory.keep_freed()


class Linear(nn.Module):
    """y = x W + b for each replica. W: (R, fan_in, fan_out), b: (R, 1, fan_out).

    x: (R, batch, fan_in), or (batch, fan_in) when all replicas see the same batch.
    One generator per replica draws W by the law `init`, then b. `bias` is False (none), True (what
    belongs to the law: `torch_default_bias` with "torch_default", 0 with any other), a number for
    every entry, or a law.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        generators: Sequence[Generator],
        init: str | Law = "torch_default",
        bias: bool | float | Law = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        weight = initializers.replicate(init, fan_in, fan_out, generators)
        self.weight = nn.Parameter(weight.to(dtype))
        self.bias: nn.Parameter | None = None
        if bias is True and initializers.law(init) is initializers.torch_default:
            bias = initializers.torch_default_bias
        if callable(bias):
            drawn = initializers.replicate(bias, fan_in, fan_out, generators, rows=1)
            self.bias = nn.Parameter(drawn.to(dtype))
        elif bias is not False:
            if bias is None or isinstance(bias, str):
                raise arguments.reject("bias", bias, "False, True, a number, or a law of biases")
            value = 0.0 if bias is True else arguments.real("bias", bias)
            self.bias = nn.Parameter(self.weight.new_full((len(generators), 1, fan_out), value))

    def forward(self, x: Tensor) -> Tensor:
        return affine(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        replicas, fan_in, fan_out = self.weight.shape
        return f"{fan_in}, {fan_out}, replicas={replicas}, bias={self.bias is not None}"


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W + b per replica: (R, batch, fan_out). ValueError for shapes other than `Linear`'s."""
    replicas, fan_in, _ = weight.shape
    x = x.expand(replicas, *x.shape) if x.dim() == 2 else x
    fits(x, replicas, fan_in)
    return torch.bmm(x, weight) if bias is None else torch.baddbmm(bias, x, weight)


def fits(x: Tensor, replicas: int, width: int) -> tuple[int, int, int]:
    """The shape of `x`; ValueError if it is not (replicas, batch, width)."""
    if x.dim() != 3 or x.shape[0] != replicas or x.shape[2] != width:
        raise arguments.reject("shape of x", tuple(x.shape), f"({replicas}, batch, {width})")
    return x.shape[0], x.shape[1], x.shape[2]


class DiracLinear(Linear):
    """y = x (diag(a) + W_unit diag(b)) + c: a linear layer that starts near the identity.

    W_unit is W with each column (the weights into one unit) scaled to length 1. a (ones at the
    start) and b (0.1): (R, 1, width), learned; W is square. No skip connection is left: `matrix`
    is what a plain layer would hold.
    Zagoruyko and Komodakis, "DiracNets" (2017), "Dirac parameterization", for linear layers.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        generators: Sequence[Generator],
        init: str | Law = "torch_default",
        bias: bool | float | Law = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if fan_in != fan_out:
            raise arguments.reject("fan_out", fan_out, f"equal to fan_in = {fan_in}")
        super().__init__(fan_in, fan_out, generators, init, bias, dtype)
        self.a = nn.Parameter(self.weight.new_ones(len(generators), 1, fan_out))
        self.b = nn.Parameter(self.weight.new_full((len(generators), 1, fan_out), 0.1))

    def matrix(self) -> Tensor:
        """diag(a) + W_unit diag(b), shape (R, width, width)."""
        return torch.diag_embed(self.a[:, 0]) + functional.normalize(self.weight, dim=1) * self.b

    def forward(self, x: Tensor) -> Tensor:
        return affine(x, self.matrix(), self.bias)


class BatchNorm(nn.Module):
    """y = scale (x - mean) / sqrt(variance + epsilon) + shift, per replica and unit.

    x: (R, batch, width); scale (ones at the start) and shift (zeros): (R, 1, width). While
    training, mean and variance are those of the batch, and running averages follow them:
    running = (1 - momentum) running + momentum batch, with the unbiased variance, as in torch.
    When evaluating, the running averages are used; inside `batch_statistics`, the batch's again.
    Ioffe and Szegedy, "Batch normalization" (2015), algorithm 1.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(
        self,
        replicas: int,
        width: int,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        replicas = arguments.whole("replicas", replicas, least=1)
        shape = (replicas, 1, arguments.whole("width", width, least=1))
        self.epsilon = arguments.real("epsilon", epsilon, least=0)
        self.momentum = arguments.real("momentum", momentum, least=0, most=1)
        self.scale = nn.Parameter(torch.ones(shape, dtype=dtype))
        self.shift = nn.Parameter(torch.zeros(shape, dtype=dtype))
        self.register_buffer("running_mean", torch.zeros(shape, dtype=dtype))
        self.register_buffer("running_variance", torch.ones(shape, dtype=dtype))
        self.evaluated_batches = 0  # how many x is, when evaluating; 0: running averages are used

    def forward(self, x: Tensor) -> Tensor:
        replicas, _, width = fits(x, len(self.scale), self.scale.shape[-1])
        if not self.training and not self.evaluated_batches:
            factor = self.scale * torch.rsqrt(self.running_variance + self.epsilon)
            return torch.addcmul(self.shift, x - self.running_mean, factor)
        count = self.batches(x.shape[1])
        if self.training:
            rows = self.scale, self.shift, self.running_mean, self.running_variance
            normal = kernels.batch_norm(x, *rows, self.momentum, self.epsilon)
            if normal is not None:
                return normal
        # To torch's batch norm, the units of all replicas are R * width units of one network.
        normal = functional.batch_norm(
            one_by_one(x, count).transpose(0, 1).flatten(1),
            self.running_mean.view(-1) if self.training else None,
            self.running_variance.view(-1) if self.training else None,
            self.scale.expand(-1, count, -1).flatten(),
            self.shift.expand(-1, count, -1).flatten(),
            training=True,
            momentum=self.momentum,
            eps=self.epsilon,
        )
        return in_a_row(normal.view(-1, replicas * count, width).transpose(0, 1), count)

    def batches(self, examples: int) -> int:
        """How many batches, each with its own statistics, so many examples are.

        ValueError unless they can be parted into that many, of two examples at least.
        """
        count = 1 if self.training else self.evaluated_batches
        if examples < 2 * count or examples % count:
            allowed = "at least 2: one example has no variance"
            if count > 1:
                allowed = f"{count} batches of one size, at least 2"
            raise arguments.reject("batch", examples, allowed)
        return count

    def extra_repr(self) -> str:
        return f"{self.scale.shape[-1]}, replicas={len(self.scale)}"


def one_by_one(x: Tensor, count: int) -> Tensor:
    """(R, count B, ...) as (R count, B, ...): the batches of a replica, each as one of its own."""
    return x.unflatten(1, (count, -1)).flatten(0, 1)


def in_a_row(x: Tensor, count: int) -> Tensor:
    """The inverse of `one_by_one`."""
    return x.unflatten(0, (-1, count)).flatten(1, 2)


@contextmanager
def batch_statistics(module: nn.Module, batches: int = 1) -> Iterator[None]:
    """Inside, every BatchNorm in `module` evaluates with the statistics of its batch.

    batches: its input is so many batches of one size, one after another. Each has its own
    statistics, and a thin network computes them together in half of the time.
    """
    arguments.whole("batches", batches, least=1)
    norms = [child for child in module.modules() if isinstance(child, BatchNorm)]
    before = [norm.evaluated_batches for norm in norms]
    try:
        for norm in norms:
            norm.evaluated_batches = batches
        yield
    finally:
        for norm, number in zip(norms, before, strict=True):
            norm.evaluated_batches = number


class LayerNorm(nn.Module):
    """y = scale (x - mean) / sqrt(variance + epsilon) + shift, per example: over the units.

    x: (R, batch, width); scale (ones at the start) and shift (zeros): (R, 1, width).
    Ba, Kiros and Hinton, "Layer normalization" (2016), eqs. 3 and 4.
    """

    def __init__(
        self,
        replicas: int,
        width: int,
        epsilon: float = 1e-5,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        replicas = arguments.whole("replicas", replicas, least=1)
        shape = (replicas, 1, arguments.whole("width", width, least=1))
        self.epsilon = arguments.real("epsilon", epsilon, least=0)
        self.scale = nn.Parameter(torch.ones(shape, dtype=dtype))
        self.shift = nn.Parameter(torch.zeros(shape, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        fits(x, len(self.scale), self.scale.shape[-1])
        normal = functional.layer_norm(x, x.shape[-1:], eps=self.epsilon)
        return torch.addcmul(self.shift, normal, self.scale)

    def extra_repr(self) -> str:
        return f"{self.scale.shape[-1]}, replicas={len(self.scale)}"


class Activation(nn.Module):
    """The activation called `name`, as a module, so that a probe can be hung on it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.function = activations.activation(name)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)

    def extra_repr(self) -> str:
        return self.name


def norm_layer(name: str | None, replicas: int, width: int, dtype: torch.dtype) -> nn.Module:
    """The layer for `norm="batch"`, `"layer"` or None (which passes its input on)."""
    if name is None:
        return nn.Identity()
    kinds = {"batch": BatchNorm, "layer": LayerNorm}
    return kinds[arguments.one_of("norm", name, kinds)](replicas, width, dtype=dtype)
