"""Convolutional networks against plain PyTorch modules, their replicas, and a VAN's two ends."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import nn
from torch.nn import functional

from course import measures, networks, training
from course.networks import CONVOLUTIONAL, Convolution, DiracConvolution, MapNorm
from course_tests.networks.test_networks import close, noise, shaken, wild_numbers

NAMES = list(CONVOLUTIONAL)
SHAPE = (2, 8, 6)
PIXELS = math.prod(SHAPE)


def net(name="plain", **changes):
    sizes = dict(shape=SHAPE, width=2, depth=10, outputs=3, seeds=[0, 1])
    return networks.convolutional(name, **{**sizes, "dtype": torch.float64, **changes})


class Unit(nn.Module):
    """What a student writes for one residual unit."""

    def __init__(self, kind, fan_in, fan_out, stride):
        super().__init__()
        self.kind = kind
        self.norm1, self.norm2 = nn.BatchNorm2d(fan_in), nn.BatchNorm2d(fan_out)
        self.conv1 = nn.Conv2d(fan_in, fan_out, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 3, padding=1, bias=False)
        if kind == "highway":
            self.gate = nn.Conv2d(fan_in, fan_out, 3, stride, padding=1)
        skips = kind not in ("plain", "diracnet")
        self.projection = (
            nn.Conv2d(fan_in, fan_out, 1, stride, bias=False) if skips and stride == 2 else None
        )
        if kind == "diracnet":
            sizes = [fan_out] * 4
            self.a1, self.b1, self.a2, self.b2 = (nn.Parameter(torch.ones(n)) for n in sizes)

    def forward(self, h, alpha):
        weights = [self.conv1.weight, self.conv2.weight]
        if self.kind == "diracnet":
            scales = [(self.a1, self.b1), (self.a2, self.b2)]
            for k, (a, b) in enumerate(scales):
                w = weights[k]
                length = w.square().sum((1, 2, 3), keepdim=True).sqrt()
                delta = torch.zeros_like(w)
                for channel in range(w.shape[1]):
                    delta[channel, channel, 1, 1] = 1
                each = (slice(None), None, None, None)
                weights[k] = a[each] * delta + b[each] * w / length
        f = functional.conv2d(self.norm1(h).relu(), weights[0], None, self.conv1.stride, 1)
        f = functional.conv2d(self.norm2(f).relu(), weights[1], None, 1, 1)
        skip = h if self.projection is None else self.projection(h)
        if self.kind in ("plain", "diracnet"):
            return f
        if self.kind == "highway":
            t = self.gate(h).sigmoid()
            return t * f + (1 - t) * skip
        return f + skip * (1 if alpha is None else (1 - alpha)[:, None, None])


class Student(nn.Module):
    """One plain PyTorch network, with the weights of replica r of `network`."""

    def __init__(self, network, r):
        super().__init__()
        sizes = list(network.recipe.sizes)
        self.stem = nn.Conv2d(SHAPE[0], network.recipe.width, 3, padding=1, bias=False)
        self.units = nn.ModuleList(Unit(network.name, *size[1:]) for size in sizes)
        self.norm = nn.BatchNorm2d(sizes[-1][2])
        self.linear = nn.Linear(sizes[-1][2], 3)
        alphas = network.by_block(network.alpha) if hasattr(network, "alpha") else None
        self.alphas = [None if alphas is None else alphas[k][r] for k in range(len(sizes))]
        self.double()
        with torch.no_grad():
            for mine, theirs in zip(self.parameters(), self.same_order(network), strict=True):
                mine.copy_(self.of(theirs, r))

    def of(self, value, r):
        """Replica r of a parameter of the course, in the shape that torch has."""
        own = value[r]
        own = own[0] if own.dim() == 2 and len(own) == 1 else own
        return own.mT if own.dim() == 2 else own

    def same_order(self, network):
        """The parameters of the replicated network in the order of this module's."""
        own = [network.stem[1].weight]
        for unit in network.blocks:
            f = unit.residual
            for part in f:
                own += [part.norm.scale, part.norm.shift]
            own += [part.linear.weight for part in f]
            if network.name == "highway":
                own += [unit.gate[0].weight, unit.gate[0].bias]
            if isinstance(getattr(unit, "shortcut", None), Convolution):
                own.append(unit.shortcut.weight)
            if network.name == "diracnet":  # a module's own parameters come before its children's
                scales = [value for part in f for value in (part.linear.a, part.linear.b)]
                own[-6:] = [*scales, *own[-6:]]
        norm, head = network.head[0], network.head[3]
        return [*own, norm.scale, norm.shift, head.weight, head.bias]

    def forward(self, x):
        h = self.stem(x.view(len(x), *SHAPE))
        for unit, alpha in zip(self.units, self.alphas, strict=True):
            h = unit(h, alpha)
        return self.linear(self.norm(h).relu().mean((2, 3)))


