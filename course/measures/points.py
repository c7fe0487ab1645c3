"""What a network puts out at many points of weight space at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from torch import Tensor, nn
from torch.func import functional_call, vmap

from course.networks import Network

STATISTICS = ("running_mean", "running_variance")


def outputs_at(network: nn.Module, points: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """(P, ...): the outputs at each of P >= 1 points; each has buffers of its own, copied.

    points: for each parameter a tensor (P, ...) of its shape. x: what the network takes. The points
    are one more replica axis (torch.func.vmap). In a network of R replicas they can be replicas
    themselves, P R side by side, which takes half the time.
    """
    count = len(next(iter(points.values())))
    buffers = {n: b.detach().expand(count, *b.shape).clone() for n, b in network.named_buffers()}
    if _takes_more_replicas(network):
        rows = {name: own.flatten(0, 1) for name, own in {**points, **buffers}.items()}
        side_by_side = network.replicated(x).expand(count, -1, -1, -1).flatten(0, 1)
        outputs = functional_call(network, rows, (side_by_side,))
        return outputs.unflatten(0, (count, network.replicas))

    def one(weights: dict[str, Tensor], state: dict[str, Tensor]) -> Any:
        return functional_call(network, (weights, state), (x,))

    return vmap(one, randomness="same")(dict(points), buffers)


def _takes_more_replicas(network: nn.Module) -> TypeGuard[Network]:
    """Whether all that the network holds has the replicas in front: the statistics of norms do.

    The alphas of a VAN have them behind the blocks, the identity of a DiracNet is shared.
    """
    names = (name.rsplit(".")[-1] for name, _ in network.named_buffers())
    return isinstance(network, Network) and all(name in STATISTICS for name in names)
