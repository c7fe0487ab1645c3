"""What batch norm and layer norm do to a deep plain network: sizes, gradients, company in a batch.

A block is relu(norm(h W)), at the start of training. Going forward, a norm divides by the deviation
of what comes in; going back, the gradient is divided by the same number, and ReLU lets half of its
square pass. So from a block to the one before it gradients grow by sqrt((1/2) / v), where v is the
variance which the norm finds after a ReLU and random weights of variance 1/n: `growth`. For any
other curve: `growth_of_curve`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from course import measures, networks, training
from course.arguments import one_of, real, whole
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.lessons.initialization import gaussian_means
from course.lessons.relu_family.science import cosine_map
from course.networks import Linear, Network, activations
from course.seeding import generator
from course.training import Record

NORMS: dict[str, str | None] = {"none": None, "batch norm": "batch", "layer norm": "layer"}
LAWS = {"torch_default": 1 / math.sqrt(3), "lecun_normal": 1.0, "he_normal": math.sqrt(2.0)}
"""Laws of weights, and the deviation of their entries times sqrt(fan_in)."""


def growth(norm: str | None, batch: float = math.inf) -> float:
    """Factor on the size of gradients from a block to the one before it, wide layers, with a norm.

    "layer": the units of one example have, after random weights, the variance E relu(z)^2 = 1/2, so
    the factor is 1. "batch": the mean over the examples is taken off first, which leaves
    1/2 - 1/(2 pi) = (pi - 1)/(2 pi), so it is sqrt(pi/(pi - 1)) = 1.2112 for large batches.

    In a batch of B examples what a norm returns, y, is uniform on a sphere in B - 1 dimensions, so
    two entries have the correlation r = -1/(B - 1). With s = E relu(y_1) relu(y_2), p = P(both > 0)
    and v = 1/2 - s the square of the factor is

        B / (v (B - 1) (B - 3)) * (B/2 - 3/2 + 1/B + (1 - 1/B) (p + s)),

    infinite for B <= 3, as the mean of 1/chi^2 with B - 1 degrees of freedom, 1/(B - 3), is.
    The gradient is taken as independent of the signal, as in Yang, Pennington, Rao, Sohl-Dickstein
    and Schoenholz, "A mean field theory of batch normalization" (2019). ValueError for batch < 2.
    """
    if one_of("norm", norm, ("batch", "layer")) == "layer":
        return 1.0
    if batch == math.inf:
        return degradation.GROWTH
    size = whole("batch", batch, least=2)
    if size <= 3:
        return math.inf
    r, part = -1 / (size - 1), 1 / size
    s = float(cosine_map(r)) / 2
    p = 1 / 4 + math.asin(r) / (2 * math.pi)
    passed = 1 / 2 + part * (part - 3 / 2 + (1 - part) * (p + s))
    return math.sqrt(passed / ((1 / 2 - s) * (1 - part) * (1 - 3 * part)))


def growth_of_curve(activation: str, gain: float = 1.0) -> float:
    """The same factor with batch norm for any curve: sqrt(E f'^2 / Var f), large batches.

    f(z) = activation(gain z) with z standard normal; gain, above 0, is the norm's learned scale.
    It is at least 1, and 1 for straight lines alone: Var f <= E f'^2, Poincare's inequality for the
    normal distribution. With f = sum_k a_k He_k / sqrt(k!) in Hermite's polynomials the square of
    the factor is sum k a_k^2 / sum a_k^2 over k >= 1, the mean degree of f. In a batch of B the
    square is multiplied by about (B - 2) / (B - 3), exactly if f is a straight line.
    """
    scale = real("gain", gain, above=0)
    slope = gaussian_means.slope_square(activation, scale**2)
    _, deviation = gaussian_means.mean_and_deviation(activation, scale)
    return float(scale * np.sqrt(slope) / deviation)


def measured_growth(
    activation: str,
    init: str,
    *,
    gain: float = 1.0,
    depth: int = 30,
    width: int = 50,
    batch: int = 200,
    seeds: Sequence[int] = range(10),
) -> np.ndarray:
    """Factor on gradients per block in random plain networks with batch norm, (R,).

    The blocks are f(gain norm(h W)), W drawn by the law `init`; inputs are standard normal, the
    classes arbitrary. float64.
    """
    net = networks.build(
        "plain", inputs=width, width=width, outputs=width, depth=depth, seeds=seeds, init=init,
        activation=activation, bias=False, ends=False, dtype=torch.float64,
    )  # fmt: skip
    set_gain(net, gain)
    stream = generator(seeds[0], "inputs")
    x = torch.randn(batch, width, generator=stream, dtype=torch.float64)
    y = torch.randint(width, (batch,), generator=stream)
    return measures.one_pass(net, x, y, layers=measures.block_names(net)).growth


def set_gain(net: Network, gain: float) -> None:
    """Give the norms of all blocks this scale: a unit gets gain z, z of variance 1."""
    with torch.no_grad():
        for block in net.blocks:
            block.norm.scale.fill_(real("gain", gain))  # type: ignore[union-attr, operator]


def expected(
    norm: str | None, init: str, scale: float, batch: float = math.inf
) -> tuple[float, float]:
    """Factors per block on the size of a signal going forward and of a gradient going back.

    Without a norm both are the deviation of the weights, times scale, times sqrt(1/2) for ReLU;
    with one the weights' scale drops out: 1, and `growth`. Weights of 0 let nothing through.
    """
    deviation = LAWS[one_of("init", init, LAWS)] / activations.gain("relu")
    factor = abs(real("scale", scale)) * deviation
    if norm is None or factor == 0:
        return factor, factor
    return 1.0, growth(norm, batch)


def untrained(
    examples: Dataset,
    *,
    depth: int,
    norm: str | None = "batch",
    init: str = "he_normal",
    scale: float = 1.0,
    seeds: Sequence[int] = (0, 1, 2),
) -> Network:
    """A plain network without biases, all weights below the head times `scale`, in float64."""
    net = degradation.network(
        "plain", examples, depth=depth, seeds=seeds, norm=norm, init=init, bias=False,
        dtype=torch.float64,
    )  # fmt: skip
    with torch.no_grad():
        for weight in weights_below_head(net):
            weight.mul_(real("scale", scale))
    return net


def weights_below_head(net: Network) -> list[Tensor]:
    """The weight of every linear layer but the head's: those of the network, to be changed."""
    modules = (module for part in (net.stem, net.blocks) for module in part.modules())
    return [module.weight for module in modules if isinstance(module, Linear)]


def rescale(net: Network, drawn: Sequence[Tensor], scale: float) -> None:
    """Make the `weights_below_head` those drawn, times scale, in place: nothing is drawn again."""
    with torch.no_grad():
        for weight, start in zip(weights_below_head(net), drawn, strict=True):
            torch.mul(start, scale, out=weight)


def signals(net: Network, examples: Dataset, *, batch: int = 100) -> measures.Signals:
    """What the blocks return for the first `batch` training examples as one batch, and gradients.

    The network is left as it was. ValueError for one example where there is batch norm.
    """
    size = whole("batch", batch, least=1, most=len(examples.y_train))
    x, y = examples.x_train[:size], examples.y_train[:size]
    return measures.one_pass(net, x, y, layers=measures.block_names(net))


def weight_gradients(net: Network, examples: Dataset, *, batch: int = 100) -> np.ndarray:
    """Length of the loss's gradient with respect to the weights of the blocks 1 ... L, (L, R)."""
    x, y = examples.x_train[:batch], examples.y_train[:batch]
    weights = [f"blocks.{block}.linear.weight" for block in range(net.depth)]
    gradients = measures.one_pass(net, x, y, layers=(), weights=weights).weight_gradients
    return np.stack([gradients[name].flatten(1).norm(dim=1).numpy() for name in weights])


def answers(
    net: Network, examples: Dataset, batch: int, *, seed: int, most: int = 300
) -> np.ndarray:
    """The class that each of the first `most` training pictures is given, (R, most).

    Batch norm uses the statistics of batches of `batch` pictures, put together at random by `seed`.
    """
    count = min(whole("most", most, least=2), len(examples.y_train))
    size = whole("batch", batch, least=2, most=count)
    order = torch.randperm(count, generator=generator(seed, "company"))
    classes = torch.empty(net.replicas, count, dtype=torch.int64)
    with torch.no_grad(), measures.as_in_training(net):
        for part in np.array_split(order.numpy(), count // size):
            classes[:, part] = net(examples.x_train[part]).argmax(2)
    return classes.numpy()


def swayed(net: Network, examples: Dataset, batch: int, *, most: int = 300) -> np.ndarray:
    """Share of pictures whose answer changes when others are in the batch with them, (R,).

    Two random ways to put the first `most` training pictures into batches are compared.
    """
    first, second = (answers(net, examples, batch, seed=seed, most=most) for seed in (0, 1))
    return np.asarray((first != second).mean(1))


def train(
    norm: str,
    batch: int,
    examples: Dataset,
    *,
    depth: int = 5,
    steps: int = 300,
    seeds: Sequence[int] = (0, 1, 2),
) -> Iterator[Record]:
    """Train a plain network with this norm ("batch" or "layer") on batches of this size.

    The number of steps is the same for each size, so large batches see more examples; compare the
    norms at one size. SGD, rate 0.003, momentum 0.9, He's weights. Six records, each evaluated,
    batch norm with its running averages. ValueError for batch norm with one example.
    """
    net = degradation.network(
        "plain", examples, depth=depth, seeds=seeds, norm=norm, init="he_normal"
    )
    every = max(1, steps // 6)
    return training.fit(
        net, examples, steps=steps, batch=batch, optimizer=training.SGD(0.003, 0.9),
        evaluate_every=every, record_every=every,
    )  # fmt: skip
