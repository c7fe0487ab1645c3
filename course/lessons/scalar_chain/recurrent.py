"""A recurrent unit in torch: one layer, applied again at each step of time.

    h_t = f(w h_(t-1) + x_t)    for t = 1 ... T, with h_0 = 0

Where all states are positive, the ReLU f changes nothing and the chain rule gives
dh_T/dx_t = w^(T-t): the chain of notebook 01, with T in place of L, and the same w in each layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.arguments import real, whole


def influence(weight: float, steps: int) -> NDArray[np.float64]:
    """How much each input counts at the end, dh_T/dx_t for t = 1 ... T, by autograd: (T,).

    A `torch.nn.RNN` of one unit reads `steps` inputs, all 1. weight: 0 to 10; steps: 1 to 100,000.
    Raises ValueError otherwise.
    """
    w = real("weight", weight, least=0, most=10)
    unit = torch.nn.RNN(1, 1, nonlinearity="relu", bias=False, dtype=torch.float64)
    with torch.no_grad():
        into, back = (unit.get_parameter(f"weight_{name}_l0") for name in ("ih", "hh"))
        into.fill_(1.0)
        back.fill_(w)
    x = torch.ones(whole("steps", steps, least=1, most=100_000), 1, 1, dtype=torch.float64)
    states, _ = unit(x.requires_grad_())
    (gradient,) = torch.autograd.grad(states[-1].sum(), x)
    values: NDArray[Any] = gradient.flatten().numpy()
    return values
