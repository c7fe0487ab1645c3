"""Networks of kinds that were tried after all rules were done, each healthy or with one fault."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_tests.doctor.cases import modules, rare_dynamics, rare_modules, tasks
from course_tests.doctor.cases.case import Case
from course_tests.doctor.cases.faults import Listed
from course_tests.doctor.cases.others import Draw, adam, other

RARE: dict[str, Draw] = {}
"""name: a function of a seed, and of whether the fault is put in."""


@other("layers in a list", "layers", into=RARE)
def sine_waves(source: torch.Generator, sick: bool) -> Case:
    """A picture as a function of the place, through layers of sines."""
    picture = tasks.images(source)[0][0][:1]
    picture = functional.interpolate(picture, scale_factor=4, mode="bilinear")[0, 0]
    places = torch.cartesian_prod(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32))
    sine = rare_modules.Sine
    layers = [sine(2, 64, first=True), sine(64, 64), sine(64, 64), nn.Linear(64, 1)]
    model = Listed(layers) if sick else nn.Sequential(*layers)
    batches = []
    for _ in range(30):
        rows = torch.randint(1024, (256,), generator=source)
        batches.append((places[rows], picture.flatten()[rows, None]))
    return Case("", model, batches, functional.mse_loss, adam(model, 1e-3))


@other("detached", "gate", into=RARE)
def switch(source: torch.Generator, sick: bool) -> Case:
    """Each example goes to one expert; sick: the gate gets no gradient."""
    model = rare_modules.Switch(64, 6, 10, detach=sick)
    return Case("", model, tasks.digits(source), rare_modules.balanced_loss, adam(model, 3e-3))


@other("rate too large", "optimizer", into=RARE)
def decaying_attention(source: torch.Generator, sick: bool) -> Case:
    model = rare_dynamics.Decay(20, 32)

    def loss(logits: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(logits.transpose(1, 2), y)

    return Case("", model, tasks.text(source), loss, adam(model, 3.0 if sick else 5e-3))


@other("detached", "maker", into=RARE)
def hypernetwork(source: torch.Generator, sick: bool) -> Case:
    """y = a sin(x + b), where a and b are given to the network that makes the weights."""
    model = rare_modules.Hyper(2, 16, detach=sick)
    batches = []
    for _ in range(40):
        x, c = torch.randn(64, 1, generator=source), torch.randn(64, 2, generator=source)
        batches.append((x, c, c[:, :1] * torch.sin(x + c[:, 1:])))
    return Case("", model, batches, functional.mse_loss, adam(model, 3e-3))


@other("detached", "w", "u", into=RARE)
def equilibrium(source: torch.Generator, sick: bool) -> Case:
    model = rare_dynamics.Equilibrium(64, 48, 10, cut=sick)
    return Case("", model, tasks.digits(source), functional.cross_entropy, adam(model, 2e-3))


@other("rate too large", "optimizer", into=RARE)
def capsules(source: torch.Generator, sick: bool) -> Case:
    model = rare_dynamics.Capsules()
    best = adam(model, 10.0 if sick else 5e-3)
    return Case("", model, tasks.digits(source), rare_dynamics.margin_loss, best)


@other("softmax before cross-entropy", "loss", into=RARE)
def rotary(source: torch.Generator, sick: bool) -> Case:
    """The next letter; the words' table is the last layer, too."""
    model: nn.Module = rare_dynamics.Rotary(20, 32)

    def loss(logits: Tensor, y: Tensor) -> Tensor:
        rows = logits.flatten(0, 1)
        return functional.cross_entropy(rows.softmax(1) if sick else rows, y.flatten())

    return Case("", model, tasks.text(source), loss, adam(model, 5e-3))


@other("dead units", "relu", "first", into=RARE)
def graph_attention(source: torch.Generator, sick: bool) -> Case:
    """Graphs of 6 nodes each, in one list of nodes and edges: is the mean of a mark over 0?"""
    model = rare_dynamics.Messages(8, 32, 2)
    if sick:
        nn.init.constant_(model.first.bias, -30.0)
    batches = []
    for _ in range(40):
        x = torch.randn(192, 8, generator=source)
        graph = torch.arange(192) // 6
        ends = torch.randint(6, (2, 576), generator=source)
        edges = ends + 6 * torch.randint(32, (1, 576), generator=source)
        batches.append((x, edges, graph, 32, (x[:, 0].view(32, 6).mean(1) > 0).long()))
    return Case("", model, batches, functional.cross_entropy, adam(model, 3e-3))


