"""What notebook 02 claims: where training breaks down, what rescues it, and the silent failure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from course import measures, training
from course.lessons.blow_up import (
    exercise,
    explorer,
    figures,
    pictures,
    science,
    short_chain,
)
from course.plots import style
from course_tests.claims import claim, seeds
from course_tests.corners import ends, visit

FRESH_20 = seeds(100, 20)
FRESH = FRESH_20[:10]


@pytest.mark.claims
def test_the_first_infinity_is_in_the_forward_pass() -> None:
    run = short_chain.train(1.2, rate=0.01, steps=4, seeds=FRESH)
    found = [run.first_nonfinite(k) for k in range(len(FRESH))]
    forward = [where is not None and where[2] in ("activation", "loss") for where in found]
    claim("chain: share broken by step 4, forward", forward, least=0.7)  # 1 ± 0
    typical = [where == (3, 2, "activation") for where in found]
    claim("chain: share broken at step 3 in layer 2", typical, least=0.5)  # .95 ± .2
    assert np.isfinite(run.slopes[0]).all()
    # 1 ± 0
    claim("chain: share with gradients over 1e20", run.gradients[1].min(-1) > 1e20, least=0.6)
    deep = science.digits_network(seeds=FRESH[:5])
    *_, record = science.train(deep, rate=0.03, steps=10)
    forward = [f is not None and f.what in ("activation", "loss") for f in record.first_nonfinite]
    claim("digits: share broken by step 10, forward", forward, least=0.6)  # 1 ± 0


@pytest.mark.claims
def test_gradients_outgrow_activations() -> None:
    for depth, weight in ((5, 1.5), (20, 1.2), (20, 2.0)):
        run = short_chain.train(weight, depth=depth, rate=0.0, steps=1, seeds=FRESH)
        higher = short_chain.train(2 * weight, depth=depth, rate=0.0, steps=1, seeds=FRESH)
        grown = np.log2(np.median(higher.gradients[0] / run.gradients[0])) / (2 * depth - 1)
        label = f"depth {depth}, weight {weight}: exponent over 2L - 1"
        claim(label, grown, least=0.88, most=1.12)  # 1.04 ± .001, 1 ± 1e-05, 1 ± 6e-09
        assert np.allclose(
            np.log2(higher.activations[0, :, -1] / run.activations[0, :, -1]), depth, rtol=0.001
        )


def test_the_backward_pass_comes_first_where_the_output_is_moderate() -> None:
    odd = science.chain([1e-30, 1e20, 1e20, 1.0], seeds=[100])
    record = next(science.train(odd, rate=0.01, steps=1))
    assert np.isfinite(record.loss).all()
    assert science.places(record, science.layer_numbers(odd)) == ["step 1, gradient of layer 1"]


@pytest.mark.claims
def test_nan_reaches_every_weight_but_those_behind_units_that_are_off() -> None:
    chain = science.chain(1.2, seeds=FRESH)
    shares = [science.broken_share(chain) for _ in science.train(chain, rate=0.01, steps=4)]
    assert shares[0].max() == 0
    claim("chain: broken share, step 2", shares[1].mean(-1), most=0.3)  # .0263 ± .1
    claim("chain: broken share, step 3", shares[2].mean(-1), least=0.8)  # 1 ± 0
    claim("chain: broken share, step 4", shares[3].mean(-1), least=0.8)  # 1 ± 0
    deep = science.digits_network(seeds=FRESH[:5])
    for _ in science.train(deep, rate=0.03, steps=40):
        pass
    share = science.broken_share(deep)
    share = share[share[:, -1] > 0]  # one run in 40 does not break in so few steps
    assert len(share) >= 1 and (share[:, 2:] == 1).all()
    claim("digits: broken share of layer 1", share[:, 0], most=0.5)  # .206 ± .1


@pytest.mark.claims
def test_a_lower_rate_and_clipping_save_the_chain_or_silence_it() -> None:
    slow = short_chain.typical_end(short_chain.train(1.2, rate=1e-4, steps=300, seeds=FRESH))
    claim("rate 0.0001: loss", slow, least=0.02, most=0.08)  # .0428 ± .002
    clipped = short_chain.train(1.2, rate=0.01, clip=1.0, steps=300, seeds=FRESH)
    claim("clip at 1: loss", short_chain.typical_end(clipped), most=0.015)  # .0105 ± 7e-04
    stuck = short_chain.train(1.2, rate=0.001, steps=300, seeds=FRESH)
    claim("rate 0.001: loss", short_chain.typical_end(stuck), least=1.2, most=1.9)  # 1.58 ± .06
    product = np.abs(stuck.weights[-1].astype(float).prod(axis=1))
    claim("rate 0.001: product of weights", product, most=1e-3)  # 6.0e-06 ± 2e-05


@pytest.mark.claims
@pytest.mark.repeats
def test_weight_decay_is_too_slow_for_a_blow_up() -> None:
    for decay in (0.01, 1.0, 50.0):
        optimizer = training.SGD(0.01, momentum=0.0, weight_decay=decay)
        loss, _ = science.chain_ends(1.2, optimizer, steps=30, seeds=FRESH)
        claim(f"weight decay {decay}: share of NaN", np.isnan(loss), least=0.7)  # 1 ± 0


@pytest.mark.claims
@pytest.mark.repeats
def test_rates_that_leave_a_chain_silent_and_starts_that_need_another_rate() -> None:
    for rate, clip in ((0.1, None), (0.2, None), (0.5, None), (0.1, 1.0)):
        optimizer = training.SGD(rate, momentum=0.0)
        _, slope = science.chain_ends(0.5, optimizer, clip=clip, seeds=FRESH)
        claim(f"rate {rate}, clip {clip}: slope", slope, most=1e-4)
    for rate, least, most in ((0.003, 0.4, 2.0), (0.01, 0.0, 0.1)):
        loss, _ = science.chain_ends(0.8, training.SGD(rate, momentum=0.0), seeds=FRESH)
        claim(f"start 0.8, rate {rate}: median loss", np.median(loss), least=least, most=most)


@pytest.mark.claims
def test_what_cures_a_silent_chain_and_what_breaks_it() -> None:
    loss, _ = science.chain_ends(0.5, training.SGD(1.0, momentum=0.0), seeds=FRESH)
    claim("rate 1: share of NaN", np.isnan(loss), least=0.7)
    for weight, optimizer in ((1.0, training.SGD(0.01, momentum=0.0)), (0.5, training.Adam(0.01))):
        loss, slope = science.chain_ends(weight, optimizer, seeds=FRESH)
        claim(f"start {weight}: slope", slope, least=1.8, most=2.2)
        claim(f"start {weight}: loss", loss, most=0.03)


@pytest.mark.claims
def test_a_start_of_one_and_a_half_needs_clipping() -> None:
    rates = np.logspace(-7, 0, 15)
    for clip in (None, 1.0):
        runs = short_chain.train(1.5, rate=rates, clip=clip, steps=300, seeds=FRESH)
        ends = short_chain.typical_end(runs).reshape(len(rates), len(FRESH))
        learns = (ends < 0.05).mean(axis=1).max()
        if clip is None:
            claim("share that learns at the best rate", learns, most=0.5)  # 0 ± 0
            claim("share of NaN", np.isnan(ends).mean(), least=0.1)  # .867 ± 0
        else:
            claim("clipped: share that learns at the best rate", learns, least=0.8)  # 1 ± 0
            assert np.isfinite(ends).all()


@pytest.mark.claims
@pytest.mark.repeats
def test_remedies_of_the_network_on_digits() -> None:
    ends = {
        name: list(science.digits_runs(name, seeds=FRESH_20))[-1]
        for name in science.DIGITS_REMEDIES
    }
    accuracy = {name: record.train_accuracy for name, record in ends.items()}
    broken = np.isnan(ends["as it was"].train_loss)  # type: ignore[arg-type]
    claim("as it was: share of NaN", broken, least=0.7)
    claim("He's start: accuracy", accuracy["He's start"], least=0.75)
    for name in ("rate 0.003", "clip at 3, rate 0.1"):
        claim(f"{name}: accuracy", accuracy[name], least=0.3)
        behind = np.median(accuracy["He's start"] - accuracy[name])  # type: ignore[operator]
        claim(f"He's start over {name}: median", behind, least=0.02)  # clipped .1, one .84


@pytest.mark.claims
def test_the_broken_network_is_mended_by_its_first_weights() -> None:
    torch_starts, he_starts = [], []
    for seed in FRESH[:5]:
        network = exercise.broken_network(seed)
        gradients = exercise.gradients_of(network)
        torch_starts.append(np.log10(gradients[0] / gradients[-1]))
        mended = exercise.solve_mend(exercise.broken_network(seed))
        he_starts.append(np.mean(exercise.train_network(mended)[-20:]))
    claim("gradients, first over last layer, log10", torch_starts, most=-2)
    claim("mended: loss", he_starts, most=1.5)
    stuck = exercise.train_network(exercise.broken_network(FRESH[0]))
    claim("as it was: loss", np.mean(stuck[-20:]), least=2.25)


@pytest.mark.claims
def test_the_silent_failure_answers_a_constant() -> None:
    chain = science.chain(0.5, seeds=FRESH)
    loss = np.array([record.loss for record in science.train(chain, rate=0.1, steps=200)])
    spread = science.outputs(chain, np.linspace(-1, 1, 21)).std(axis=1)
    claim("spread of answers", spread, most=1e-6)  # 5.6e-07 ± 4e-08
    off = np.abs(science.outputs(chain, [0.0]) - science.Line.mean)
    claim("answers, from the mean", off, most=0.3)  # .0663 ± .04
    rest = loss[50:].mean(0) / science.Line.variance
    claim("loss over the variance", rest, least=0.97, most=1.03)  # 1 ± .01
    moved = np.abs(science.parameters(chain).biases).mean(axis=0)
    claim("bias of the last layer", moved[-1], least=0.6)  # .768 ± .02
    claim("bias of the first layer", moved[0], most=2e-6)  # 1.1e-06 ± 5e-08
    assert (np.diff(moved) > 0).all()
    assert np.allclose(moved[:12] / moved[1:13], 0.5, rtol=0.02)


@pytest.mark.claims
def test_the_learning_rate_zero_test_tells_data_from_training() -> None:
    frozen = short_chain.without_steps(0.5, steps=300, seeds=FRESH).std(axis=0)
    ratio = frozen / np.sqrt((12.2 - (7 / 3) ** 2) / 32)
    claim("frozen: spread over the computed one", ratio, least=0.94, most=1.06)  # 1.01 ± .03
    for weight, rate, low, high in (
        (1.0, 0.01, 0.9, 1.1),
        (0.5, 0.1, 0.95, 1.05),
        (1, 0.04, 1.2, 99),
    ):
        chain = science.chain(float(weight), seeds=FRESH)
        spread = [
            np.array([r.loss for r in science.train(chain, rate=r, steps=150)])[50:].std(axis=0)
            for r in (rate, 0.0)
        ]
        ratio = np.log(np.median(spread[0] / spread[1]))  # of 8.1 ± 5 in the third
        margins = {"least": np.log(low), "most": np.log(high)}
        claim(f"weight {weight}, rate {rate}: spread over frozen, log", ratio, **margins)


@pytest.mark.parametrize(
    ("weight", "depth", "rate", "clip"),
    [(1.2, 20, 0.01, None), (1.2, 20, 0.003, None), (1.2, 20, 0.01, 1.0), (-0.9, 3, 0.05, 0.5),
     (2.0, 100, 0.1, None), (0.0, 2, 0.1, None), (1.3, 1, 0.1, None)],
)  # fmt: skip
def test_the_short_chain_is_the_trained_network(
    weight: float, depth: int, rate: float, clip: float | None
) -> None:
    """The same losses, weights, gradients, and place of the first infinity as `training.fit`."""
    steps = 55 if depth < 50 else 4  # 55: beyond the first block of examples
    ours = short_chain.train(weight, depth=depth, rate=rate, clip=clip, steps=steps, seeds=(3, 7))
    network = science.chain(weight, depth=depth, seeds=(3, 7))
    numbers = science.layer_numbers(network)
    watch = ("activations", "weight_gradients")
    records = list(science.train(network, rate=rate, clip=clip, steps=steps, watch=watch))
    for run, theirs in enumerate(records[-1].first_nonfinite):
        where = ours.first_nonfinite(run)
        if theirs is None:
            assert where is None
        else:
            assert where == (theirs.step, numbers.get(theirs.layer, depth + 1), theirs.what)
        sound = int(ours.survived[run])
        loss = np.array([record.loss[run] for record in records[:sound]])
        assert np.allclose(ours.loss[:sound, run], loss, rtol=2e-3, atol=1e-5)
        norms = [r.norms["weight_gradients"][run] for r in records[:sound]]  # type: ignore[index]
        found = ours.gradients[:sound, run]
        assert np.allclose(found, np.array(norms).reshape(sound, depth), rtol=2e-3, atol=1e-4)
        if sound == steps:
            theirs_weights = science.parameters(network).weights[run]
            assert np.allclose(ours.weights[-1, run], theirs_weights, rtol=1e-3, atol=1e-5)


def test_several_rates_at_once_are_the_single_ones() -> None:
    rates = (0.001, 0.02)
    both = short_chain.train(1.1, depth=6, rate=rates, clip=2.0, steps=10, seeds=(0, 1, 2))
    for k, rate in enumerate(rates):
        one = short_chain.train(1.1, depth=6, rate=rate, clip=2.0, steps=10, seeds=(0, 1, 2))
        here = slice(3 * k, 3 * k + 3)
        assert np.allclose(both.loss[:, here], one.loss, rtol=1e-4)
        assert np.allclose(both.weights[:, here], one.weights, rtol=1e-4)


def test_a_rate_of_zero_is_the_closed_form() -> None:
    run = short_chain.train(0.8, depth=7, rate=0.0, steps=8, seeds=(1, 2))
    frozen = short_chain.without_steps(0.8, depth=7, steps=8, seeds=(1, 2))
    assert np.allclose(run.loss, frozen, rtol=1e-4) and (run.survived == 8).all()


def test_the_line_is_what_it_says() -> None:
    x, y = science.Line().draw(0, torch.Generator().manual_seed(0), 100_000)
    assert x.min() >= -1 and x.max() <= 1 and abs(float(x.mean())) < 0.01
    assert np.isclose(float((y - 2 * x - 1).std()), 0.1, rtol=0.02)
    assert np.isclose(float(y.var()), science.Line.variance, rtol=0.02)
    assert np.isclose(float(y.mean()), science.Line.mean, rtol=0.02)


def test_the_chain_learns_by_plain_descent_on_batches_of_32() -> None:
    network = science.chain([0.5, -1.0], seeds=[5])
    x, y = (part[0, 0] for part in short_chain.examples((5,), 1))
    record = next(science.train(network, rate=0.1, steps=1))
    error = -0.5 * x - y
    assert len(x) == science.BATCH and np.isclose(record.loss[0], np.mean(error**2), rtol=1e-5)
    slopes = np.array([np.mean(2 * error * x * -1.0), np.mean(2 * error * x * 0.5)])
    found = science.parameters(network)
    assert np.allclose(found.weights[0], [0.5, -1.0] - 0.1 * slopes, rtol=1e-4)
    assert np.isclose(found.biases[0, 1], -0.1 * np.mean(2 * error), rtol=1e-4)


def test_the_extremes_of_all_controls_neither_fail_nor_warn() -> None:
    panel = explorer.explore()
    first = panel.text
    places = ends(
        panel, depth=(1, 100), weight=(-2.0, 0.0, 2.0), rate=(1e-6, 1.0), clip=(False, True)
    )
    texts, _ = visit(panel, places)
    assert len(set(texts)) == len(places) == 10
    panel.new_draw()
    assert panel.text != first


def test_the_words_tell_what_becomes_of_it() -> None:
    panel = explorer.explore(depth=20)

    def text(**values: object) -> str:
        panel.reset()
        for name, value in values.items():
            panel.controls[name].value = value
        return panel.text

    assert "It blew up." in text() and "first at step 3: the activation of layer 2." in text()
    assert "It has learned the line." in text(clip=True) and "clipped at 1" in text(clip=True)
    assert "Silent" in text(weight=0.5, rate=0.1) and "Silent" in text(rate=0.001)
    assert "not learned the line yet" in text(rate=1e-5)
    assert "Some blew up. Of the others" in text(rate=0.003)
    assert "Everything stays finite." in text(depth=1)
    with pytest.raises(ValueError, match="weight"):
        explorer.explore(weight=3.0)


def test_what_float32_cannot_hold_is_not_finite_at_rate_0_either() -> None:
    text = explorer.explore(depth=100, weight=2.0).text
    assert "Loss not finite at the start" in text and "At rate 0 it would be not finite." in text
    assert "5.29" not in text  # times 10^59, in float64


def test_axes_stay_in_place_and_a_broken_run_ends_with_a_cross() -> None:
    fig, axes = style.figure(11.0, 4.0, ncols=3)
    panels = pictures.Training(fig, axes)
    loss = np.array([[1.0], [1e30], [np.inf], [np.nan]])
    panels.show(loss, np.ones((4, 1)), [np.array([1.0, -2.0])] * 2, [np.array([0.0, np.nan])] * 2)
    _, _, crosses = panels.band
    assert list(np.asarray(crosses.get_xdata())) == [3]
    assert list(np.asarray(panels.weights[0].line.get_ydata())) == [1.0, 2.0]
    assert list(np.asarray(panels.gradients[0].high.get_xdata())) == [2]
    fig.canvas.draw()


def test_a_live_run_of_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_WAIT", "1")
    run = explorer.watch(["as it was", "He's start"], steps=20)
    assert run.done and [len(part) for part in run.history.values()] == [20, 20]
    broken = [first for first in run.history["as it was"][-1].first_nonfinite if first]
    assert len(broken) >= 10 and f"Not finite in {len(broken)}" in run._picture.caption


def test_the_exercises_accept_the_right_and_hint_at_the_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def half(h: Any, weights: Any, g: Any) -> Any:
        dW, db = exercise.solve_backward(h, weights, g)
        return dW, [part / len(g) for part in db]

    def local(h: Any, weights: Any, g: Any) -> Any:
        return [part.T @ g for part in h[:-1]], [g.sum(axis=0) for _ in weights]

    for backward in (exercise.solve_backward, half, local, lambda *_: ..., lambda *_: ([...], [])):
        exercise.check_backward(backward)
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("backward: ")]
    assert "right in all 3 cases" in said[0] and "sum g over them" in said[1]
    assert "multiply by W transposed" in said[2]
    assert "not yet" in said[3] and "not yet" in said[4]
    exercise.check_step(exercise.solve_step)
    exercise.check_step(lambda w, b, x, y, rate: exercise.solve_step(w, b, x, y, -rate))
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("step: right") and "against the gradient" in said[-2]
    assert "trained as above: cost 5e+02, 1e+36, inf, nan." in "\n".join(said)


def test_the_repair_is_checked_by_training(capsys: pytest.CaptureFixture[str]) -> None:
    def said(cause: object, mend: Any) -> str:
        exercise.check_repair(cause, mend)
        return capsys.readouterr().out

    assert said(..., lambda network: ...).count("not yet") == 2
    assert "'stalls', expected 'learns'. What multiplies" in said("exploding", lambda net: net)
    right = said("vanishing", exercise.solve_mend)
    assert "cause: right." in right and "mend: right" in right and "in the first layer" in right

    def huge(network: torch.nn.Sequential) -> torch.nn.Sequential:
        for layer in network:
            if isinstance(layer, torch.nn.Linear):
                torch.nn.init.normal_(layer.weight)
        return network

    assert "exactly 0?" in said("units off", exercise.solve_mend)
    assert "'blows up', expected 'learns'. Too much." in said("vanishing", huge)
    assert "Return the network" in said("vanishing", lambda network: [network])


def test_figures_keep_what_is_not_finite_in_sight() -> None:
    sizes = np.array([[1.0, 1e30, np.inf, np.nan]])
    fig, words = figures.three_steps([{"activations": sizes, "weight_gradients": sizes}])
    assert "step 1: 1e+00 to nan and 1e+00 to nan." in words
    assert list(fig.axes[0].lines[1].get_xdata()) == [3, 4]
    fig.canvas.draw()
    run = short_chain.train(0.5, steps=1, seeds=[100])
    weights, biases = figures.silent(run)[0].axes[0].lines
    assert np.ptp(np.log10(weights.get_ydata())) < 1e-3
    assert np.allclose(np.diff(np.log2(biases.get_ydata())), 1, atol=1e-3)
    network = exercise.broken_network()
    with measures.Probe(network) as probe:
        network(torch.randn(8, 64)).sum().backward()
    fig, words = figures.monitor({"one": probe.parameters()})
    assert "one" in words and len(fig.axes[0].lines[0].get_xdata()) == 13


def test_training_takes_other_settings_of_fit() -> None:
    network = science.digits_network(depth=1, width=4, seeds=[0])
    records = list(science.train(network, rate=0.1, steps=6, record_every=3, evaluate_every=6))
    assert [record.step for record in records] == [3, 6]
    assert isinstance(records[0], training.Record) and records[1].train_accuracy is not None


def test_where_a_short_run_broke_down_is_told_in_the_order_of_computing() -> None:
    """One run of two steps and four layers, broken by hand in the second step."""
    parts = {
        "loss": np.ones((2, 1), np.float32), "weights": np.ones((3, 1, 4), np.float32),
        "slopes": np.ones((2, 1, 4, 2), np.float32), "activations": np.ones((2, 1, 4), np.float32),
    }  # fmt: skip
    run = short_chain.ShortRun(**parts)
    assert run.first_nonfinite(0) is None
    parts["weights"][2, 0, 1:3] = np.inf
    assert run.first_nonfinite(0) == (2, 2, "weight")
    parts["slopes"][1, 0, 0:3] = np.nan
    assert run.first_nonfinite(0) == (2, 3, "gradient")  # the backward pass starts at the end
    parts["loss"][1] = np.inf
    assert run.first_nonfinite(0) == (2, 5, "loss")
    parts["activations"][1, 0, 1:] = np.nan
    assert run.first_nonfinite(0) == (2, 2, "activation")
