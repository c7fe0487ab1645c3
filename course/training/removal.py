"""Taking the skip connections out of a trained VAN: the plain network that is left, certified."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course import networks
from course.arguments import reject
from course.measures import CHUNK
from course.training.problem import Problem, evaluation
from course.training.records import Evaluation

ROUNDING = 1e-5  # what rounding may change in an output, relative to the largest output


@dataclass(frozen=True)
class Removal:
    """What it did to remove the skips, replica by replica.

    network: the plain network, with no alpha and no skips; its weights are copies.
    left: what was left of the skips, 1 - alpha, (R, depth, units), with one unit where a block has
        one alpha; (R, 1, K) of a convolutional network, those of all its blocks in a row.
    before, after: losses and accuracies with what was left, and without.
    change: largest difference that forcing alpha to 1 made to an output, (R,); 0 if all were 1.
    difference: largest difference between an output of the VAN with alpha = 1 and of the plain
        network, (R,): exactly 0, or float rounding. It certifies that they are one function.
    largest: largest absolute output of the plain network, (R,), to compare with.
    """

    network: networks.Network
    left: np.ndarray
    before: Evaluation
    after: Evaluation
    change: np.ndarray
    difference: np.ndarray
    largest: np.ndarray

    @property
    def certified(self) -> np.ndarray:
        """Whether the plain network computes the same function, but for rounding: (R,)."""
        return self.difference <= ROUNDING * self.largest

    def __str__(self) -> str:
        lines = [f"skips left: at most {self.left.max(initial=0.0):.3g}"]
        for part in ("train", "test"):
            before, after = (getattr(e, f"{part}_accuracy") for e in (self.before, self.after))
            if before is not None:
                lines.append(
                    f"{part} accuracy: {before.mean():.2%} before, {after.mean():.2%} after"
                )
        lines.append(f"largest difference to the plain network: {self.difference.max():.3g}")
        return "\n".join(lines)


@torch.no_grad()
def remove_skips(network: Any, data: Any) -> Removal:
    """Force what is left of alpha to 1, build the plain network, and compare on all of `data`.

    network: a trained van or van0; it stays as it is. data: a `data.Dataset`. Outputs are compared
    on every training and test example, batch norm with its running statistics.
    Raises ValueError for a network without alpha, and for data that do not fit it.
    """
    if not hasattr(network, "alpha"):
        raise reject("network", getattr(network, "name", network), "a van or van0: it has alpha")
    if not network.recipe.ends:
        raise reject("ends", False, "True: without stem and head there is no plain network to make")
    problem = Problem(data, network, "cross_entropy", 2, network.alpha.device)
    forced = copy.deepcopy(network)
    forced.alpha.fill_(1)
    plain = without_skips(forced)
    answers = {
        key: [outputs(net, x) for x, _ in problem.evaluation.values()]
        for key, net in (("left", network), ("forced", forced), ("plain", plain))
    }
    return Removal(
        network=plain,
        left=residual(network),
        before=evaluation(network, problem),
        after=evaluation(plain, problem),
        change=largest_difference(answers["left"], answers["forced"]),
        difference=largest_difference(answers["forced"], answers["plain"]),
        largest=largest_difference(answers["plain"], [torch.zeros(()) for _ in answers["plain"]]),
    )


def residual(network: Any) -> np.ndarray:
    """What is left of each skip, 1 - alpha: float64, (R, depth, units)."""
    return 1 - network.alpha.detach().cpu().double().numpy().swapaxes(0, 1)


def summary(network: Any) -> dict[str, np.ndarray]:
    """What a `Record` says of the skips: alpha, alpha_residual (R, depth), smallest_alpha (R,)."""
    alpha = network.alpha.detach().cpu().double()
    left = 1 - alpha
    return {
        "alpha": 1 - network.block_means(left).numpy(),
        "alpha_residual": network.block_means(left.square()).numpy(),
        "smallest_alpha": alpha.numpy().min((0, 2), initial=1.0),
    }


def without_skips(network: Any) -> networks.Network:
    """The plain network made of the stem, the residual functions and the head of a VAN.

    A VAN with alpha = 1 is  stem, norm act linear, norm act linear, ..., norm act linear;  cut at
    other places this is the plain chain  linear norm act, linear norm act, ..., linear. A
    convolutional one is cut at the same places already: only its projections are left out.
    """
    source = copy.deepcopy(network)
    plain: Any = networks.rebuild(network, name="plain").to(network.alpha.device)
    if isinstance(network, networks.VariableConvolutions):
        state = source.state_dict()
        plain.load_state_dict({name: state[name] for name in plain.state_dict()})
        return plain
    pieces = [*(block.residual for block in source.blocks), source.head]
    linears = [source.stem, *(piece.linear for piece in pieces)]
    for part, linear, piece in zip([plain.stem, *plain.blocks], linears, pieces, strict=False):
        part.linear, part.norm = linear, piece.norm
    plain.head = linears[-1]
    return plain


def outputs(network: Any, x: Tensor) -> Tensor:
    """Outputs for all examples x (N, d), evaluating: (R, N, outputs), on the CPU."""
    training = network.training
    network.eval()
    try:
        return torch.cat([network(part).cpu() for part in x.split(CHUNK)], dim=1)
    finally:
        network.train(training)


def largest_difference(left: list[Tensor], right: list[Tensor]) -> np.ndarray:
    """max |left - right| over all examples and outputs, float64, (R,)."""
    gaps = [
        (a.double() - b.double()).abs().amax(dim=(1, 2)) for a, b in zip(left, right, strict=True)
    ]
    return torch.stack(gaps).amax(0).numpy()