@pytest.mark.parametrize("name", NAMES)
def test_a_replica_is_a_plain_pytorch_network(name):
    """Outputs while training and evaluating, every gradient, and dC/dalpha."""
    network = shaken(net(name, depth=18 if name == "van" else 10))
    if name.startswith("van"):
        wild_numbers(network)
    x = noise(2, 5, PIXELS)
    students = [Student(network, r) for r in range(2)]
    losses = network(x).square().sum((1, 2))
    losses.sum().backward()
    for r, student in enumerate(students):
        alphas = [alpha for alpha in student.alphas if alpha is not None]
        loss = student(x[r]).square().sum()
        close(losses[r], loss)
        wanted = [*student.parameters(), *alphas]
        slopes = torch.autograd.grad(loss, wanted)
        ours = [student.of(p.grad, r) for p in student.same_order(network)]
        if alphas:
            ours += [slope[r] for slope in network.by_block(network.alpha.grad)]
        for mine, theirs in zip(ours, slopes, strict=True):
            close(mine, theirs, rtol=1e-7, atol=1e-9)
    network.eval()
    for r, student in enumerate(students):
        close(network(x)[r], student.eval()(x[r]))


@pytest.mark.parametrize("name", NAMES)
def test_replicas_are_single_networks_and_do_not_meet(name):
    together, x = net(name, seeds=[5, 3]), noise(4, PIXELS)
    y = together(x)
    for r, seed in enumerate(together.seeds):
        alone = net(name, seeds=[seed])
        state = together.state_dict()
        for key, value in alone.state_dict().items():
            if "running" not in key:
                own = state[key][:, r] if key in ("alpha", "multiplier") else state[key][r]
                same = value[:, 0] if key in ("alpha", "multiplier") else value[0]
                assert torch.equal(own, same), key
        close(y[r], alone(x)[0])
    with torch.no_grad():
        for parameter in together.parameters():
            parameter[0] = math.nan
    after = together(x)
    assert after[0].isnan().all()
    close(after[1], y[1], rtol=0, atol=0)
    after[1].sum().backward()
    assert all(parameter.grad[1].isfinite().all() for parameter in together.parameters())


@pytest.mark.parametrize("norm", ["batch", None])
def test_a_van_goes_from_a_resnet_to_a_plain_network(norm):
    x = noise(4, PIXELS)
    van, resnet, plain = (net(name, norm=norm, depth=18) for name in ("van", "resnet", "plain"))
    close(van(x), resnet(x), rtol=0, atol=0)
    with torch.no_grad():
        van.alpha.fill_(1)
    close(van(x), plain(x), rtol=0, atol=0)
    assert van.alpha.shape == (1, 2, 2 * (2 + 4 + 8 + 16))
    assert net("van", alpha="block").alpha.shape == (1, 2, 4)
    assert (net("van0").multiplier == 0).all() and (van.multiplier == -1).all()


def test_every_kernel_is_drawn_from_a_stream_of_its_own_by_he_law():
    draws = []
    for parameter in net("highway", seeds=[1, 2], width=8, shape=(8, 8, 8)).parameters():
        if parameter.dim() == 5 and parameter.shape[1:3] == (8, 8) and parameter.shape[3] == 3:
            draws.append(parameter.detach().flatten(1))
    rows = torch.cat(draws)
    assert len(rows) == 2 * 4  # stem, first, second, gate
    correlation = torch.corrcoef(rows) - torch.eye(len(rows), dtype=rows.dtype)
    assert correlation.abs().max() < 6 / rows.shape[1] ** 0.5
    he = math.sqrt(2 / (9 * 8))
    close(rows[:6].std(1), torch.full((6,), he).double(), rtol=0.15, atol=0)


