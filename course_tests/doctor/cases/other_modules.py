"""The networks and losses of `others`."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_tests.doctor.cases.modules import mlp


class Bumps(nn.Module):
    """Each output is a sum of learned functions of single inputs: 8 bumps on a grid, and SiLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.register_buffer("grid", torch.linspace(-2, 2, 8))
        self.weight = nn.Parameter(0.1 * torch.randn(outputs, inputs, 8))
        self.base = nn.Parameter(torch.randn(outputs, inputs) / inputs**0.5)

    def forward(self, x: Tensor) -> Tensor:
        bumps = torch.exp(-((x[..., None] - self.grid) ** 2) * 3)
        return torch.einsum("bik,oik->bo", bumps, self.weight) + functional.silu(x) @ self.base.mT


class Distance(nn.Module):
    """The distance of the codes of two inputs, (B,)."""

    def __init__(self, inputs: int, code: int):
        super().__init__()
        self.body = mlp([inputs, 64, code], nn.ReLU)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return functional.pairwise_distance(self.body(one), self.body(other))


def contrastive_loss(distance: Tensor, same: Tensor) -> Tensor:
    """Near if the same, at least 1 apart if not (Hadsell et al. 2006)."""
    return (same * distance**2 + (1 - same) * (1 - distance).clamp(min=0) ** 2).mean()


class Adversaries(nn.Module):
    """What the discriminator says of what the generator makes."""

    def __init__(self, noise: int, size: int, detach: bool):
        super().__init__()
        self.generator = nn.Sequential(*mlp([noise, 64, size], nn.ReLU), nn.Sigmoid())
        self.discriminator = mlp([size, 64, 1], lambda: nn.LeakyReLU(0.2))
        self.detach = detach

    def forward(self, z: Tensor) -> Tensor:
        fake = self.generator(z)
        return self.discriminator(fake.detach() if self.detach else fake)


class Experts(nn.Module):
    """Experts, weighted by a gate."""

    def __init__(self, inputs: int, count: int, outputs: int, listed: bool):
        super().__init__()
        self.gate = nn.Linear(inputs, count)
        experts = [mlp([inputs, 32, outputs], nn.ReLU) for _ in range(count)]
        self.experts = experts if listed else nn.ModuleList(experts)

    def forward(self, x: Tensor) -> Tensor:
        answers = torch.stack([expert(x) for expert in self.experts], 1)
        return (self.gate(x).softmax(1)[..., None] * answers).sum(1)


class Graph(nn.Module):
    """Two graph convolutions: A relu(A X W) V (Kipf and Welling 2017)."""

    def __init__(self, inputs: int, width: int, outputs: int):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, outputs)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        return edges @ self.second(functional.dropout((edges @ self.first(x)).relu(), 0.5))


