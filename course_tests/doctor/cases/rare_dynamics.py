"""The networks of `rare` that run over steps, places or edges."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Decay(nn.Module):
    """A sum over the past with weights exp(key) that decay by channel: attention in linear time."""

    def __init__(self, words: int, width: int):
        super().__init__()
        self.words, self.head = nn.Embedding(words, width), nn.Linear(width, words)
        self.norm = nn.LayerNorm(width)
        self.read, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.decay = nn.Parameter(torch.linspace(-3, 1, width))
        self.bonus = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        h = self.words(x)
        z = self.norm(h)
        read, key, value = self.read(z).sigmoid(), self.key(z).exp(), self.value(z)
        top, low = torch.zeros_like(h[:, 0]), torch.full_like(h[:, 0], 1e-6)
        keep, out = torch.exp(-self.decay.exp()), []
        for t in range(x.shape[1]):
            now = self.bonus.exp() * key[:, t]
            out.append((top + now * value[:, t]) / (low + now))
            top, low = keep * top + key[:, t] * value[:, t], keep * low + key[:, t]
        return self.head(h + read * torch.stack(out, 1))


class Equilibrium(nn.Module):
    """z = tanh(W z + U x): found without gradients, then one more step with (Bai et al. 2019)."""

    def __init__(self, inputs: int, width: int, outputs: int, cut: bool):
        super().__init__()
        self.u, self.w = nn.Linear(inputs, width), nn.Linear(width, width, bias=False)
        nn.init.orthogonal_(self.w.weight, 0.8)
        self.head, self.cut = nn.Linear(width, outputs), cut

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            u = self.u(x)
            z = torch.zeros_like(u)
            for _ in range(25):
                z = torch.tanh(self.w(z) + u)
        return self.head(z if self.cut else torch.tanh(self.w(z) + self.u(x)))


def squash(x: Tensor) -> Tensor:
    """The same direction, a length below 1."""
    size = x.norm(dim=-1, keepdim=True)
    return x * size / (1 + size**2)


class Capsules(nn.Module):
    """8 capsules, routed by agreement to 10; the lengths of these (Sabour et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 64)
        self.votes = nn.Parameter(0.2 * torch.randn(8, 10, 8, 8))

    def forward(self, x: Tensor) -> Tensor:
        parts = squash(self.first(x).view(-1, 8, 8))
        votes = torch.einsum("bin,ijnm->bijm", parts, self.votes)
        weights = votes.new_zeros(votes.shape[:3])
        for _ in range(3):
            whole = squash((weights.softmax(2)[..., None] * votes).sum(1))
            weights = weights + (votes * whole[:, None]).sum(-1)
        return whole.norm(dim=-1)


def margin_loss(lengths: Tensor, y: Tensor) -> Tensor:
    """The right capsule longer than 0.9, the others shorter than 0.1."""
    right = functional.one_hot(y, lengths.shape[1])
    short, long = (0.9 - lengths).clamp(min=0) ** 2, (lengths - 0.1).clamp(min=0) ** 2
    return (right * short + 0.5 * (1 - right) * long).sum(1).mean()


class Rotary(nn.Module):
    """A causal block with rotated queries and keys, RMS norms, a gated branch, and tied words."""

    def __init__(self, words: int, width: int):
        super().__init__()
        self.words = nn.Embedding(words, width)
        nn.init.normal_(self.words.weight, std=0.1)
        self.norms = nn.ModuleList(nn.RMSNorm(width) for _ in range(3))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.gate, self.up = (nn.Linear(width, 2 * width, bias=False) for _ in range(2))
        self.down = nn.Linear(2 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.words(x)
        q, k, v = self.qkv(self.norms[0](h)).chunk(3, -1)
        h = h + self.out(
            functional.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True)
        )
        z = self.norms[1](h)
        h = h + self.down(functional.silu(self.gate(z)) * self.up(z))
        return self.norms[2](h) @ self.words.weight.mT


def turn(x: Tensor) -> Tensor:
    """Pairs of numbers (B, T, D), turned by angles that grow with the position."""
    half = x.shape[-1] // 2
    angles = torch.arange(x.shape[1])[:, None] * 100.0 ** -(torch.arange(half) / half)
    one, other = x.chunk(2, -1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([one * cos - other * sin, one * sin + other * cos], -1)


class Messages(nn.Module):
    """Graph attention: messages along edges, weighted, summed at their targets; all in one list."""

    def __init__(self, inputs: int, width: int, outputs: int):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, width)
        self.score, self.head = nn.Linear(2 * width, 1), nn.Linear(width, outputs)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor, edges: Tensor, graph: Tensor, count: int) -> Tensor:
        h = self.relu(self.first(x))
        ends = torch.cat([h[edges[0]], h[edges[1]]], 1)
        weight = functional.leaky_relu(self.score(ends), 0.2).exp().clamp(max=1e3)
        total = x.new_zeros(len(x), 1).index_add(0, edges[1], weight) + 1e-6
        sums = torch.zeros_like(h).index_add(0, edges[1], weight * h[edges[0]])
        h = h + self.relu(self.second(sums / total))
        return self.head(h.new_zeros(count, h.shape[1]).index_add(0, graph, h) / 6)


class Spike(torch.autograd.Function):
    """1 above 0, and the slope of a smooth step on the way back (Neftci et al. 2019)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return slope / (1 + 5 * x.abs()) ** 2


class Spiking(nn.Module):
    """Leaky neurons that fire over 8 steps; smooth: whether gradients pass the threshold."""

    def __init__(self, inputs: int, width: int, outputs: int, smooth: bool):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.smooth = smooth

    def forward(self, x: Tensor) -> Tensor:
        drive = self.first(x)
        state, total = torch.zeros_like(drive), 0.0
        for _ in range(8):
            state = 0.8 * state + drive
            spike = Spike.apply(state - 1) if self.smooth else (state > 1).to(x.dtype)
            state = state - spike
            total = total + self.second(spike) / 8
        return total


class StateSpace(nn.Module):
    """x' = a x + b u by channel, a complex: its kernel, by Fourier (Gu et al. 2022)."""

    def __init__(self, width: int, states: int, outputs: int, growth: float):
        super().__init__()
        self.stem, self.head = nn.Linear(1, width), nn.Linear(width, outputs)
        self.rate = nn.Parameter(torch.full((width, states), growth))
        self.angle = nn.Parameter(torch.arange(states).repeat(width, 1) * 0.3)
        self.c = nn.Parameter(torch.randn(width, states, dtype=torch.cfloat) / states)

    def forward(self, x: Tensor) -> Tensor:
        u, length = self.stem(x[..., None]).mT, x.shape[1]
        steps = torch.arange(length)
        a = torch.complex(self.rate, self.angle)[..., None] * steps
        kernel = 2 * (self.c[..., None] * a.exp()).sum(1).real
        both = torch.fft.rfft(u, 2 * length) * torch.fft.rfft(kernel, 2 * length)
        y = torch.fft.irfft(both, 2 * length)[..., :length]
        return self.head(functional.gelu(y + u).mean(-1))
