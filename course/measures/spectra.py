"""How a network stretches its input space: products of layers, Jacobians, gradients along a path.

Matrices act on rows, y = x W, so a Jacobian here is J[i, j] = d y_j / d x_i, shape (in, out): that
of a linear layer is its weight, and that of a chain of layers is J_1 J_2 ... J_L in reading order.
(Papers mostly write the transpose; the singular values are the same.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from course import arguments
from course.measures import product_svd, representations
from course.measures.signals import untouched_buffers

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Spectrum:
    """Singular values as logarithms, largest first: of many products (..., k), or of one (k,).

    log10: float64; -inf is an exact zero, NaN marks a product with NaN or infinity in it.
    floor: True where rounding decides the value, and float64 can't tell the true one. Mostly a
    factor has lost that direction altogether, as dead units do, and the true value is far below.
    """

    log10: numpy.ndarray
    floor: numpy.ndarray

    @property
    def relative(self) -> numpy.ndarray:
        """Singular values as multiples of the largest: 0 where that underflows, or all are 0."""
        largest = self.log10[..., :1]
        return 10.0 ** (self.log10 - numpy.where(largest == -math.inf, 0.0, largest))

    @property
    def effective_rank(self) -> numpy.ndarray:
        """`representations.entropy_rank` of the values, shape (...)."""
        return representations.entropy_rank(self.relative).numpy()

    @property
    def participation_ratio(self) -> numpy.ndarray:
        """`representations.participation` of the values, shape (...)."""
        return representations.participation(self.relative).numpy()

    @property
    def log10_condition(self) -> numpy.ndarray:
        """log10 of the condition number s_1 / s_k, shape (...): inf where s_k is 0."""
        least = self.log10[..., -1]
        finite = numpy.where(least == -math.inf, 0.0, least)
        return numpy.where(least == -math.inf, math.inf, self.log10[..., 0] - finite)


def product_spectrum(factors: Sequence[Any]) -> Spectrum:
    """Singular values of factors[0] @ factors[1] @ ... , however many and however small.

    factors: matrices (..., m_0, m_1), (..., m_1, m_2), ... with the same leading shape (replicas).
    Returns log10 of min(m_0, m_L) values: more than a bottleneck in between lets through are -inf.
    Products of random or trained layers come out to about ten digits in every value, relative to
    itself, though the condition number be 1e100 or more. What is not known to 0.1 % is marked
    `floor`: a direction that a factor loses, or that factors first shrink and later blow up again.
    See `product_svd.product_logs` for the method. ValueError for no factor, or shapes that don't
    chain.
    """
    if len(factors) == 0:
        raise arguments.reject("factors", factors, "at least one matrix")
    scaled: list[Tensor] = []
    logs = torch.tensor(0.0, dtype=torch.float64)
    zero, finite = torch.tensor(False), torch.tensor(True)
    for number, factor in enumerate(factors):
        matrix, power, good = representations.matrices(f"factors[{number}]", factor)
        fits = (*scaled[-1].shape[:-2], scaled[-1].shape[-1]) if scaled else matrix.shape[:-1]
        if matrix.shape[:-1] != fits:
            allowed = f"({', '.join(map(str, fits))}, any), to follow the one before"
            raise arguments.reject(f"shape of factors[{number}]", tuple(matrix.shape), allowed)
        scaled.append(matrix)
        logs, zero, finite = logs + power, zero | (matrix == 0).all(-1).all(-1), finite & good
    batch = scaled[0].shape[:-2]
    log2, unsure = product_svd.product_logs(
        [matrix.reshape(-1, *matrix.shape[-2:]) for matrix in scaled]
    )
    most = min(scaled[0].shape[-2], scaled[-1].shape[-1])
    rank = log2.shape[-1]
    exact = torch.full((log2.shape[0], most - rank), -math.inf, dtype=torch.float64)
    log10 = math.log10(2) * (torch.cat([log2, exact], -1).reshape(*batch, most) + logs[..., None])
    log10 = torch.where(zero[..., None], -math.inf, log10)
    log10 = torch.where(finite[..., None], log10, math.nan)
    floor = nn.functional.pad(unsure, (0, most - rank)).reshape(*batch, most)
    floor &= (finite & ~zero)[..., None]
    return Spectrum(log10.numpy(), floor.numpy())


def condition_number(x: Any) -> Tensor:
    """s_max / s_min of matrices (..., m, n), shape (...): inf when singular, NaN when not finite.

    A result above 1e15 means no more than "singular as far as float64 can tell". For products of
    matrices use `product_spectrum(...).log10_condition`, which goes on where this one ends.
    """
    singular = representations.relative_singular_values(x)
    least = singular[..., -1]
    ratio = singular[..., 0] / torch.where(least == 0, 1.0, least)
    return torch.where(least == 0, math.inf, ratio)


def squared_spread(singular: Any) -> Tensor:
    """Variance of s_i^2 / mean(s^2) over singular values s (..., k): 0 for an isometry. (...).

    Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through dynamical
    isometry" (2017): the variance of the spectrum of J J^T, here scaled to mean 1.
    NaN when all are 0.
    """
    values = representations.lengths("singular", singular)
    squares = (values / values.amax(-1, keepdim=True)) ** 2
    return (squares / squares.mean(-1, keepdim=True)).var(-1, correction=0)


def jacobian(function: Function, x: Tensor, *, chunk: int = 32) -> Tensor:
    """Exact input-output Jacobians J[..., i, j] = d y_j / d x_i at every input of a batch.

    function: a module or function that maps (B, n) to (B, m), or for R replicas (R, B, n) to
    (R, B, m). x: (B, n), the same for all replicas, or (R, B, n). Returns (R, B, n, m), or
    (B, n, m) where there are no replicas, by automatic differentiation, in the type of x.
    Where inputs meet each other (batch norm that uses the batch), the others are held fixed; a
    trial derivative finds that out, and it takes B times as long. `chunk` output directions are
    differentiated at a time: fewer take less memory. Running averages are left as they were.
    ValueError if x is not floats of such a shape, or the batch does not come out again.
    """
    chunk = arguments.whole("chunk", chunk, least=1)
    with _as_it_was(function), torch.enable_grad():
        point, y = _differentiable(function, x)
        result = point.new_zeros(*point.shape, y.shape[-1])
        each: list[Any] = list(range(x.shape[-2])) if _coupled(point, y) else [slice(None)]
        for directions in torch.eye(y.shape[-1], dtype=y.dtype, device=y.device).split(chunk):
            place = slice(*directions.argmax(-1)[[0, -1]].tolist())
            for sample in each:
                seeds = y.new_zeros(len(directions), *y.shape)
                one = seeds[..., sample, :]
                one += directions.reshape(-1, *[1] * (one.dim() - 2), y.shape[-1])
                slopes = _pull_back(point, y, seeds)[..., sample, :]
                result[..., sample, :, place.start : place.stop + 1] = slopes.movedim(0, -1)
    return result


def layer_jacobians(layers: Sequence[Function], x: Tensor, *, chunk: int = 32) -> list[Tensor]:
    """`jacobian` of each layer at the signal that reaches it: (R, B, n_0, n_1), (R, B, n_1, n_2)...

    Their product is the Jacobian of the chain; `product_spectrum` of them sees its singular values
    where the product itself has long underflowed. x as in `jacobian`. They take R B sum n_i n_(i+1)
    numbers of memory: give few inputs. ValueError if a layer lets the inputs of a batch meet:
    the chain rule for one input alone does not hold then (set batch norm to evaluate).
    """
    result = []
    for number, layer in enumerate(layers):
        with _as_it_was(layer), torch.enable_grad():
            if _coupled(*_differentiable(layer, x)):
                allowed = (
                    "a layer that treats each input by itself, as batch norm in eval mode does"
                )
                raise arguments.reject(f"layers[{number}]", layer, allowed)
        result.append(jacobian(layer, x, chunk=chunk))
        with torch.no_grad():
            x = layer(x)
    return result


def path_gradients(function: Function, path: Tensor) -> Tensor:
    """Gradients g_t = d (sum of the outputs at x_t) / d x_t for the inputs x_t along a path.

    function and path as in `jacobian`, with path (T, n) or (R, T, n), T inputs in their order.
    Returns (R, T, n), or (T, n) where there are no replicas. The path is one batch: where batch
    norm uses the batch, x_t also acts through the statistics, and this is part of the gradient.
    """
    with _as_it_was(function), torch.enable_grad():
        point, y = _differentiable(function, path)
        return _pull_back(point, y, torch.ones_like(y)[None])[0]


def gradient_correlation(gradients: Any, lags: Sequence[int]) -> Tensor:
    """Autocorrelation along a path of gradients g (..., T, n), shape (..., len(lags)).

    C(k) = sum_t (g_t - g) . (g_(t+k) - g) / sum_t |g_t - g|^2, with g the mean over the path. It is
    1 at lag 0, and falls to 0 within a step or two where gradients are shattered: those of two
    close inputs have as little in common as those of strangers (white noise).
    Balduzzi et al., "The shattered gradients problem" (2017).
    NaN where the gradient is constant (a linear network) or not finite. Lags: 0 to T - 1.
    """
    values, _, finite = representations.matrices("gradients", gradients)
    values = values - values.mean(-2, keepdim=True)
    length = values.shape[-2]
    power = values.square().sum((-2, -1))
    known = finite & (power > 1e-24 * values.numel())
    columns = []
    for lag in lags:
        lag = arguments.whole("lags", lag, most=length - 1)
        together = (values[..., : length - lag, :] * values[..., lag:, :]).sum((-2, -1))
        columns.append(torch.where(known, together / torch.where(known, power, 1.0), math.nan))
    return torch.stack(columns, -1)


def _differentiable(function: Function, x: Tensor) -> tuple[Tensor, Tensor]:
    """The inputs as leaves, one copy for each replica, and function(inputs)."""
    if not isinstance(x, Tensor):
        raise arguments.reject("x", type(x).__name__, "a tensor (B, n) or (R, B, n)")
    if x.dim() not in (2, 3) or 0 in x.shape or not x.is_floating_point():
        raise arguments.reject("x", f"{x.dtype} {tuple(x.shape)}", "floats (B, n) or (R, B, n)")
    point = x.detach().clone().requires_grad_()
    y = function(point)
    if y.dim() == 3 and x.dim() == 2:
        point = x.detach().repeat(y.shape[0], 1, 1).requires_grad_()
        y = function(point)
    if y.shape[:-1] != point.shape[:-1]:
        allowed = f"(..., {x.shape[-2]}, outputs): one row for each input"
        raise arguments.reject("shape of function(x)", tuple(y.shape), allowed)
    return point, y


def _pull_back(point: Tensor, y: Tensor, seeds: Tensor) -> Tensor:
    """Gradients (k, *point.shape) of k sums over y, weighted by seeds (k, *y.shape)."""
    if not y.requires_grad:
        return point.new_zeros(len(seeds), *point.shape)
    (slopes,) = torch.autograd.grad(
        y, point, seeds, retain_graph=True, is_grads_batched=True, allow_unused=True
    )
    return point.new_zeros(len(seeds), *point.shape) if slopes is None else slopes


def _coupled(point: Tensor, y: Tensor) -> bool:
    """Whether the first output of the batch depends on another input of the batch."""
    seeds = torch.zeros_like(y)[None]
    seeds[..., 0, :] = torch.linspace(0.5, 1.5, y.shape[-1], dtype=y.dtype, device=y.device)
    return bool((_pull_back(point, y, seeds)[..., 1:, :] != 0).any())


def _as_it_was(function: Function) -> AbstractContextManager[None]:
    """Leaves the running averages of a module as they were."""
    return untouched_buffers(function) if isinstance(function, nn.Module) else nullcontext()