class UNet(nn.Module):
    """Down, up, and a skip across (B, 1, 8, 8)."""

    def __init__(self, width: int):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU())
        self.deep = nn.Sequential(nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.last = nn.Conv2d(2 * width, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        high = self.down(x)
        low = self.deep(functional.max_pool2d(high, 2))
        return self.last(torch.cat([high, self.up(low)], 1))


class Decoder(nn.Module):
    """Two blocks with a causal mask; word `words` - 1 is empty."""

    def __init__(self, words: int, width: int):
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(64, width)
        block = nn.TransformerEncoderLayer(width, 4, 64, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, words)
        self.empty = words - 1

    def forward(self, x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1], device=x.device)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        hidden = self.words(x) + self.places(places)
        padding = torch.zeros(x.shape).masked_fill(x == self.empty, -torch.inf)
        return self.head(self.blocks(hidden, mask, src_key_padding_mask=padding, is_causal=True))


def masked_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy over the places that are not empty."""
    return functional.cross_entropy(logits.transpose(1, 2), y, ignore_index=-100)


class Bags(nn.Module):
    """The mean of the words of each text, and a linear layer."""

    def __init__(self, words: int, width: int, outputs: int):
        super().__init__()
        self.words, self.head = nn.EmbeddingBag(words, width), nn.Linear(width, outputs)

    def forward(self, words: Tensor, offsets: Tensor) -> Tensor:
        return self.head(self.words(words, offsets))


class Flow(nn.Module):
    """Four coupling layers: half of the numbers scale and shift the others (Dinh et al. 2017)."""

    def __init__(self, size: int, width: int):
        super().__init__()
        self.couplings = nn.ModuleList(mlp([size // 2, width, size], nn.ReLU) for _ in range(4))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        volume = x.new_zeros(len(x))
        for coupling in self.couplings:
            one, other = x.chunk(2, 1)
            scale, shift = coupling(one).chunk(2, 1)
            scale = scale.tanh()
            x = torch.cat([other * scale.exp() + shift, one], 1)
            volume = volume + scale.sum(1)
        return x, volume


def flow_loss(outputs: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    """Minus the log likelihood under a standard normal, up to a constant."""
    z, volume = outputs
    return (0.5 * z.square().sum(1) - volume).mean()


class Autocast(nn.Module):
    """A convolutional network under bfloat16."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(256, 10),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self.body(x)


class Denoiser(nn.Module):
    """(the noise it sees, the noise that was added) at a random time from 0 to 1."""

    def __init__(self, size: int, width: int):
        super().__init__()
        self.body = mlp([size + 1, width, width, size], nn.SiLU)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        time, noise = torch.rand(len(x), 1, device=x.device), torch.randn_like(x)
        noisy = (1 - time).sqrt() * x + time.sqrt() * noise
        return self.body(torch.cat([noisy, time], 1)), noise


class Values(nn.Module):
    """(value of the action that was taken, reward plus the value of the best next one)."""

    def __init__(self, inputs: int, width: int, actions: int, kept: bool):
        super().__init__()
        self.online = mlp([inputs, width, actions], nn.ReLU)
        self.target = copy.deepcopy(self.online).requires_grad_(False)
        self.kept = kept

    def forward(
        self, x: Tensor, action: Tensor, after: Tensor, reward: Tensor
    ) -> tuple[Tensor, Tensor]:
        value = self.online(x).gather(1, action)
        goal = reward + 0.5 * self.target(after).max(1).values
        return value if self.kept else value.squeeze(1), goal


class SkipGram(nn.Module):
    """The product of a word's and a context's vector."""

    def __init__(self, words: int, width: int):
        super().__init__()
        self.words, self.contexts = nn.Embedding(words, width), nn.Embedding(words, width)

    def forward(self, word: Tensor, context: Tensor) -> Tensor:
        return (self.words(word) * self.contexts(context)).sum(-1)


class Views(nn.Module):
    """Unit vectors of two noisy views (B, n) each."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.encoder = mlp([inputs, width, width, 16], nn.ReLU)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        one, other = (x + 0.3 * torch.randn_like(x) for _ in range(2))
        return functional.normalize(self.encoder(one)), functional.normalize(self.encoder(other))


def views_loss(views: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    """Cross-entropy of each view's partner among all (InfoNCE, temperature 0.2)."""
    likeness = views[0] @ views[1].mT / 0.2
    return functional.cross_entropy(likeness, torch.arange(len(x), device=x.device))


class DeepSet(nn.Module):
    """A number for a set: a sum over its points (Zaheer et al. 2017)."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.each, self.whole = (
            mlp([inputs, width, width], nn.ReLU),
            mlp([width, width, 1], nn.ReLU),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.whole(self.each(x).mean(1))


class Euler(nn.Module):
    """x + step f(x), 20 times with the same f."""

    def __init__(self, inputs: int, outputs: int, step: float):
        super().__init__()
        self.field, self.head = nn.Linear(inputs, inputs), nn.Linear(inputs, outputs)
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(20):
            x = x + self.step * self.field(x).relu()
        return self.head(x)


def pinball_loss(answer: Tensor, y: Tensor) -> Tensor:
    """The quantiles 0.1, 0.5, 0.9 minimize it (Koenker and Bassett 1978)."""
    levels = torch.tensor([0.1, 0.5, 0.9], device=y.device)
    error = y - answer
    return torch.maximum(levels * error, (levels - 1) * error).mean()


class Reader(nn.Module):
    """Logarithms of probabilities of signs at each step (T, B, signs)."""

    def __init__(self, inputs: int, width: int, signs: int, normalized: bool):
        super().__init__()
        self.normalized = normalized
        self.cells = nn.GRU(inputs, width, batch_first=True)
        self.head = nn.Linear(width, signs)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.head(self.cells(x)[0]).transpose(0, 1)
        return rows.log_softmax(-1) if self.normalized else rows


def sequence_loss(rows: Tensor, y: Tensor) -> Tensor:
    """CTC's loss, all texts of full length."""
    lengths = torch.full((len(y),), rows.shape[0]), torch.full((len(y),), y.shape[1])
    return functional.ctc_loss(rows, y, *lengths)


class Adapted(nn.Module):
    """Frozen linear layers, each with a product of two small factors beside (Hu et al. 2022)."""

    def __init__(self, body: nn.Sequential, rank: int = 8):
        super().__init__()
        self.body = body.requires_grad_(False)
        wide = [layer for layer in body if isinstance(layer, nn.Linear)]
        self.down = nn.ParameterList(0.1 * torch.randn(layer.in_features, rank) for layer in wide)
        self.up = nn.ParameterList(torch.zeros(rank, layer.out_features) for layer in wide)

    def forward(self, x: Tensor) -> Tensor:
        factors = iter(zip(self.down, self.up, strict=True))
        for layer in self.body:
            if isinstance(layer, nn.Linear):
                down, up = next(factors)
                x = layer(x) + x @ down @ up
            else:
                x = layer(x)
        return x


class Waves(nn.Module):
    """Cosines of random projections, drawn once (Rahimi and Recht 2007)."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, width), requires_grad=False)
        self.phase = nn.Parameter(6.2832 * torch.rand(width), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return (0.5 * x @ self.weight + self.phase).cos()
