"""Deep linear networks that learn a linear map: is it the size of the gradients, or their spread?

The network is y = x W_1 W_2 ... W_L, without biases, width n throughout. It has to learn y = x A, A
orthogonal, from fresh x ~ N(0, I); the loss is |P - A|^2 / n with the product P = W_1 ... W_L, so
that answering 0 costs 1. Gradients are those of an example's own loss with respect to the input of
a layer; their size is the root mean square over examples of their Euclidean norm.

After E. Orhan, "Why is it hard to train deep neural networks? Degeneracy, not vanishing gradients,
is the key" (2018). "Fold k" is what is called so there, see `initializers.folded`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor

from course import data, measures, networks, training
from course.arguments import real, whole
from course.data import LinearTeacher
from course.lessons.scalar_chain.science import power
from course.lessons.sigmoid_saturation import science as sigmoid_saturation
from course.networks import Network
from course.networks.initializers import Law, folded, mixed, orthogonal
from course.training import Optimizer, Record

WIDEST = 10**9
"""The largest width that the closed forms accept."""

STARTS: dict[str, str | Law] = {
    "Fold 0": "lecun_normal",
    "Fold 1": partial(folded, fold=1),
    "orthogonal": "orthogonal",
    "0.9 orthogonal": partial(orthogonal, gain=0.9),
}
"""The four starts of the notebook. All but the last keep the mean square of a signal."""


def start(fold: int = 0, orthogonality: float = 0.0, scale: float = 1.0) -> Law:
    """The law with these three properties: `mixed`, folded `fold` times over, times `scale`."""
    return partial(folded, fold=fold, base=partial(mixed, orthogonality=orthogonality, gain=scale))


def deep_linear(
    init: str | Law,
    *,
    depth: int = 30,
    width: int = 32,
    seeds: Sequence[int] = range(10),
    dtype: torch.dtype = torch.float32,
) -> Network:
    """The network at its start: `depth` square matrices of size `width` drawn by `init`."""
    widths = [width] * (whole("depth", depth, least=1) + 1)
    return networks.mlp(
        widths, seeds=seeds, activation="identity", init=init, bias=False, dtype=dtype
    )


def learn(
    init: str | Law,
    *,
    depth: int = 30,
    width: int = 32,
    seeds: Sequence[int] = range(10),
    steps: int = 300,
    optimizer: Optimizer | None = None,
    batch: int = 32,
    every: int = 1,
) -> Iterator[Record]:
    """Train one network per seed; yield a record with losses and gradients every `every` steps.

    optimizer: Adam(0.001) if None. The batches of a seed are the same whatever the start.
    """
    network = deep_linear(init, depth=depth, width=width, seeds=seeds)
    return train(network, steps=steps, optimizer=optimizer, batch=batch, every=every)


def train(
    network: Network,
    *,
    steps: int = 300,
    optimizer: Optimizer | None = None,
    batch: int = 32,
    every: int = 1,
) -> Iterator[Record]:
    """Train a network of `deep_linear` in place; the records that `learn` yields."""
    return training.fit(
        network, LinearTeacher(network.recipe.inputs), steps=steps, batch=batch, loss="mse",
        optimizer=optimizer or training.Adam(0.001), record_every=every, evaluate_every=steps,
        watch=("gradients",),
    )  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Training runs as arrays. step: (N,); loss: (N, R); gradients: (N, L, R), input side first.

    gradients[:, l] is with respect to the output of layer l + 1; the last is the output's.
    final: (R,), the loss on held-out examples after the last step; NaN where it was not evaluated.
    stopped: whether the run was ended before its last step.
    """

    step: np.ndarray
    loss: np.ndarray
    gradients: np.ndarray
    final: np.ndarray
    stopped: bool


