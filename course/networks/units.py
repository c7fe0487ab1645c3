"""The residual units of convolutional networks: the equations of `blocks`, with a shortcut P.

h is made of maps, (R, batch, channels, rows, columns). Where a unit changes their size, P is a
projection, a 1 x 1 convolution; elsewhere P h = h, and a unit is what it is in `blocks`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualUnit(nn.Module):
    """h -> P h + F(h).

    He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2015), eq. 2.
    """

    def __init__(self, residual: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.residual, self.shortcut = residual, shortcut

    def forward(self, h: Tensor) -> Tensor:
        return self.shortcut(h) + self.residual(h)


class HighwayUnit(nn.Module):
    """h -> T F(h) + (1 - T) P h, with T = gate(h) in (0, 1), for each channel and place.

    Srivastava, Greff and Schmidhuber, "Training very deep networks" (2015), eq. 3.
    """

    def __init__(self, residual: nn.Module, gate: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.residual, self.gate, self.shortcut = residual, gate, shortcut

    def forward(self, h: Tensor) -> Tensor:
        return torch.lerp(self.shortcut(h), self.residual(h), self.gate(h))


class VariableUnit(nn.Module):
    """h -> F(h) + (1 - alpha) * P h, called with skip = 1 - alpha, (R, 1, channels or 1, 1, 1).

    Monti, Tootoonian and Cao, "Avoiding degradation in deep feed-forward networks by phasing out
    skip-connections" (2018), eq. 4. alpha = 0 is a `ResidualUnit`, alpha = 1 is F alone.
    """

    def __init__(self, residual: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.residual, self.shortcut = residual, shortcut

    def forward(self, h: Tensor, skip: Tensor) -> Tensor:
        return torch.addcmul(self.residual(h), skip, self.shortcut(h))
