"""The convolutional experiment in small: its settings, a run that is killed, a dry run."""

from __future__ import annotations

import json
import os
import signal
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from course import training
from course.experiments import EXPERIMENTS, grid, making, prediction, table
from course.experiments.settings import ConvGrid, Grid
from course_tests.kernels import python

SMALL = ConvGrid(
    data="digits", networks=("plain", "van"), depths=(10,), seeds=(0, 1), width=2, epochs=3,
    batch=20, rate=0.05, subset=60, padding=1, drops=(0.5,), evaluate_every=1,
)  # fmt: skip
"""Two cells on digits."""

PAPER = EXPERIMENTS["cifar"].settings


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("depths", (12,), "8 n"), ("depths", (2,), "8 n"),
        ("networks", ("looks-linear",), "one of"),
        ("drops", (0.5, 0.2), "rising"), ("drops", (1.5,), "finite number"),
        ("weight_decay", -1.0, ">= 0"), ("padding", -1, ">= 0"), ("multiplier", 1.0, "<= 0"),
        ("test_subset", 1, ">= 2"),
        ("ratio", 0.0, "> 0"), ("leave_at", 0, ">= 1"), ("precision", "float16", "one of"),
    ],
)  # fmt: skip
def test_bad_settings_are_named(name, value, words):
    with pytest.raises(ValueError, match=rf"^{name} = .*: it must be .*{words}"):
        SMALL.change(**{name: value})
    with pytest.raises(ValueError, match="-multiplier, with leave_at, = "):
        SMALL.change(leave_at=3, multiplier=0.0)


def test_the_page_is_the_papers():
    """Rate .1 divided by ten at epochs 82 and 125 of 165; eta' = eta / 10; both removal times."""
    how = making.how(PAPER, "van", pictures(), "cpu")
    per_epoch = 390
    steps = 165 * per_epoch
    rates = [how["schedule"](epoch * per_epoch, steps) for epoch in range(165)]
    assert rates == pytest.approx([1] * 82 + [0.1] * 43 + [0.01] * 40)
    assert how["schedule"](82 * per_epoch - 1, steps) == 1
    assert how["optimizer"] == training.SGD(0.1, 0.9, 0.0001) and how["batch"] == 128
    assert how["augment"].padding == 4 and how["mixed"] is False
    assert how["skips"] == training.Multipliers(ratio=0.1, multiplier=-1.0)
    later = making.how(PAPER.change(leave_at=120), "van", pictures(), "cpu")["skips"]
    assert later.rate == pytest.approx(0.1 * 9.685 / 120, rel=1e-3)
    assert "skips" not in making.how(PAPER, "resnet", pictures(), "cpu")
    linear = PAPER.change(drops=(), decay_from=0.6, padding=0)
    plain = making.how(linear, "plain", pictures(), "cpu")
    assert "linear" in repr(plain["schedule"]) and "augment" not in plain


def pictures():
    from course import data

    return data.digits().subset(60, 20)


def test_a_part_of_either_set_may_do():
    part = making.examples(SMALL.change(test_subset=30), None)
    assert (len(part.y_train), len(part.y_test)) == (60, 30)
    assert len(making.examples(SMALL, None).y_test) == 297


def test_killed_in_the_middle_it_comes_to_the_same_numbers(tmp_path):
    """SIGKILL after some steps: the same table, alpha residuals included."""
    whole = grid.run("cifar", SMALL, out=tmp_path / "whole", device="cpu", progress=False)
    assert whole is not None
    code = f"""
import os, signal, sys
from functools import partial
from course.experiments import grid, cells
from course.experiments.settings import ConvGrid
fit = partial(cells.training.fit, checkpoint_every=0.0)
def dying(*arguments, **options):
    for number, record in enumerate(fit(*arguments, **options)):
        yield record
        if number == 4:
            os.kill(os.getpid(), {int(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)})
cells.training.fit = dying
grid.run("cifar", ConvGrid(**{SMALL.as_dict()!r}), out=sys.argv[1], device="cpu", progress=False)
"""
    out = tmp_path / "killed"
    done = python(code, out)
    assert done.returncode != 0 and not list(out.glob("*.csv")), done.stderr
    again = grid.run("cifar", SMALL, out=out, device="cpu", progress=False)
    assert again is not None
    assert table.read(whole.path).header["depth_counts"] == "layers"
    for name, values in whole.columns.items():
        np.testing.assert_array_equal(again.columns[name], values, err_msg=name)
    van, plain = (whole.columns["network"] == name for name in ("van", "plain"))
    residual = whole.columns["alpha_residual"]
    assert (residual[van] >= 0).all() and np.isnan(residual[plain]).all()
    assert json.loads(json.dumps(SMALL.as_dict()))["leave_at"] is None


def test_a_prediction_counts_steps_and_evaluations(monkeypatch):
    """On a clock that says one second more each time: all that is timed takes a second."""
    ticks = count()
    settings = Grid(networks=("plain", "van"), depths=(1, 2, 3), seeds=1, epochs=4, batch=300)
    found = prediction.predict(settings, device="cpu", trial=8, clock=lambda: next(ticks))
    assert set(found.cells) == {(name, d) for name in ("plain", "van") for d in (1, 2, 3)}
    steps = 4 * (1500 // 300)
    assert found.cells == dict.fromkeys(found.cells, steps), "an evaluation takes no longer"
    assert found.seconds == 6 * steps + 1 and found.memory > 2**26 and found.gpu == 0
    half = prediction.predict(settings, device="cpu", trial=8, jobs=2, clock=lambda: next(ticks))
    assert half.seconds == 3 * steps + 1 and half.memory >= 3 * found.memory
    assert found.parameters == {
        (name, depth): 65 * 50 + depth * (50 * 51) + (depth + 1) * 100 + 510
        for name in ("plain", "van")
        for depth in (1, 2, 3)
    }
    with monkeypatch.context() as pretended:
        gpu = SimpleNamespace(device=lambda name: torch.device("cuda"), fit=prediction.training.fit)
        pretended.setattr(prediction, "training", gpu)
        shared = prediction.predict(
            settings, device="cpu", trial=8, jobs=2, clock=lambda: next(ticks)
        )
    assert shared.seconds == found.seconds, "two jobs share one GPU"
    text = str(found)
    assert "time     about 2 min" in text and "memory   about" in text and "GPU" not in text


@pytest.mark.parametrize(
    "seconds, words", [(3.2, "3 s"), (99, "99 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations(seconds, words):
    assert prediction.duration(seconds) == words
