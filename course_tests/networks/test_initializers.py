"""Each law has the variance, or the singular values, that its docstring says."""

from __future__ import annotations

import hashlib
import itertools
import math
from functools import partial

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import seeding
from course.networks import initializers
from course.networks.initializers import LAWS

FAN_IN, FAN_OUT = 150, 250

# The standard deviation that each law states, from fan_in m and fan_out n.
DEVIATIONS = {
    "lecun_normal": lambda m, n: math.sqrt(1 / m),
    "lecun_uniform": lambda m, n: math.sqrt(1 / m),
    "glorot_normal": lambda m, n: math.sqrt(2 / (m + n)),
    "glorot_uniform": lambda m, n: math.sqrt(2 / (m + n)),
    "he_normal": lambda m, n: math.sqrt(2 / m),
    "he_uniform": lambda m, n: math.sqrt(2 / m),
    "torch_default": lambda m, n: math.sqrt(1 / (3 * m)),
}
sizes = st.integers(1, 12)


def draw(law, fan_in=FAN_IN, fan_out=FAN_OUT, seed=0, **options):
    return initializers.law(law)(fan_in, fan_out, seeding.generator(seed, "test"), **options)


def replicate(law, fan_in, fan_out, seeds=(0,)):
    return initializers.replicate(law, fan_in, fan_out, seeding.generators(seeds, "test"))


@pytest.mark.parametrize("name", DEVIATIONS)
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_entries_follow_the_stated_distribution(name, gain):
    from scipy import stats  # it takes a second, in each process that only collects this file

    options = {} if name == "torch_default" else {"gain": gain}
    deviation = DEVIATIONS[name](FAN_IN, FAN_OUT) * (1 if name == "torch_default" else gain)
    if name.endswith("normal"):
        expected = stats.norm(scale=deviation)
    else:
        expected = stats.uniform(-math.sqrt(3) * deviation, 2 * math.sqrt(3) * deviation)
    entries = draw(name, **options).flatten().numpy()
    assert stats.kstest(entries, expected.cdf).pvalue > 1e-3
    assert entries.std() == pytest.approx(deviation, rel=0.01)


def test_torch_default_is_the_law_of_torch_linear():
    from scipy import stats

    with torch.random.fork_rng():
        torch.manual_seed(1)
        theirs = torch.nn.Linear(FAN_IN, 4000)
    ours = draw("torch_default", FAN_IN, 4000)
    bias = initializers.torch_default_bias(FAN_IN, 4000, seeding.generator(0, "bias"))
    for mine, reference in ((ours, theirs.weight), (bias, theirs.bias)):
        sample = mine.flatten()[:20000], reference.detach().flatten()[:20000]
        assert stats.ks_2samp(*(part.numpy() for part in sample)).pvalue > 1e-3
        assert mine.abs().max() <= 1 / math.sqrt(FAN_IN)
    assert bias.shape == (1, 4000)


def test_normal_bias_has_its_variance():
    bias = initializers.normal_bias(3, 40000, seeding.generator(0, "bias"), variance=0.04)
    assert bias.shape == (1, 40000)
    assert bias.std() == pytest.approx(0.2, rel=0.02)


@settings(deadline=None, max_examples=40)
@given(sizes, sizes, st.floats(0.1, 3), st.integers(0, 100))
def test_orthogonal_has_equal_singular_values(fan_in, fan_out, gain, seed):
    w = draw("orthogonal", fan_in, fan_out, seed, gain=gain)
    assert w.shape == (fan_in, fan_out)
    torch.testing.assert_close(
        torch.linalg.svdvals(w), torch.full((min(w.shape),), gain, dtype=w.dtype)
    )


def test_orthogonal_is_uniform_not_what_qr_happens_to_return():
    # Without the sign fix Q[0, 0] would be negative in every draw. Uniform: mean 0, variance 1/n.
    corner = torch.stack([draw("orthogonal", 4, 4, seed)[0, 0] for seed in range(400)])
    assert abs(corner.mean()) < 4 * 0.5 / 20
    assert corner.var() == pytest.approx(0.25, rel=0.25)