@other("detached", "encoder", into=RARE)
def nearest_codes(source: torch.Generator, sick: bool) -> Case:
    model = rare_modules.Codes(64, 8, jump=not sick)

    def loss(outputs: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        return functional.mse_loss(outputs[0], x) + outputs[1]

    return Case("", model, tasks.pictures_alone(source), loss, adam(model, 3e-3))


@other("detached", "first", into=RARE)
def spiking(source: torch.Generator, sick: bool) -> Case:
    """Neurons that fire or not; sick: without the smooth slope on the way back."""
    model = rare_dynamics.Spiking(64, 64, 10, smooth=not sick)
    return Case("", model, tasks.digits(source), functional.cross_entropy, adam(model, 3e-3))


@other("rate too small", "optimizer", into=RARE)
def state_space(source: torch.Generator, sick: bool) -> Case:
    """Digits as sequences of 64 pixels."""
    model = rare_dynamics.StateSpace(32, 8, 10, -0.1)
    return Case("", model, tasks.digits(source), functional.cross_entropy,
                adam(model, 1e-6 if sick else 5e-3))  # fmt: skip


@other("frozen by mistake", "body", into=RARE)
def image_prior(source: torch.Generator, sick: bool) -> Case:
    """One picture from one noise, batch norm over its pixels; sick: the first layer is frozen."""
    model = rare_modules.ImagePrior(16)
    if sick:
        model.body[0].requires_grad_(False)
    x = tasks.images(source)[0][0][:1]
    x = functional.interpolate((x > 0).float(), scale_factor=4)
    batches = [(torch.rand(1, 8, 16, 16, generator=source), x)] * 8
    return Case("", model, batches, functional.mse_loss, torch.optim.Adam(model.parameters(), 1e-2))


@other("rate too small", "optimizer", into=RARE)
def soft_tree(source: torch.Generator, sick: bool) -> Case:
    model = rare_modules.Tree(64, 10)
    best = adam(model, 1e-5 if sick else 2e-2)
    return Case("", model, tasks.digits(source), functional.nll_loss, best)


@other("rate too large", "optimizer", into=RARE)
def checkpoints(source: torch.Generator, sick: bool) -> Case:
    model = rare_modules.Checkpointed(64, 32, 10)
    best = adam(model, 3.0 if sick else 2e-3)
    return Case("", model, tasks.digits(source), functional.cross_entropy, best)


@other("sorted labels", "data", into=RARE)
def complex_weights(source: torch.Generator, sick: bool) -> Case:
    model = rare_modules.Complex(64, 32, 10)
    batches = tasks.digits(source)
    if sick:
        x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
        order = y.argsort()
        batches = list(zip(x[order].split(64), y[order].split(64), strict=True))
    return Case("", model, batches, functional.cross_entropy, adam(model, 5e-3))


@other("input not finite", "data", into=RARE)
def critic(source: torch.Generator, sick: bool) -> Case:
    """Its loss has no least value, and its forward pass differentiates."""
    model = rare_modules.Critic(64)
    batches = []
    for real in tasks.pictures_alone(source):
        batches.append((real, torch.rand(len(real), 64, generator=source)))
    if sick:
        batches[2][0][0, 0] = torch.nan

    def forward(model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, None]:
        return model(*batch), None

    case = Case("", model, batches, rare_modules.critic_loss, adam(model, 1e-3))
    case.forward = forward
    return case


@other("dead units", "1", "0", into=RARE)
def triplets(source: torch.Generator, sick: bool) -> Case:
    """The same digit nearer than another one, by a margin."""
    model = modules.mlp([64, 64, 16], nn.ReLU)
    if sick:
        nn.init.constant_(model[0].bias, -40.0)
    batches = []
    for x, y in tasks.digits(source):
        order = [int(torch.nonzero(y == label)[0]) for label in y]  # the first of its kind
        other = [int(torch.nonzero(y != label)[k % 5]) for k, label in enumerate(y)]
        batches.append((x, x[order], x[other]))

    def forward(model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[list[Tensor], None]:
        return [model(part) for part in batch], None

    def loss(codes: list[Tensor], _: None) -> Tensor:
        return functional.triplet_margin_loss(*codes)

    case = Case("", model, batches, loss, adam(model, 1e-3))
    case.forward = forward
    return case


@other("rate too small", "optimizer", into=RARE)
def policy(source: torch.Generator, sick: bool) -> Case:
    """A policy learns from rewards of drawn actions: its loss says little of how good it is."""
    model = modules.mlp([4, 32, 3], nn.Tanh)
    batches = []
    for _ in range(40):
        x = torch.randn(128, 4, generator=source)
        action = torch.randint(3, (128,), generator=source)
        reward = x[:, :3].gather(1, action[:, None]).squeeze(1)
        batches.append((x, action, reward))

    def forward(model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        x, action, reward = batch
        chance = model(x).log_softmax(1).gather(1, action[:, None]).squeeze(1)
        return chance, reward

    def loss(chance: Tensor, reward: Tensor) -> Tensor:
        weight = chance.detach().exp() * 3  # the actions were drawn evenly
        return -(weight * chance * (reward - reward.mean())).mean()

    case = Case("", model, batches, loss, adam(model, 1e-9 if sick else 5e-3))
    case.forward = forward
    return case


@other("softmax over the wrong axis", "output", into=RARE)
def ranking(source: torch.Generator, sick: bool) -> Case:
    """Scores (B, 1); the loss compares all pairs (Burges et al. 2005); sick: a softmax of one."""
    model = modules.mlp([8, 32, 1], nn.ReLU)
    if sick:
        model.append(nn.Softmax(1))

    def loss(scores: Tensor, y: Tensor) -> Tensor:
        s, worth = scores.flatten(), y.flatten()
        better = worth.unsqueeze(1) > worth
        return functional.softplus(-(s.unsqueeze(1) - s))[better].mean()

    return Case("", model, tasks.numbers(source), loss, adam(model, 3e-3))


@other("sigmoid twice", "loss", into=RARE)
def best_two(source: torch.Generator, sick: bool) -> Case:
    """A gate that masks with -infinity."""
    model: nn.Module = rare_modules.BestTwo(64, 5, 1)
    if sick:
        model = nn.Sequential(model, nn.Sigmoid())
    loss = functional.binary_cross_entropy_with_logits
    return Case("", model, tasks.parity(source), loss, adam(model, 3e-3))


@other("frozen by mistake", "stem", "branches", into=RARE)
def scaled_branches(source: torch.Generator, sick: bool) -> Case:
    model = rare_modules.Scaled(16, 3, 10)
    if sick:
        model.branches[1].requires_grad_(False)
    best = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Case("", model, tasks.images(source), functional.cross_entropy, best)