def curve(records: Iterable[Record]) -> Curve:
    """The records of `learn`, at least one, as arrays; trains where they come from `learn`."""
    records = list(records)
    last = records[-1]
    return Curve(
        np.array([record.step for record in records]),
        np.array([record.loss for record in records]),
        np.array([record.norms["gradients"].T for record in records if record.norms is not None]),
        np.full(len(last.loss), math.nan) if last.test_loss is None else last.test_loss,
        last.step < last.steps,
    )


@dataclass(frozen=True)
class LinearMap:
    """R networks without sampling noise. loss: (R,); gradients: (L, R), as in `Curve`.

    weight_gradients: (L, R), the Frobenius norms of dC/dW_l.
    singular: (R, n), the singular values of the product, largest first; NaN if it is not finite.
    """

    loss: np.ndarray
    gradients: np.ndarray
    weight_gradients: np.ndarray
    singular: np.ndarray


def linear_map(network: Network) -> LinearMap:
    """Loss, gradients and singular values of a deep linear network, in float64."""
    return map_of(torch.stack([weight.detach() for weight in network.parameters()]), network.seeds)


def map_of(weights: Tensor, seeds: Sequence[int]) -> LinearMap:
    """The same of a network's weights, (L, R, n, n).

    The n rows of sqrt(n) I stand for all x ~ N(0, I): they have the same mean of x^T x, on which
    every mean of squares here depends. Backpropagation by hand (autograd on a copy takes five times
    as long) with h_0 = sqrt(n) I, h_l = h_(l-1) W_l, and g_l the gradients with respect to h_l:

        g_L = 2/n (h_L - y),   g_(l-1) = g_l W_l^T,   dC/dW_l = h_(l-1)^T g_l / n.
    """
    n = weights.shape[-1]
    layers = weights.double().unbind()
    x = math.sqrt(n) * torch.eye(n, dtype=torch.float64)
    y = _answers(n, tuple(seeds))
    signals = [x.expand_as(y)]
    for weight in layers:
        signals.append(signals[-1] @ weight)
    answers = signals.pop()
    error = answers - y
    back = [2 / n * error]
    for weight in layers[:0:-1]:
        back.append(back[-1] @ weight.mT)
    g = torch.stack(back[::-1])
    gradients = g.square().sum(3).mean(2).sqrt()
    slopes = torch.linalg.matrix_norm(torch.stack(signals).mT @ g / n)
    product = answers / math.sqrt(n)
    finite = product.isfinite().all(2).all(1)
    singular = torch.linalg.svdvals(torch.where(finite[:, None, None], product, 0.0))
    singular[~finite] = math.nan
    loss = error.square().mean((1, 2))
    return LinearMap(loss.numpy(), gradients.numpy(), slopes.numpy(), singular.numpy())


@lru_cache(maxsize=16)
def _answers(n: int, seeds: tuple[int, ...]) -> Tensor:
    """What the teachers of these seeds answer to the rows of sqrt(n) I, (R, n, n)."""
    x, teacher = math.sqrt(n) * torch.eye(n, dtype=torch.float64), LinearTeacher(n)
    return torch.stack([x @ teacher.matrix(seed).double() for seed in seeds])