@pytest.mark.parametrize("fold", [0, 1, 2, 3])
def test_folded_repeats_rows_and_loses_rank(fold):
    n, parts = 24, 2**fold
    w = draw("folded", n, 32, fold=fold)
    assert torch.linalg.matrix_rank(w) == n // parts
    for part in w.split(n // parts):
        assert torch.equal(part, w[: n // parts])
    assert torch.equal(draw("folded", n, 32, fold=0), draw("lecun_normal", n, 32))
    wide = draw("folded", 256, 256, fold=fold, base="he_normal")
    assert wide.std() == pytest.approx(math.sqrt(2 / 256), rel=0.03)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 12), st.integers(2, 12), st.floats(0, 1), st.floats(0.1, 3))
def test_mixed_changes_the_spread_of_singular_values_but_not_their_mean_square(m, n, t, gain):
    gaussian = torch.linalg.svdvals(draw("lecun_normal", m, n))
    found = torch.linalg.svdvals(draw("mixed", m, n, orthogonality=t, gain=gain))
    expected = gaussian ** (1 - t)
    torch.testing.assert_close(found / found[0], expected / expected[0], rtol=1e-6, atol=1e-8)
    assert found.square().mean() == pytest.approx(gain**2 * max(m, n) / m)


def test_mixed_ends_at_an_orthogonal_matrix():
    found = torch.linalg.svdvals(draw("mixed", 20, 20, orthogonality=1.0, gain=0.9))
    torch.testing.assert_close(found, torch.full((20,), 0.9, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_identity_and_zero(shape):
    x = torch.arange(1.0, shape[0] + 1, dtype=torch.float64)
    kept = min(shape)
    y = x @ draw("identity", *shape, gain=2.0)
    assert torch.equal(y[:kept], 2 * x[:kept]) and not y[kept:].any()
    assert not draw("zero", *shape).any()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 8), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_mirrored_layers_look_linear_under_relu(inputs, half, next_half, outputs):
    x = torch.randn(7, inputs, generator=seeding.generator(0, "x"), dtype=torch.float64)
    w1 = draw("mirrored_first", inputs, 2 * half, 1)
    w2 = draw("mirrored", 2 * half, 2 * next_half, 2)
    w3 = draw("mirrored_last", 2 * next_half, outputs, 3)
    v2, v3 = w2[:half, :next_half], w3[:next_half]
    y = torch.relu(torch.relu(x @ w1) @ w2) @ w3
    torch.testing.assert_close(y, x @ w1[:, :half] @ v2 @ v3)


def test_streams_repeat_and_differ():
    pairs = list(itertools.product(range(40), ["layer 1", "layer 11", "head", ""]))
    draws = {tuple(torch.rand(3, generator=seeding.generator(*pair)).tolist()) for pair in pairs}
    assert len(draws) == len(pairs)
    for pair in pairs[:4]:
        first, again = (torch.rand(3, generator=seeding.generator(*pair)) for _ in range(2))
        assert torch.equal(first, again)
    both = seeding.generators([5, 2**40], "x")
    assert [g.initial_seed() for g in both] == [
        seeding.generator(5, "x").initial_seed(), seeding.generator(2**40, "x").initial_seed(),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 2**32, 2**64 + 3, 2**128, 2**200])
def test_streams_are_those_of_numpy_with_the_purpose_as_spawn_key(seed):
    words = numpy.frombuffer(hashlib.sha256(b"head").digest(), dtype="<u4")
    sequence = numpy.random.SeedSequence(seed, spawn_key=[int(word) for word in words])
    started = seeding.generator(seed, "head").initial_seed()
    assert started == sequence.generate_state(1, numpy.uint64)[0]


@pytest.mark.parametrize("name", LAWS)
def test_replicas_are_single_draws_side_by_side(name):
    seeds = [3, 1, 4]
    drawn = replicate(name, 6, 8, seeds)
    assert drawn.shape == (3, 6, 8) and drawn.dtype == torch.float64 and drawn.isfinite().all()
    for seed, replica in zip(seeds, drawn, strict=True):
        assert torch.equal(replica, draw(name, 6, 8, seed))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: draw("he_normal", gain=math.nan), "gain = nan"),
        (lambda: draw("orthogonal", gain=math.inf), "gain = inf"),
        (lambda: draw("mixed", gain=-1), "gain = -1"),
        (lambda: draw("mixed", orthogonality=1.5), "orthogonality = 1.5"),
        (lambda: draw("he"), "one of lecun_normal"),
        (lambda: draw("folded", 6, 6, fold=2), "divisible by 2\\^fold = 4"),
        (lambda: draw("folded", 6, 6, fold=-1), "fold = -1"),
        (lambda: draw("mirrored", 6, 5), "fan_out = 5: it must be even"),
        (lambda: draw("mirrored", 5, 6), "fan_in = 5: it must be even"),
        (lambda: draw("mirrored_first", 5, 7), "fan_out = 7: it must be even"),
        (lambda: draw("mirrored_last", 7, 5), "fan_in = 7: it must be even"),
        (lambda: replicate("zero", 0, 2), "fan_in = 0"),
        (lambda: initializers.replicate("zero", 2, 2, []), "generators = "),
        (lambda: initializers.replicate("zero", 2, 2, [0, 1]), "a list of torch generators"),
        (lambda: initializers.replicate("zero", 2, 2, 0), "generators = 0"),
        (lambda: replicate(lambda m, n, g: torch.zeros(n, m), 2, 3), "a law that draws"),
        (lambda: replicate(lambda m, n, g: torch.full((m, n), math.nan), 2, 3), "finite"),
        (lambda: replicate(partial(initializers.normal_bias, variance=-1), 2, 2), "variance = -1"),
        (lambda: seeding.generator(-1, "x"), "seed = -1"),
        (lambda: seeding.generators([1, 1], "x"), "different whole numbers"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_options_are_set_by_partial():
    halved = partial(initializers.orthogonal, gain=0.5)
    torch.testing.assert_close(2 * replicate(halved, 4, 4)[0], draw("orthogonal", 4, 4))


SCALED = [f"{law}_{kind}" for law in ("lecun", "glorot", "he") for kind in ("normal", "uniform")]


@pytest.mark.parametrize("name", [*SCALED, "orthogonal", "mixed", "identity"])
@pytest.mark.parametrize("gain", [0.0, -0.0, 5e-324, 1e-310, 1e-160, 1e160, 1e300])
def test_a_gain_of_any_size_is_a_factor(name: str, gain: float) -> None:
    law = initializers.LAWS[name]
    plain, scaled = (
        law(4, 3, torch.Generator().manual_seed(1), gain=factor) for factor in (1.0, gain)
    )
    torch.testing.assert_close(scaled, gain * plain, rtol=1e-12, atol=5e-323)


@pytest.mark.parametrize("name", [*SCALED, "torch_default"])
def test_no_inputs_no_weights(name: str) -> None:
    with pytest.raises(ValueError, match="fan_in = 0"):
        initializers.LAWS[name](0, 0, torch.Generator())
    for gain in (math.inf, math.nan, -1.0):
        if name != "torch_default":
            with pytest.raises(ValueError, match="gain"):
                initializers.LAWS[name](4, 3, torch.Generator(), gain=gain)
