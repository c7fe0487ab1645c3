"""Some replicas of a network as a network of their own, over the same memory."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from torch import nn


def part(network: Any, rows: slice) -> Any:
    """The network of these replicas alone: what one of the two learns, both know.

    Its modules are copies, without what is hooked to the others later. A buffer that is not saved
    is a constant of all replicas. `.data`: autograd counts the changes of each part by itself.
    """
    own = copy.deepcopy(network)
    own.seeds = network.seeds[rows]
    own.recipe = replace(network.recipe, seeds=own.seeds)
    for mine, module in zip(own.modules(), network.modules(), strict=True):
        for name, parameter in module.named_parameters(recurse=False):
            setattr(mine, name, nn.Parameter(parameter.data[rows]))
        for name, buffer in module.named_buffers(recurse=False):
            shared = name in module._non_persistent_buffers_set
            setattr(mine, name, buffer.data if shared else buffer.data[rows])
    if hasattr(network, "alpha"):  # these have the blocks in front: (depth, R, units)
        own.multiplier = network.multiplier.data[:, rows]
        own.alpha = network.alpha.data[:, rows].requires_grad_()
    return own