def strongest(h: Tensor) -> np.ndarray:
    """Share of the variance of a layer, h (R, B, n), that its strongest quarter of units has, (R,).

    A quarter if all vary alike, 1 if no other unit changes with the input.
    """
    variance = h.double().var(dim=1)
    top = variance.topk(variance.shape[-1] // 4).values
    return np.asarray(top.sum(-1) / variance.sum(-1))


def mean_correlation(h: Tensor) -> np.ndarray:
    """Mean absolute correlation of two different units of a layer, h (R, B, n), over inputs: (R,).

    Random units without anything in common have about sqrt(2 / (pi B)).
    """
    centred = h.double() - h.double().mean(1, keepdim=True)
    unit = centred / centred.norm(dim=1, keepdim=True)
    pairs = (unit.mT @ unit).abs()
    n = h.shape[-1]
    return np.asarray((pairs.sum((1, 2)) - n) / (n * (n - 1)))


def final(
    init: str | Law, optimizer: Optimizer, *, seeds: Sequence[int] = range(5), steps: int = 300
) -> np.ndarray:
    """The loss on held-out examples after training 30 layers of width 32, (R,). See `learn`."""
    return curve(learn(init, seeds=seeds, steps=steps, optimizer=optimizer, every=steps)).final


def spectrum(
    init: str | Law, *, depth: int = 30, width: int = 32, seeds: Sequence[int] = range(10)
) -> measures.Spectrum:
    """Singular values of the product of the first weights, however small: log10 is (R, n).

    `floor` marks those that are 0 but for rounding: the others are the rank.
    """
    network = deep_linear(init, depth=depth, width=width, seeds=seeds, dtype=torch.float64)
    return measures.product_spectrum([weight.detach() for weight in network.parameters()])


def start_gradients(init: str | Law, *, depth: int, width: int, seeds: Sequence[int]) -> np.ndarray:
    """The gradients of `linear_map` at the start, (L, R)."""
    return linear_map(deep_linear(init, depth=depth, width=width, seeds=seeds)).gradients


def sigmoid_weight_gradients(depth: int, *, seeds: Sequence[int] = range(5)) -> np.ndarray:
    """Norms of dC/dW_l in the hidden layers of notebook 03's sigmoid network, untrained, (L, R)."""
    network = sigmoid_saturation.network("sigmoid", depth, seeds=seeds)
    names = [name for name, _ in network.named_parameters() if name.endswith("linear.weight")]
    digits = data.digits()
    batch = digits.x_train[:200], digits.y_train[:200]
    slopes = measures.one_pass(network, *batch, weights=names).weight_gradients
    return torch.stack([torch.linalg.matrix_norm(slopes[name]) for name in names]).numpy()


def expected_gradients(depth: int, width: int, *, fold: int = 0) -> np.ndarray:
    """Root mean square over Gaussian draws of the gradients at the start, (L,): a closed form.

    With Q the product of the L - l matrices after layer l, and x W_1 ... W_l and x A both
    isotropic, E |g_l|^2 = 4/n (1 + a_l), where a_l = E tr((Q Q^T)^2) / n: the 1 comes from the
    target, a_l from the output. A Gaussian factor, folded p = 2^fold times over, takes
    (a, b) to (b p + a (1 + p/n), b + a 2p/n^2), with b = E (tr Q Q^T)^2 / n^2 and a = b = 1 for
    l = L: fourth moments of Gaussian entries. For n much larger than (L - l) p, a_l is
    1 + (L - l) p.
    """
    whole("depth", depth, least=1)
    parts = 2 ** whole("fold", fold, most=30)
    n = whole("width", width, least=1, most=WIDEST)
    root, b = 1.0, 1.0  # sqrt(a_k), and b as a multiple of a_k, so that neither overflows early
    gradients = []
    for _ in range(depth):
        gradients.append(2 / math.sqrt(n) * math.hypot(1.0, root))
        growth = b * parts + 1 + parts / n
        root, b = root * math.sqrt(growth), (b + 2 * parts / n**2) / growth
    return np.array(gradients[::-1])


def orthogonal_gradients(depth: int, width: int, *, gain: float = 1.0) -> np.ndarray:
    """Gradients of `gain` times orthogonal matrices: gain^(L - l) sqrt(4/n (1 + gain^(2 L))), (L,).

    The gradient with respect to the weights has in every layer the size of the first of these, as
    the signal before layer l brings the factors gain^(l - 1) that lack behind it.
    """
    after = np.arange(whole("depth", depth, least=1))[::-1]
    n = whole("width", width, least=1, most=WIDEST)
    whole_network = np.hypot(1.0, power(real("gain", gain, least=0), depth))
    with np.errstate(over="ignore"):
        return np.asarray(power(gain, after) * (2 / math.sqrt(n) * whole_network))
