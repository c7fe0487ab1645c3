"""Pictures changed at random: what is cut out, whose draws it is; and convolutions trained so."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from course import data, networks
from course.training import CropAndFlip, Multipliers, fit
from course.training.batches import ShuffledBatches

SHAPE = (2, 5, 4)


def test_each_picture_is_a_cut_of_the_padded_one_maybe_mirrored():
    change = CropAndFlip(SHAPE, padding=2)
    x = torch.randn(3, 6, math.prod(SHAPE), generator=torch.Generator().manual_seed(0))
    draws = change.draw(6, (4, 0, 9), epoch=0)
    assert draws.shape == (3, 6, 3)
    cut = change(x, draws).view(3, 6, *SHAPE)
    for r in range(3):
        for k in range(6):
            top, left, mirrored = draws[r, k].tolist()
            padded = torch.zeros(2, 9, 8)
            padded[:, 2:7, 2:6] = x[r, k].view(SHAPE)
            expected = padded[:, top : top + 5, left : left + 4]
            assert torch.equal(cut[r, k], expected.flip(2) if mirrored else expected)


def test_draws_are_fair_and_belong_to_the_seed_and_the_epoch():
    change = CropAndFlip(SHAPE, padding=4)
    draws = change.draw(9000, (0, 1), epoch=3)
    for r, seed in enumerate((0, 1)):
        assert torch.equal(change.draw(9000, (seed,), epoch=3)[0], draws[r])
    assert not torch.equal(draws[0], draws[1])
    assert not torch.equal(draws, change.draw(9000, (0, 1), epoch=4))
    for axis, sides in ((0, 9), (1, 9), (2, 2)):
        shares = torch.bincount(draws[0, :, axis], minlength=sides) / 9000
        assert len(shares) == sides and (shares - 1 / sides).abs().max() < 6 * (0.25 / 9000) ** 0.5


def test_a_batch_has_each_picture_as_its_draw_of_this_epoch_changes_it():
    x, y = torch.randn(12, math.prod(SHAPE)), torch.arange(12)
    change, seeds = CropAndFlip(SHAPE, padding=2), (4, 0)
    as_they_are, changed = (ShuffledBatches(x, y, seeds, 5, how) for how in (None, change))
    for step in range(5):
        epoch, position = divmod(step, 2)
        draws = change.draw(12, seeds, epoch)[:, 5 * position : 5 * (position + 1)]
        (pictures, labels), (seen, theirs) = as_they_are.batch(step), changed.batch(step)
        assert torch.equal(seen, change(pictures, draws)) and torch.equal(theirs, labels)
        assert not torch.equal(seen, pictures)


def conv(seeds=(0, 1)):
    pictures = data.digits().subset(60, 20)
    return networks.convolutional("van", like=pictures, width=2, depth=10, seeds=seeds), pictures


OPTIONS = dict(steps=7, batch=20, augment=CropAndFlip((1, 8, 8), 1), skips=Multipliers(rate=0.1))


def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(tmp_path):
    whole, pictures = conv()
    expected = list(fit(whole, pictures, **OPTIONS))
    for steps in (2, 5):
        run = fit(conv()[0], pictures, checkpoint=tmp_path / "run", **OPTIONS)
        for record in run:
            if record.step == steps:
                run.close()
    network, _ = conv()
    records = list(fit(network, pictures, checkpoint=tmp_path / "run", **OPTIONS))
    assert records[0].step == 6
    np.testing.assert_array_equal(records[-1].loss, expected[-1].loss)
    np.testing.assert_array_equal(records[-1].alpha_residual, expected[-1].alpha_residual)
    for name, value in whole.state_dict().items():
        assert torch.equal(network.state_dict()[name], value), name


def test_a_replica_trains_as_it_would_alone():
    together, pictures = conv()
    losses = [record.loss for record in fit(together, pictures, **OPTIONS)]
    alone = [record.loss for record in fit(conv([1])[0], pictures, **OPTIONS)]
    np.testing.assert_allclose(np.array(losses)[:, 1], np.array(alone)[:, 0], rtol=1e-3)


def test_half_precision_computes_the_same_network_less_exactly():
    losses = []
    for mixed in (False, True):
        network, pictures = conv()
        losses.append([r.loss for r in fit(network, pictures, mixed=mixed, **OPTIONS)])
        assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
    difference = np.abs(np.array(losses[0]) - np.array(losses[1]))
    assert 0 < difference[0].max() < 0.05, "bfloat16 has eight bits: it differs, by little"


@pytest.mark.parametrize("steps, ratio, multiplier", [(120, 0.1, -1.0), (400, 0.5, -0.3)])
def test_skips_leave_at_the_step_that_was_asked_for_where_the_cost_is_flat(
    steps, ratio, multiplier
):
    skips = Multipliers(ratio, multiplier).leaving(steps)
    alpha, lagrange = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    skips.start(alpha, lagrange)
    gone = 0
    while alpha < 1:
        skips.step(alpha, lagrange, torch.zeros(1), rate=99.0, done=0.5)
        gone += 1
    assert gone == pytest.approx(steps, rel=0.02)


@pytest.mark.parametrize(
    "skips, step, words",
    [
        (Multipliers(), 0, "step = 0"), (Multipliers(multiplier=0.0), 9, "multiplier = 0.0"),
        (Multipliers(ratio=0.0), 9, "ratio = 0.0"),
    ],
)  # fmt: skip
def test_skips_that_never_leave_have_no_step(skips, step, words):
    with pytest.raises(ValueError, match=words):
        skips.leaving(step)


def test_bad_augmentations_are_named():
    network, pictures = conv()
    for arguments, words in (
        (((8, 8),), r"shape = \(8, 8\): it must be \(channels"), (((1, 8, 8), -1), "padding = -1"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            CropAndFlip(*arguments)
    with pytest.raises(ValueError, match=r"shape of augment = \(1, 8, 9\): .* 64 numbers"):
        fit(network, pictures, steps=1, batch=20, augment=CropAndFlip((1, 8, 9)))
    with pytest.raises(ValueError, match="augment = 'crop'"):
        fit(network, pictures, steps=1, augment="crop")
    with pytest.raises(ValueError, match=r"augment = .*None for a task"):
        teacher = networks.mlp([4, 4], seeds=[0])
        task = data.LinearTeacher(4)
        fit(teacher, task, steps=1, loss="mse", augment=CropAndFlip((1, 2, 2)))
