"""The blocks of the architectures, side by side: each is one equation.

h is the signal of R replicas, (R, batch, width), and so is what a block returns. Blocks are given
their layers; `architectures` makes both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PostActivation(nn.Module):
    """h -> act(norm(h W + b)): the block of a plain network.

    With a `layers.DiracLinear` it is the block of a DiracNet.
    """

    def __init__(self, linear: nn.Module, norm: nn.Module, act: nn.Module) -> None:
        super().__init__()
        self.linear, self.norm, self.act = linear, norm, act

    def forward(self, h: Tensor) -> Tensor:
        return self.act(self.norm(self.linear(h)))


class PreActivation(nn.Module):
    """F(h) = act(norm(h)) W + b: the residual function.

    He, Zhang, Ren and Sun, "Identity mappings in deep residual networks" (2016), figure 4(e), with
    one layer of weights. A chain of these is a plain network too, cut at other places.
    """

    def __init__(self, norm: nn.Module, act: nn.Module, linear: nn.Module) -> None:
        super().__init__()
        self.norm, self.act, self.linear = norm, act, linear

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(self.act(self.norm(h)))


class Residual(nn.Module):
    """h -> h + scale(F(h)). He, Zhang, Ren and Sun (2016), eqs. 1 and 2, with identity skips."""

    def __init__(self, residual: nn.Module, scale: nn.Module) -> None:
        super().__init__()
        self.residual, self.scale = residual, scale

    def forward(self, h: Tensor) -> Tensor:
        return h + self.scale(self.residual(h))


class Scale(nn.Module):
    """h -> factor h. The factor is one fixed number, or learned: a tensor (R, 1, 1).

    Learned and 0 at the start, it makes a residual block a ReZero block: Bachlechner, Majumder,
    Mao, Cottrell and McAuley, "ReZero is all you need" (2020), eq. 1.
    """

    def __init__(self, factor: float | Tensor) -> None:
        super().__init__()
        self.factor = nn.Parameter(factor) if isinstance(factor, Tensor) else factor

    def forward(self, h: Tensor) -> Tensor:
        return self.factor * h


class Highway(nn.Module):
    """h -> T h' + (1 - T) h, with h' = transform(h) and T = gate(h) in (0, 1), for each unit.

    Srivastava, Greff and Schmidhuber, "Training very deep networks" (2015), eq. 3. The bias of the
    gate starts negative (T near 0, the signal passes). Hook `gate` to read T.
    """

    def __init__(self, transform: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.transform, self.gate = transform, gate

    def forward(self, h: Tensor) -> Tensor:
        return torch.lerp(h, self.transform(h), self.gate(h))  # h + T (h' - h)


class VariableActivation(nn.Module):
    """h -> F(h) + (1 - alpha) * h, called with skip = 1 - alpha, shape (R, 1, width or 1).

    Monti, Tootoonian and Cao, "Avoiding degradation in deep feed-forward networks by phasing out
    skip-connections" (2018), eq. 4: alpha has an entry for each unit, and one for all of them is an
    option. alpha = 0 is a residual block, alpha = 1 a plain one.
    """

    def __init__(self, residual: nn.Module) -> None:
        super().__init__()
        self.residual = residual

    def forward(self, h: Tensor, skip: Tensor) -> Tensor:
        return torch.addcmul(self.residual(h), skip, h)
