"""Replicated layers against torch's own layers, one replica at a time; activations and gains."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import networks, seeding
from course.networks import BatchNorm, DiracLinear, LayerNorm, Linear, activations
from course.networks.activations import ACTIVATIONS

few = st.integers(1, 5)


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def linear(fan_in, fan_out, replicas=1, kind=Linear, **options):
    generators = seeding.generators(range(replicas), "test")
    return kind(fan_in, fan_out, generators, dtype=torch.float64, **options)


FORMULAS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "hard-tanh": lambda x: np.clip(x, -1, 1),
    "relu": lambda x: np.maximum(x, 0),
    "leaky-relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "gelu": lambda x: x * np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2)(x),
    "identity": lambda x: x,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_derivatives(name):
    x = np.linspace(-4, 4, 100)  # no kink on the grid
    f = FORMULAS[name]
    ours = activations.activation(name)(torch.tensor(x))
    np.testing.assert_allclose(ours, f(x), rtol=1e-12, atol=1e-15)
    slope = activations.derivative(name, torch.tensor(x))
    np.testing.assert_allclose(slope, (f(x + 1e-6) - f(x - 1e-6)) / 2e-6, atol=1e-8)


def test_derivative_of_the_sigmoid_at_five():
    slope = activations.derivative("sigmoid", torch.tensor(5.0, dtype=torch.float64))
    assert float(slope) == pytest.approx(0.006648056670790155)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gain_keeps_the_mean_square_of_a_normal_signal(name):
    from scipy import integrate

    density = lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    f = FORMULAS[name]
    pieces = [(-12, -1), (-1, 0), (0, 1), (1, 12)]
    square = lambda z: float(f(np.array(z))) ** 2 * density(z)  # noqa: E731
    moment = sum(integrate.quad(square, *piece)[0] for piece in pieces)
    assert activations.gain(name) ** 2 * moment == pytest.approx(1, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(few, few, few, few, st.booleans(), st.booleans())
def test_linear_is_torch_linear_replica_by_replica(replicas, batch, m, n, bias, shared):
    layer = linear(m, n, replicas, bias=bias)
    x = noise(batch, m) if shared else noise(replicas, batch, m)
    y = layer(x)
    assert y.shape == (replicas, batch, n)
    for r in range(replicas):
        b = layer.bias[r, 0] if bias else None
        expected = torch.nn.functional.linear(x if shared else x[r], layer.weight[r].T, b)
        torch.testing.assert_close(y[r], expected)


def test_what_bias_may_be():
    assert linear(3, 4, bias=False).bias is None
    assert not linear(3, 4, init="he_normal").bias.any()
    drawn = linear(3, 4, init="torch_default").bias
    assert drawn.shape == (1, 1, 4) and 0 < drawn.abs().max() <= 1 / math.sqrt(3)
    assert (linear(3, 4, bias=-2.0).bias == -2).all()
    assert (linear(3, 4, bias=lambda m, n, g: torch.full((1, n), float(m))).bias == 3).all()


def test_float32_layers_start_as_rounded_float64_layers():
    single = Linear(3, 4, seeding.generators([0], "test"))
    assert single.weight.dtype == single.bias.dtype == torch.float32
    assert torch.equal(single.weight, linear(3, 4).weight.float())


@settings(deadline=None, max_examples=25)
@given(few, st.integers(2, 6), few, st.integers(1, 3))
def test_batch_norm_is_torch_batch_norm_replica_by_replica(replicas, batch, width, steps):
    ours = BatchNorm(replicas, width, dtype=torch.float64)
    theirs = [torch.nn.BatchNorm1d(width, dtype=torch.float64) for _ in range(replicas)]
    with torch.no_grad():
        ours.scale += noise(replicas, 1, width, seed=1)
        ours.shift += noise(replicas, 1, width, seed=2)
        for r, norm in enumerate(theirs):
            norm.weight.copy_(ours.scale[r, 0])
            norm.bias.copy_(ours.shift[r, 0])
    x = [3 * noise(replicas, batch, width, seed=step) + 5 for step in range(steps + 1)]
    for step in range(steps):
        expected = torch.stack([norm(part) for norm, part in zip(theirs, x[step], strict=True)])
        torch.testing.assert_close(ours(x[step]), expected)
    running = ours.running_mean.clone()
    with networks.batch_statistics(ours.eval()):
        of_batch = ours(x[-1])
    torch.testing.assert_close(ours(x[-1]), torch.stack(
        [norm.eval()(part) for norm, part in zip(theirs, x[-1], strict=True)]
    ))  # fmt: skip
    assert torch.equal(ours.running_mean, running)  # evaluating leaves them alone
    torch.testing.assert_close(of_batch, ours.train()(x[-1]))


def test_batches_must_be_of_one_size():
    norm = BatchNorm(1, 2).eval()
    for examples, batches in ((5, 2), (4, 3), (2, 2)):
        says = f"batch = {examples}: it must be {batches} batches of one size, at least 2"
        with networks.batch_statistics(norm, batches), pytest.raises(ValueError, match=says):
            norm(torch.zeros(1, examples, 2))
    with pytest.raises(ValueError, match="batches = 0"), networks.batch_statistics(norm, 0):
        raise AssertionError


def test_batch_statistics_ends_with_its_block_even_after_an_error():
    network = torch.nn.Sequential(BatchNorm(1, 2), BatchNorm(1, 2))
    with pytest.raises(RuntimeError), networks.batch_statistics(network):
        assert all(norm.evaluated_batches for norm in network)
        raise RuntimeError
    assert not any(norm.evaluated_batches for norm in network)


@settings(deadline=None, max_examples=20)
@given(few, few, st.integers(2, 6))
def test_layer_norm_is_torch_layer_norm_replica_by_replica(replicas, batch, width):
    ours = LayerNorm(replicas, width, dtype=torch.float64)
    x = 3 * noise(replicas, batch, width) + 5
    with torch.no_grad():
        ours.scale += noise(replicas, 1, width, seed=1)
        ours.shift += noise(replicas, 1, width, seed=2)
    for r, y in enumerate(ours(x)):
        scale, shift = ours.scale[r, 0], ours.shift[r, 0]
        torch.testing.assert_close(y, torch.nn.functional.layer_norm(x[r], (width,), scale, shift))


def test_dirac_linear_starts_near_the_identity():
    layer = linear(5, 5, 2, kind=DiracLinear, init="he_normal")
    columns = (layer.matrix() - torch.eye(5, dtype=torch.float64)).norm(dim=1)
    torch.testing.assert_close(columns, torch.full((2, 5), 0.1, dtype=torch.float64))
    with torch.no_grad():
        layer.a += noise(2, 1, 5, seed=1)
        layer.b += noise(2, 1, 5, seed=2)
        x, unit = noise(2, 3, 5), layer.weight / layer.weight.norm(dim=1, keepdim=True)
        torch.testing.assert_close(layer(x), x * layer.a + (x @ unit) * layer.b + layer.bias)
        layer.weight *= 7  # only the direction of the weights into a unit matters
        torch.testing.assert_close(layer(x), x * layer.a + (x @ unit) * layer.b + layer.bias)


@pytest.mark.parametrize(
    "layer",
    [
        linear(3, 4, 2),
        linear(4, 4, 2, kind=DiracLinear),
        BatchNorm(2, 3, dtype=torch.float64),
        LayerNorm(2, 3, dtype=torch.float64),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_against_finite_differences(layer):
    names, parameters = zip(*layer.named_parameters(), strict=True)
    width = layer.weight.shape[1] if hasattr(layer, "weight") else 3
    x = noise(2, 4, width).requires_grad_()

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *parameters))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: linear(3, 4, 2)(noise(5, 4)), r"shape of x = \(2, 5, 4\): it must be \(2, batch"),
        (lambda: linear(3, 4, 2)(noise(1, 5, 3)), r"shape of x = \(1, 5, 3\)"),
        (lambda: linear(3, 4, 2)(noise(3)), r"shape of x = \(3,\)"),
        (lambda: linear(0, 4), "fan_in = 0"),
        (lambda: linear(3, 4, bias=math.nan), "bias = nan"),
        (lambda: linear(3, 4, kind=DiracLinear), "fan_out = 4: it must be equal to fan_in = 3"),
        (lambda: BatchNorm(2, 3)(torch.zeros(2, 1, 3)), "batch = 1"),
        (lambda: BatchNorm(2, 3)(torch.zeros(4, 3)), "shape of x"),
        (lambda: BatchNorm(0, 3), "replicas = 0"),
        (lambda: BatchNorm(2, 3, momentum=1.5), "momentum = 1.5"),
        (lambda: LayerNorm(2, 3)(torch.zeros(2, 4, 4)), "shape of x"),
        (lambda: networks.norm_layer("group", 2, 3, torch.float32), "one of batch, layer"),
        (lambda: activations.activation("swish"), "one of sigmoid"),
        (lambda: activations.gain("swish"), "one of sigmoid"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
