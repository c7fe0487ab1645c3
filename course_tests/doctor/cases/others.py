"""Networks of kinds that are in neither side of the families, each healthy or with one fault."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_tests.doctor.cases import modules, other_modules, tasks
from course_tests.doctor.cases.case import Case

Draw = Callable[[int, bool], Case]
OTHERS: dict[str, Draw] = {}
"""name: a function of a seed, and of whether the fault is put in."""

Make = Callable[[torch.Generator, bool], Case]


def other(truth: str, *place: str, into: dict[str, Draw] = OTHERS) -> Callable[[Make], Draw]:
    """Registers a kind under the function's name, with what is true of it when it is sick."""

    def register(function: Make) -> Draw:
        name = function.__name__.replace("_", " ")

        def draw(seed: int, sick: bool) -> Case:
            torch.manual_seed(seed)
            case = function(torch.Generator().manual_seed(seed), sick)
            case.family = name
            if sick:
                case.truth, case.place, case.fault = truth, place, f"{name}, {truth}"
            return case

        into[name] = draw
        return draw

    return register


def adam(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Adam on the parameters that can be trained."""
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], rate)


@other("badly scaled input", "data")
def kolmogorov_arnold(source: torch.Generator, sick: bool) -> Case:
    """A learned function of each input, as a sum of bumps on a grid; sick: inputs beyond it."""
    model = nn.Sequential(other_modules.Bumps(8, 8), other_modules.Bumps(8, 1))
    batches = [(x * 300 if sick else x, y) for x, y in tasks.numbers(source)]
    return Case("", model, batches, functional.mse_loss, adam(model, 1e-2))


@other("rate too large", "optimizer")
def contrastive(source: torch.Generator, sick: bool) -> Case:
    """Two inputs, one body, a loss of their distance."""
    model = other_modules.Distance(64, 32)
    best = torch.optim.SGD(model.parameters(), 100.0 if sick else 0.05)
    return Case("", model, tasks.pairs(source), other_modules.contrastive_loss, best)


@other("detached", "generator")
def generator_step(source: torch.Generator, sick: bool) -> Case:
    """A generator against a discriminator that is frozen; sick: what it made is detached."""
    model = other_modules.Adversaries(16, 64, detach=sick)
    real = tasks.pictures_alone(source)
    judge = torch.optim.Adam(model.discriminator.parameters(), 1e-3)
    for x in real[:20]:
        fake = torch.rand(len(x), 64, generator=source)
        answers = model.discriminator(torch.cat([x, fake]))
        truth = torch.cat([torch.ones(len(x), 1), torch.zeros(len(x), 1)])
        judge.zero_grad()
        functional.binary_cross_entropy_with_logits(answers, truth).backward()
        judge.step()
    model.zero_grad()
    for p in model.discriminator.parameters():
        p.requires_grad_(False)
    batches = [(torch.randn(64, 16, generator=source), torch.ones(64, 1)) for _ in range(20)]
    return Case("", model, batches, functional.binary_cross_entropy_with_logits, adam(model, 1e-3))


@other("layers in a list", "experts")
def mixture_of_experts(source: torch.Generator, sick: bool) -> Case:
    model = other_modules.Experts(64, 4, 10, listed=sick)
    return Case("", model, tasks.digits(source), functional.cross_entropy, adam(model, 2e-3))


@other("missing sigmoid or softmax", "loss")
def graph_convolution(source: torch.Generator, sick: bool) -> Case:
    """All nodes are one batch; the loss takes a part of them."""
    y = torch.randint(4, (300,), generator=source)
    same = (y[:, None] == y).float()
    edges = torch.bernoulli(0.05 * same + 0.005 * (1 - same), generator=source)
    edges = ((edges + edges.mT + torch.eye(300)) > 0).float()
    edges /= edges.sum(1).sqrt()[:, None] * edges.sum(1).sqrt()
    x = torch.randn(300, 16, generator=source) + functional.one_hot(y, 16)
    shown = torch.rand(300, generator=source) < 0.5
    model = other_modules.Graph(16, 32, 4)

    def loss(answer: Tensor, y: Tensor) -> Tensor:
        some = answer[shown] if sick else answer[shown].log_softmax(1)
        return functional.nll_loss(some, y[shown])

    return Case("", model, [(x, edges, y)], loss, adam(model, 1e-2))


@other("sigmoid twice", "loss")
def u_net(source: torch.Generator, sick: bool) -> Case:
    """Which pixels belong to the digit, from a noisy picture."""
    model: nn.Module = other_modules.UNet(8)
    if sick:
        model = nn.Sequential(model, nn.Sigmoid())
    batches = []
    for x, _ in tasks.images(source):
        clean = (x > 0).float()
        batches.append((clean + 0.7 * torch.randn(x.shape, generator=source), clean))
    return Case("", model, batches, functional.binary_cross_entropy_with_logits, adam(model, 2e-3))


@other("rate too large", "optimizer")
def causal_decoder(source: torch.Generator, sick: bool) -> Case:
    """The next letter, with a causal mask; shorter texts are filled up and not counted."""
    model = other_modules.Decoder(21, 32)
    batches = []
    for x, y in tasks.text(source):
        empty = torch.arange(24) >= torch.randint(12, 25, (len(x), 1), generator=source)
        batches.append((x.masked_fill(empty, 20), y.masked_fill(empty, -100)))
    best = adam(model, 3.0 if sick else 3e-3)
    return Case("", model, batches, other_modules.masked_loss, best)


@other("not in the optimizer", "words")
def bags_with_offsets(source: torch.Generator, sick: bool) -> Case:
    """Texts of different lengths, end to end, with the places where they begin."""
    model = other_modules.Bags(60, 24, 4)
    batches = []
    for x, y in tasks.tokens(source):
        lengths = torch.randint(8, 17, (len(x),), generator=source)
        words = torch.cat([row[:n] for row, n in zip(x, lengths, strict=True)])
        batches.append((words, lengths.cumsum(0) - lengths, y))
    best = adam(model.head if sick else model, 1e-2)
    return Case("", model, batches, functional.cross_entropy, best)


@other("badly scaled input", "data")
def normalizing_flow(source: torch.Generator, sick: bool) -> Case:
    """Coupling layers, trained by maximum likelihood; a batch is x alone."""
    model = other_modules.Flow(4, 32)
    batches = []
    for _ in range(30):
        x = torch.randn(64, 4, generator=source)
        x[:, 2:] = 0.3 * x[:, 2:] + x[:, :2] ** 2
        batches.append(1e4 * x if sick else x)
    return Case("", model, batches, other_modules.flow_loss, adam(model, 1e-3))


@other("softmax before cross-entropy", "loss")
def under_autocast(source: torch.Generator, sick: bool) -> Case:
    """A convolutional network that computes in bfloat16."""
    model: nn.Module = other_modules.Autocast()
    if sick:
        model = nn.Sequential(model, nn.Softmax(1))
    return Case("", model, tasks.images(source), functional.cross_entropy, adam(model, 3e-3))


@other("softmax before cross-entropy", "loss")
def all_in_bfloat16(source: torch.Generator, sick: bool) -> Case:
    model = modules.mlp([64, 64, 10], nn.ReLU)
    if sick:
        model.append(nn.Softmax(1))
    model.to(torch.bfloat16)
    batches = [(x.bfloat16(), y) for x, y in tasks.digits(source)]
    return Case("", model, batches, functional.cross_entropy, adam(model, 3e-3))


@other("rate too small", "optimizer")
def denoising_diffusion(source: torch.Generator, sick: bool) -> Case:
    """Which noise was added, at a time that the forward pass draws."""
    model = other_modules.Denoiser(64, 128)
    best = adam(model, 1e-7 if sick else 2e-3)
    batches = [(2 * x - 1,) for x in tasks.pictures_alone(source)]
    return Case("", model, batches, lambda pair, _: functional.mse_loss(*pair), best)


@other("broadcast in the loss", "loss")
def q_learning(source: torch.Generator, sick: bool) -> Case:
    """Values of actions against a target network, a frozen copy."""
    model = other_modules.Values(6, 64, 3, kept=sick)
    batches = []
    for _ in range(30):
        x = torch.randn(64, 6, generator=source)
        action = torch.randint(3, (64, 1), generator=source)
        reward = x.gather(1, action).squeeze(1) + x[:, 3] * x[:, 4]
        batches.append((x, action, x.roll(1, 0), reward))

    def forward(model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        answer: tuple[Tensor, Tensor] = model(*batch)
        return answer

    case = Case("", model, batches, functional.smooth_l1_loss, adam(model, 1e-3))
    case.forward = forward
    return case


@other("symmetric start", "words", "contexts")
def skip_gram(source: torch.Generator, sick: bool) -> Case:
    """Words near each other against drawn ones; only one of the two tables starts at 0."""
    model = other_modules.SkipGram(60, 16)
    nn.init.constant_(model.contexts.weight, 0.0)
    if sick:
        nn.init.constant_(model.words.weight, 0.1)
    batches = []
    for _, y in tasks.tokens(source):
        x = y[:, None] * 10 + torch.randint(10, (len(y), 16), generator=source)
        noise = torch.randint(60, (256,), generator=source)
        words = x[:, :8].flatten().repeat(2)
        near = torch.cat([torch.ones(256), torch.zeros(256)])
        batches.append((words, torch.cat([x[:, 8:].flatten(), noise]), near))
    best = torch.optim.Adam(model.parameters(), 2e-2)
    return Case("", model, batches, functional.binary_cross_entropy_with_logits, best)


@other("dead units", "encoder")
def contrastive_views(source: torch.Generator, sick: bool) -> Case:
    """Two noisy views of each example are to find each other in the batch."""
    model = other_modules.Views(64, 64)
    if sick:
        nn.init.constant_(model.encoder[0].bias, -30.0)
    batches = [(x,) for x, _ in tasks.digits(source)]
    return Case("", model, batches, other_modules.views_loss, adam(model, 1e-3))


@other("missing sigmoid or softmax", "loss")
def distillation(source: torch.Generator, sick: bool) -> Case:
    """A student after a teacher's probabilities; sick: kl_div gets plain numbers."""
    teacher = modules.mlp([64, 64, 10], nn.ReLU)
    Case("", teacher, tasks.digits(source), functional.cross_entropy, adam(teacher, 3e-3)).steps(99)
    with torch.no_grad():
        batches = [(x, teacher(x).softmax(1)) for x, _ in tasks.digits(source)]
    model = modules.mlp([64, 32, 10], nn.ReLU)

    def loss(answer: Tensor, y: Tensor) -> Tensor:
        rows = answer if sick else answer.log_softmax(1)
        return functional.kl_div(rows, y, reduction="batchmean")

    return Case("", model, batches, loss, adam(model, 3e-3))


@other("constant input", "data")
def deep_set(source: torch.Generator, sick: bool) -> Case:
    """A set of 12 points (B, 12, 2): the spread of its cloud."""
    model = other_modules.DeepSet(2, 32)
    batches = []
    for _ in range(30):
        spread = 0.2 + torch.rand(64, 1, generator=source)
        x = spread[:, None] * torch.randn(64, 12, 2, generator=source)
        batches.append((torch.ones_like(x) if sick else x, spread))
    return Case("", model, batches, functional.mse_loss, adam(model, 3e-3))


@other("exploding gradients", "field")
def neural_differential_equation(source: torch.Generator, sick: bool) -> Case:
    """One layer, used in 20 steps of Euler's method; sick: with steps of 40 instead of 0.1."""
    model = other_modules.Euler(64, 10, 40.0 if sick else 0.1)
    best = torch.optim.SGD(model.parameters(), 0.03, momentum=0.9)
    return Case("", model, tasks.digits(source), functional.cross_entropy, best)


@other("target out of reach", "output")
def quantiles(source: torch.Generator, sick: bool) -> Case:
    """Three quantiles of a number, by the pinball loss."""
    model = modules.mlp([8, 64, 3], nn.ReLU)
    if sick:
        model.append(nn.Sigmoid())
    batches = [(x, 4 * y) for x, y in tasks.numbers(source)]
    return Case("", model, batches, other_modules.pinball_loss, adam(model, 3e-3))


@other("missing sigmoid or softmax", "loss")
def connectionist_sequence(source: torch.Generator, sick: bool) -> Case:
    """Digits in a row of 24 strips, read under CTC's loss; sick: it gets plain numbers."""
    model = other_modules.Reader(8, 48, 11, normalized=not sick)
    batches = []
    for x, y in tasks.rows(source, 48):
        batches.append((x.view(16, 24, 8), y.view(16, 3) + 1))
    return Case("", model, batches, other_modules.sequence_loss, adam(model, 1e-2))


@other("frozen by mistake", "body")
def low_rank_adapters(source: torch.Generator, sick: bool) -> Case:
    """Frozen layers that were trained before, with small factors beside; sick: never trained."""
    body = modules.mlp([64, 64, 64, 10], nn.ReLU)
    if not sick:
        before = Case("", body, tasks.digits(source), functional.cross_entropy, adam(body, 3e-3))
        before.steps(150)
    model = other_modules.Adapted(copy.deepcopy(body))
    best = torch.optim.Adam(model.parameters(), 3e-3)
    batches = [(x, 9 - y) for x, y in tasks.digits(source)]
    return Case("", model, batches, functional.cross_entropy, best)


@other("rate too large", "optimizer")
def random_features(source: torch.Generator, sick: bool) -> Case:
    """Random waves, frozen on purpose and not in the optimizer, under a trained last layer."""
    model = nn.Sequential(other_modules.Waves(8, 128), nn.Linear(128, 1))
    best = torch.optim.SGD(model[1].parameters(), 3.0 if sick else 0.01)
    return Case("", model, tasks.numbers(source), functional.mse_loss, best)


@other("evaluation mode", "1")
def rare_class(source: torch.Generator, sick: bool) -> Case:
    """One example in 20 is positive."""
    model = modules.mlp([64, 64, 1], nn.ReLU, norm=True)
    batches = []
    for x, y in tasks.digits(source):
        chance = torch.rand(len(y), generator=source)
        keep = (y != 3) | (chance < 0.5)
        batches.append((x[keep], (y[keep] == 3).float()[:, None]))
    model.train(not sick)
    return Case("", model, batches, functional.binary_cross_entropy_with_logits, adam(model, 2e-3))


@other("rate too small", "optimizer")
def second_order(source: torch.Generator, sick: bool) -> Case:
    """LBFGS, which asks for the loss many times in a step."""
    model = modules.mlp([64, 32, 10], nn.Tanh)
    search = None if sick else "strong_wolfe"
    best = torch.optim.LBFGS(model.parameters(), 1e-8 if sick else 1.0, line_search_fn=search)
    return Case("", model, tasks.digits(source, 1000), functional.cross_entropy, best)