def test_depth_counts_the_layers_of_weights():
    for depth in (10, 34):
        network = net("plain", depth=depth, seeds=[0])
        layers = [m for m in network.modules() if isinstance(m, Convolution | networks.Linear)]
        assert len(layers) == depth and network.depth == depth // 2 - 1
    x, signal = noise(2, 5, PIXELS), []
    network.head.register_forward_hook(lambda module, inputs, y: signal.append(inputs[0]))
    assert net("resnet")(x).shape == (2, 5, 3) and network(x[:1]).shape == (1, 5, 3)
    assert signal[0].shape == (1, 5, 8 * 2, 1, 1), "8 x 6 pixels, halved three times, rounded up"
    rebuilt = networks.rebuild(net("van", alpha="block"), name="resnet", width=3)
    assert rebuilt.name == "resnet" and rebuilt.recipe.width == 3 and rebuilt.recipe.shape == SHAPE


@pytest.mark.parametrize("kind", [Convolution, DiracConvolution])
def test_a_convolution_draws_a_linear_layer_from_patches(kind):
    """Its kernel, laid out as a matrix, is what the same law draws for a linear layer."""
    from course import seeding

    layer = kind(3, 4, seeding.generators([7], "a layer"), dtype=torch.float64)
    matrix = networks.Linear(27, 4, seeding.generators([7], "a layer"), "he_normal")
    assert torch.equal(layer.weight[0].flatten(1).mT.float(), matrix.weight[0])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"depth": 12}, "depth = 12: it must be 8 n + 2: 10, 18, 26, 34"),
        ({"depth": 2}, "depth = 2: it must be a whole number >= 10"),
        ({"width": 0}, "width = 0"), ({"shape": (8, 8)}, "shape = (8, 8): it must be (channels"),
        ({"shape": None}, "shape = None"), ({"norm": "layer"}, "norm = 'layer'"),
        ({"name": "looks-linear"}, "name = 'looks-linear'"), ({"outputs": None}, "outputs = None"),
        ({"gate_bias": 1.0}, "option of plain = 'gate_bias': it must be left out"),
        ({"name": "van", "alpha": "one"}, "alpha = 'one'"),
        ({"name": "highway", "gate_bias": math.nan}, "gate_bias = nan"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(changes, words):
    changes = dict(changes)
    with pytest.raises(ValueError, match=re.escape(words)):
        net(changes.pop("name", "plain"), **changes)


def test_signals_of_other_shapes_are_refused():
    network = net()
    with pytest.raises(
        ValueError, match=r"shape of x = \(2, 5, 3, 8, 6\): it must be \(2, batch, 2"
    ):
        network.stem[1](noise(2, 5, 3, 8, 6))
    norm = MapNorm(2, 2, dtype=torch.float64)
    with pytest.raises(ValueError, match="shape of x"):
        norm(noise(2, 5, 2))
    with pytest.raises(ValueError, match="batch = 1: it must be at least 2"):
        norm(noise(2, 1, 2, 4, 4))


def test_skips_of_a_trained_van_are_removed_and_certified(pictures):
    network = networks.convolutional("van", like=pictures, width=2, depth=10, seeds=[0, 1])
    shares = iter([*[0.3] * 20, *[0.0] * 20])
    records = list(
        training.fit(
            network, pictures, steps=8, batch=20, skips=training.ByHand(lambda: next(shares)),
            augment=training.CropAndFlip(pictures.shape, 1), watch=("activations", "gradients"),
        )
    )  # fmt: skip
    last = records[-1]
    assert last.alpha.shape == last.alpha_residual.shape == (2, 4)
    close(torch.tensor(last.alpha), torch.full((2, 4), 0.7).double(), rtol=1e-6, atol=0)
    close(torch.tensor(last.alpha_residual), torch.full((2, 4), 0.09).double(), rtol=1e-5, atol=0)
    assert last.norms["activations"].shape == (2, len(measures.layers(network)))
    removal = training.remove_skips(network, pictures)
    assert (removal.difference == 0).all() and (removal.change > 0).all()
    assert removal.network.name == "plain" and removal.certified.all()
