"""The other networks and losses of `rare`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from course_tests.doctor.cases.modules import mlp


class Sine(nn.Module):
    """sin(30 (W x + b)), with the start that keeps it uniform (Sitzmann et al. 2020)."""

    def __init__(self, inputs: int, outputs: int, first: bool = False):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        bound = 1 / inputs if first else (6 / inputs) ** 0.5 / 30
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(30 * self.linear(x))


class Switch(nn.Module):
    """One expert for each example, the one with the largest gate; and the shares of the experts.

    detach: whether the gate's weight on the answer is cut off.
    """

    def __init__(self, inputs: int, count: int, outputs: int, detach: bool):
        super().__init__()
        self.gate, self.detach = nn.Linear(inputs, count), detach
        self.experts = nn.ModuleList(mlp([inputs, 32, outputs], nn.ReLU) for _ in range(count))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gates = self.gate(x).softmax(1)
        weight, chosen = gates.max(1)
        weight = weight.detach() if self.detach else weight
        answer = x.new_zeros(len(x), self.experts[0][-1].out_features)
        for k, expert in enumerate(self.experts):
            rows = torch.nonzero(chosen == k).flatten()
            if len(rows):
                answer = answer.index_add(0, rows, weight[rows, None] * expert(x[rows]))
        share = functional.one_hot(chosen, len(self.experts)).double().mean(0).to(x)
        return answer, share, gates.detach().mean(0) if self.detach else gates.mean(0)


def balanced_loss(outputs: tuple[Tensor, Tensor, Tensor], y: Tensor) -> Tensor:
    """Cross-entropy, and a little for experts that are used unequally (Fedus et al. 2022)."""
    answer, share, gates = outputs
    return functional.cross_entropy(answer, y) + 0.01 * len(share) * (share * gates).sum()


class Hyper(nn.Module):
    """One network makes the weights of another, for each example its own."""

    def __init__(self, condition: int, width: int, detach: bool):
        super().__init__()
        self.width, self.detach = width, detach
        self.maker = mlp([condition, 64, 3 * width + 1], nn.ReLU)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        made = self.maker(condition)
        made = made.detach() if self.detach else made
        w, b, v, c = made.split([self.width, self.width, self.width, 1], 1)
        return (torch.tanh(w * x + b) * v).sum(1, keepdim=True) + c


class Codes(nn.Module):
    """An autoencoder through the nearest of 32 codes; the gradient jumps over the choice.

    jump: whether it does (van den Oord et al. 2017).
    """

    def __init__(self, size: int, code: int, jump: bool):
        super().__init__()
        self.encoder, self.decoder = mlp([size, 64, code], nn.ReLU), mlp([code, 64, size], nn.ReLU)
        self.codes, self.jump = nn.Embedding(32, code), jump

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encoder(x)
        near = self.codes(torch.cdist(z, self.codes.weight).argmin(1))
        if not self.jump:
            return self.decoder(near), near.new_zeros(())
        keep = functional.mse_loss(near, z.detach()) + 0.25 * functional.mse_loss(z, near.detach())
        return self.decoder(z + (near - z).detach()), keep


class ImagePrior(nn.Module):
    """A convolutional network that draws one picture from one fixed noise (Ulyanov et al. 2018)."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(8, width, 3, padding=1), nn.BatchNorm2d(width), nn.LeakyReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width), nn.LeakyReLU(), nn.Conv2d(width, 1, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        return self.body(z)


class Tree(nn.Module):
    """Four soft splits, 16 leaves with probabilities of classes; logarithms of their mixture."""

    def __init__(self, inputs: int, classes: int):
        super().__init__()
        self.splits, self.leaves = nn.Linear(inputs, 15), nn.Parameter(torch.randn(16, classes))

    def forward(self, x: Tensor) -> Tensor:
        right = self.splits(x).sigmoid()
        reach = x.new_ones(len(x), 1)
        for level in range(4):
            here = right[:, 2**level - 1 : 2 ** (level + 1) - 1]
            reach = torch.stack([reach * (1 - here), reach * here], 2).flatten(1)
        return (reach @ self.leaves.softmax(1)).log()


class Checkpointed(nn.Module):
    """Blocks that are computed again on the way back, the older way."""

    def __init__(self, inputs: int, width: int, outputs: int):
        super().__init__()
        self.stem, self.head = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.blocks = nn.ModuleList(mlp([width, width, width], nn.ReLU) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + checkpoint(block, x, use_reentrant=True)
        return self.head(x)


class Gate(nn.Module):
    """Logits of all experts, -infinity for all but the best two."""

    def __init__(self, inputs: int, count: int):
        super().__init__()
        self.linear = nn.Linear(inputs, count)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.linear(x)
        return logits.masked_fill(logits < logits.topk(2, 1).values[:, 1:], -torch.inf)


class BestTwo(nn.Module):
    """The best two of several experts, weighted."""

    def __init__(self, inputs: int, count: int, outputs: int):
        super().__init__()
        self.gate = Gate(inputs, count)
        self.experts = nn.ModuleList(mlp([inputs, 32, outputs], nn.Tanh) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        answers = torch.stack([expert(x) for expert in self.experts], 1)
        return (self.gate(x).softmax(1)[..., None] * answers).sum(1)


class Scaled(nn.Module):
    """Branches of a depthwise and two pointwise convolutions, each with a factor by channel that
    starts small (Touvron et al. 2021)."""

    def __init__(self, width: int, depth: int, outputs: int):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 2, 2)
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, groups=width), nn.GroupNorm(1, width),
                nn.Conv2d(width, 4 * width, 1), nn.GELU(), nn.Conv2d(4 * width, width, 1),
            )
            for _ in range(depth)
        )  # fmt: skip
        self.factors = nn.ParameterList(torch.full((width, 1, 1), 1e-2) for _ in range(depth))
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for branch, factor in zip(self.branches, self.factors, strict=True):
            x = x + factor * branch(x)
        return self.head(x.mean((2, 3)))


class Complex(nn.Module):
    """Complex weights; the sizes of complex answers are the logits."""

    def __init__(self, inputs: int, width: int, outputs: int):
        super().__init__()
        self.first = nn.Parameter(torch.randn(inputs, width, dtype=torch.cfloat) / inputs**0.5)
        self.second = nn.Parameter(torch.randn(width, outputs, dtype=torch.cfloat) / width**0.5)

    def forward(self, x: Tensor) -> Tensor:
        h = x.to(self.first.dtype) @ self.first
        h = h * (h.abs() / (1 + h.abs()))
        return 3 * (h @ self.second).abs()


class Critic(nn.Module):
    """What it says of real and of made pictures, and how far its slope is from 1 between them."""

    def __init__(self, size: int):
        super().__init__()
        self.body = mlp([size, 64, 64, 1], lambda: nn.LeakyReLU(0.2))

    def forward(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        share = torch.rand(len(real), 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        with torch.enable_grad():
            total = self.body(between).sum()
            slope = torch.autograd.grad(total, between, create_graph=True)[0]
        return self.body(real), self.body(fake), slope.norm(dim=1)


def critic_loss(outputs: tuple[Tensor, Tensor, Tensor], _: Any = None) -> Tensor:
    """Minus the distance of Wasserstein, and 10 times the penalty (Gulrajani et al. 2017)."""
    real, fake, slope = outputs
    return fake.mean() - real.mean() + 10 * ((slope - 1) ** 2).mean()
