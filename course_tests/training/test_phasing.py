"""VAN: eqs. 7 and 8 as published, the time they take, other schedules, certified removal."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import training
from course.lessons.van import science as van
from course.networks import rebuild
from course.training import SGD, Adam, Problem, Record, fit, linear_decay, phasing
from course_tests.small import blobs, build


def run(network, **options):
    options = {"steps": 40, "batch": 20, "device": "cpu", **options}
    return list(fit(network, blobs(), **options))


def simulate(schedule, rate, steps):
    """alpha after each step, where the cost does not resist."""
    alpha, multiplier = torch.zeros(1, 1).double(), torch.zeros(1, 1).double()
    schedule.start(alpha, multiplier)
    slope, seen = torch.zeros_like(alpha), []
    for step in range(steps):
        schedule.step(alpha, multiplier, slope, rate, (step + 1) / steps)
        seen.append(alpha.item())
    return np.array(seen)


# Eqs. 7 and 8


def test_a_step_is_equations_7_and_8():
    schedule = training.Multipliers(ratio=0.5, multiplier=-1.0)
    alpha = torch.tensor([[0.2], [0.1], [0.9]])
    multiplier = torch.tensor([[-1.0], [3.0], [-2.0]])
    slope = torch.tensor([[0.4], [0.5], [0.5]])
    schedule.step(alpha, multiplier, slope, 0.1, 0.5)
    torch.testing.assert_close(alpha, torch.tensor([[0.26], [0.0], [1.0]]))
    torch.testing.assert_close(multiplier, torch.tensor([[-1.04], [2.955], [-2.005]]))


@pytest.mark.parametrize("alpha", ["unit", "block"])
def test_the_slope_is_that_of_the_cost_for_each_alpha(alpha):
    network, same = build("van", alpha=alpha), build("van", alpha=alpha)
    records = run(network, steps=1, optimizer=SGD(0.1), skips=training.Multipliers())
    seen = []

    class Spy(training.Multipliers):
        def step(self, alpha, multiplier, slope, rate, done):
            seen.append(slope.clone())
            super().step(alpha, multiplier, slope, rate, done)

    run(same, steps=1, optimizer=SGD(0.1), skips=Spy())
    expected = (-0.1 * (seen[0] - 1)).clamp(0, 1)
    np.testing.assert_allclose(records[0].alpha, expected.mean(2).T.numpy(), rtol=1e-6)
    residual = (1 - expected).square().mean(2)
    np.testing.assert_allclose(records[0].alpha_residual, residual.T.numpy(), rtol=1e-6)
    probe = build("van", alpha=alpha, dtype=torch.float64)  # a finite difference in float64
    x, y = Problem(blobs(), probe, "cross_entropy", 20, torch.device("cpu")).batches.batch(0)
    probe.train()

    def cost():
        logits = probe(x)[1]
        return torch.nn.functional.cross_entropy(logits, y[1]).item()

    with torch.no_grad():
        probe.alpha[2, 1, 0] = 1e-5
        up = cost()
        probe.alpha[2, 1, 0] = -1e-5
        difference = (up - cost()) / 2e-5
    assert seen[0][2, 1, 0].item() == pytest.approx(difference, rel=1e-3)


def test_the_slope_of_a_block_is_the_sum_over_its_units():
    slopes = []
    for alpha in ("unit", "block"):
        network = build("van", alpha=alpha, dtype=torch.float64)
        network(blobs().x_train[:20].double()).square().sum().backward()
        slopes.append(network.alpha.grad.sum(2))
    torch.testing.assert_close(*slopes)


def test_alpha_follows_the_rate_of_the_weights_or_its_own():
    follows = run(build("van"), schedule=linear_decay(0), skips=training.Multipliers(ratio=0))
    fixed = run(
        build("van"), schedule=linear_decay(0), skips=training.Multipliers(ratio=0, rate=0.03)
    )
    assert follows[0].alpha == pytest.approx(fixed[0].alpha)
    assert (follows[-1].alpha < fixed[-1].alpha).all()


def test_each_network_has_its_own_schedule():
    assert phasing.schedule(None, build("van", multiplier=-0.2)) == training.Multipliers(
        multiplier=-0.2
    )
    free = phasing.schedule(None, build("van0"))
    assert free == training.Multipliers(ratio=0.0, multiplier=0.0)
    assert phasing.schedule(None, build("resnet")) is None
    network = build("van0")
    run(network)
    assert (network.multiplier == 0).all()
    assert (training.residual(network) < 1).any() and (training.residual(network) > 0).any()


# The time of removal


@settings(max_examples=40, deadline=None)
@given(rate=st.floats(2e-3, 1e-2), ratio=st.floats(0.05, 4.0), multiplier=st.floats(-3.0, 0.5))
def test_the_skips_go_when_predicted(rate, ratio, multiplier):
    predicted = van.removal_time(rate, ratio, multiplier)
    seen = simulate(training.Multipliers(ratio, multiplier), rate, math.ceil(1.1 * predicted) + 10)
    measured = np.argmax(seen == 1) + 1
    assert seen.max() == 1 and (seen[measured:] == 1).all()
    # Steps are finite: a step of rounding, and an oscillation that grows a little.
    assert abs(measured - predicted) <= 2 + 0.01 * predicted


@pytest.mark.parametrize(
    ("rate", "ratio", "multiplier", "steps"),
    [
        (0.001, 0.5, -1.0, 870.4),
        (0.01, 0.5, -1.0, 87.0),
        (0.01, 0.5, 0.0, 222.1),
        (0.01, 0.05, 0.0, 702.5),
        (0.1, 0.1, -1.0, 9.7),  # what the text gives for CIFAR: the skips are gone at once
        (0.02, 0.0125, -0.05, 514.4),
    ],
)
def test_removal_times_of_published_settings(rate, ratio, multiplier, steps):
    assert van.removal_time(rate, ratio, multiplier) == pytest.approx(steps, abs=0.06)
    seen = simulate(training.Multipliers(ratio, multiplier), rate, 1000)
    assert np.argmax(seen == 1) + 1 == pytest.approx(steps, abs=2)


def test_removal_time_at_its_limits():
    assert van.removal_time(0.01, 0.5, -1e-12) == pytest.approx(van.removal_time(0.01, 0.5, 0))
    assert van.removal_time(0.01, 0, -2) == 50
    assert van.removal_time(0.01, 1e-14, -2) == pytest.approx(50)
    assert van.removal_time(0.01, 0, 0) == math.inf
    for bad in (dict(rate=0), dict(rate=0.1, ratio=-1), dict(rate=0.1, multiplier=math.nan)):
        with pytest.raises(ValueError):
            van.removal_time(**bad)


# Other schedules


def test_fixed_schedules():
    assert simulate(training.Ramp(0.5), 0.1, 8) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])
    assert simulate(training.Ramp(0), 0.1, 3) == pytest.approx([1, 1, 1])
    assert simulate(training.Cut(0.5), 0.1, 4) == pytest.approx([0, 1, 1, 1])
    assert simulate(training.Cut(2), 0.1, 4) == pytest.approx([0, 0, 0, 0])
    for name, schedule in training.SCHEDULES.items():
        records = run(build("van"), skips=name)
        assert records[-1].alpha.shape == (2, 3), name
        assert phasing.schedule(name, build("van")) is schedule


def test_a_ramp_is_done_when_it_says_so():
    records = run(build("van"), skips=training.Ramp(0.5))
    assert [record.alpha[1, 2] for record in records[:4]] == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert van.removed_at(records).tolist() == [20, 20]


def test_a_van_whose_skips_stay_whole_trains_as_a_resnet():
    vans, resnets = run(build("van"), skips="none"), run(build("resnet"))
    np.testing.assert_allclose(vans[-1].loss, resnets[-1].loss, rtol=1e-4)


def test_skips_are_turned_by_hand_while_a_van_trains():
    passed = [1.0]
    run = fit(build("van"), blobs(), steps=3, batch=20, skips=training.ByHand(lambda: passed[0]))
    alphas = []
    for share in (0.25, 0.5, 0.0):
        passed[0] = share
        alphas.append(next(run).alpha)
    np.testing.assert_allclose([a.min() for a in alphas], [0.75, 0.5, 1.0])
    np.testing.assert_allclose([a.max() for a in alphas], [0.75, 0.5, 1.0])


SQUARE = dict(inputs=6, width=6, outputs=6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: training.Multipliers(ratio=-1), "ratio = -1"),
        (lambda: training.Multipliers(multiplier=math.inf), "multiplier = inf"),
        (lambda: training.Multipliers(rate=-0.1), "rate = -0.1"),
        (lambda: training.Ramp(1.5), "until = 1.5"),
        (lambda: training.Cut(-0.1), "at = -0.1"),
        (lambda: phasing.schedule("fast", build("van")), "skips = 'fast'"),
        (lambda: phasing.schedule("slow", build("resnet")), "None for resnet"),
        (lambda: phasing.schedule(3, build("van")), "skips = 3: it must be Multipliers, Ramp, Cut"),
        (lambda: training.ByHand(lambda: 1.2).alpha(0.5), "passed() = 1.2"),
        (lambda: training.Ramp("0.5"), "until = '0.5'"),
        (lambda: training.remove_skips(build("plain"), blobs()), "network = 'plain'"),
        (
            lambda: training.remove_skips(build("van", ends=False, **SQUARE), blobs()),
            "ends = False",
        ),
    ],
)
def test_bad_settings_are_named(make, words):
    with pytest.raises(ValueError) as error:
        make()
    assert words in str(error.value)


def test_removed_at_tells_the_first_time_from_for_good():
    alphas = [[0.5, 0.5], [1, 0.5], [1, 1], [1, 0.9], [1, 1]]  # of two replicas, one block each
    records = [
        Record(step=10 * k, steps=50, rate=0.1, loss=np.zeros(2), alpha=np.array(alpha)[:, None])
        for k, alpha in enumerate(alphas)
    ]
    assert van.removed_at(records).tolist() == [10, 20]
    assert van.removed_at(records, for_good=True).tolist() == [10, 40]
    assert np.isnan(van.removed_at(records[:2])).tolist() == [False, True]


# Removal


@pytest.mark.parametrize("norm", ["batch", "layer", None])
@pytest.mark.parametrize(("depth", "alpha"), [(0, "unit"), (1, "block"), (4, "unit")])
def test_without_skips_the_van_is_a_plain_network_exactly(norm, depth, alpha):
    network = build("van", norm=norm, depth=depth, alpha=alpha)
    run(network, skips=training.Ramp(0.5), optimizer=Adam(0.01))
    result = training.remove_skips(network, blobs())
    assert result.network.name == "plain" and not hasattr(result.network, "alpha")
    assert (result.difference == 0).all() and (result.change == 0).all()
    assert result.certified.all()
    assert result.left.shape == (2, *network.alpha.shape[::2]) and (result.left == 0).all()
    np.testing.assert_array_equal(result.before.test_accuracy, result.after.test_accuracy)
    assert result.network.recipe == rebuild(network, name="plain").recipe
    list(fit(result.network, blobs(), steps=3, batch=20, device="cpu"))  # it can be trained on


def test_removal_reports_what_it_costs_to_force_the_rest():
    network = build("van")
    run(network, steps=60, skips="none")
    before = copy.deepcopy(network.state_dict())
    result = training.remove_skips(network, blobs())
    assert (result.left == 1).all() and (result.change > 0.1).all()
    assert (result.after.train_loss > result.before.train_loss).all()
    assert (result.difference == 0).all()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    with torch.no_grad():
        result.network.head.weight.zero_()  # a copy of its own
    assert torch.equal(network.head.linear.weight, before["head.linear.weight"])
    assert "before" in str(result) and "skips left: at most 1" in str(result)
