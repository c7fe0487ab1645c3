"""The probe sees what is there, changes nothing, and leaves nothing behind."""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import _len_torch_function_stack

from course import data, measures, networks, training
from course.measures import Probe, activations
from course.measures.activations import MEASURES, RANKS
from course_tests import small

COLUMNS = (*MEASURES, *RANKS, "neighbours", "saturated", "dead", "gradient")


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def loss_of(outputs, y) -> Any:
    """Sum over the replicas of each one's mean loss, as in training."""
    outputs = outputs if outputs.dim() == 3 else outputs[None]
    return sum(functional.cross_entropy(replica, y) for replica in outputs)


def hooks(module):
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(child, kind)) for child in module.modules() for kind in kinds)


class Functional(nn.Module):
    """A student's network: activations as functions, in place, one module used twice."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.act = nn.ReLU(inplace=True)
        self.hidden = nn.Linear(8 * 36, 20)
        self.head = nn.Linear(20, 10)

    def forward(self, x):
        h = self.act(self.conv(x))
        h = self.act(h - 1)
        h = torch.tanh(self.hidden(h.flatten(1)))
        return self.head(functional.hardtanh(h, -0.05, 0.05))


@pytest.mark.parametrize("name", networks.ARCHITECTURES)
def test_every_replica_is_measured_as_if_it_were_alone(name):
    x, y = noise(30, 6), torch.arange(30) % 3
    tables = []
    for seeds in ((0, 1, 2), (1,)):
        network: Any = small.build(name, seeds=seeds)
        with Probe(network, labels=y) as probe:
            loss_of(network(x), y).backward()
        tables.append(probe.table())
    assert [record["layer"] for record in tables[0]] == [
        "stem",
        *map("block {}".format, (1, 2, 3)),
        "head",
    ]
    for three, one in zip(*tables, strict=True):
        for column in COLUMNS:
            assert three[column].shape == (3,) and three[column].dtype == np.float64
            np.testing.assert_allclose(three[column][1], one[column][0], rtol=2e-4, atol=1e-6)


def test_measures_are_those_of_the_activations_and_gradients():
    x, y = noise(30, 6), torch.arange(30) % 3
    network: Any = small.build("plain", activation="tanh", dtype=torch.float64)
    with Probe(network, labels=y) as probe:
        loss_of(network(x.double()), y).backward()
    record = probe.table()[1]
    z = network.blocks[0].norm(
        network.blocks[0].linear(network.stem(network.replicated(x.double())))
    )
    h: Any = torch.tanh(z).detach().requires_grad_()
    loss_of(network.head(network.blocks[2](network.blocks[1](h))), y).backward()
    np.testing.assert_allclose(record["mean"], h.detach().mean((1, 2)))
    np.testing.assert_allclose(record["sd"], h.detach().std((1, 2), correction=0))
    np.testing.assert_allclose(record["norm"], h.detach().square().sum(2).mean(1).sqrt())
    np.testing.assert_allclose(record["effective_rank"], measures.effective_rank(h))
    np.testing.assert_allclose(record["participation_ratio"], measures.participation_ratio(h))
    np.testing.assert_allclose(record["cosine"], measures.mean_cosine(h))
    np.testing.assert_allclose(record["neighbours"], measures.nearest_neighbour_accuracy(h, y))
    np.testing.assert_allclose(record["saturated"], (z.abs() > 2.1783).double().mean((1, 2)))
    assert record["activation"] == "tanh" and (record["dead"] == 0).all()
    own = 30 * h.grad  # of each sample's own loss
    np.testing.assert_allclose(record["gradient"], own.square().sum(2).mean(1).sqrt())


def test_gradients_and_norms_agree_with_what_training_records():
    network, task = small.build("resnet"), small.blobs()
    options: dict[str, Any] = dict(
        steps=2, batch=120, watch=("activations", "gradients"), device="cpu"
    )
    with Probe(network) as probe:
        record = next(iter(training.fit(network, task, **options)))
        table = probe.table()
    norms = np.stack([layer["norm"] for layer in table], 1)
    gradients = np.stack([layer["gradient"] for layer in table], 1)
    found: Any = record.norms
    np.testing.assert_allclose(found["gradients"], gradients, rtol=1e-4)
    np.testing.assert_allclose(found["activations"], norms, rtol=1e-4)


@pytest.mark.parametrize("name", ["plain", "highway", "van"])
def test_outputs_gradients_and_statistics_are_bit_for_bit_the_same_with_a_probe(name):
    x, y = noise(30, 6), torch.arange(30) % 3
    one, two = small.build(name), small.build(name)
    with Probe(two, labels=y) as probe:
        loss_of(two(x), y).backward()
        probe.table()
    loss_of(one(x), y).backward()
    for key, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[key])
    for mine, theirs in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(mine.grad, theirs.grad)


@pytest.mark.parametrize("where", ["body", "forward", "backward", "nowhere"])
def test_no_hook_is_left_behind(where):
    module = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
    handle = module[0].register_forward_hook(lambda *call: None)  # somebody else's
    modes = _len_torch_function_stack()
    probe = Probe(module)
    try:
        with probe:
            y = module(noise(5, 6))
            assert hooks(module) > 1
            if where == "body":
                raise KeyError
            if where == "forward":
                module(noise(5, 7))
            if where == "backward":
                y.backward()  # not a number: refused
    except (KeyError, RuntimeError):
        assert where != "nowhere"
    assert hooks(module) == 1 and _len_torch_function_stack() == modes
    y.sum().backward()  # a graph that outlives the probe tells it nothing more
    assert all(np.isnan(record["gradient"]).all() for record in probe.table())
    handle.remove()


def test_a_failed_forward_pass_does_not_confuse_the_next():
    module = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    with Probe(module) as probe:
        with pytest.raises(RuntimeError):
            module(noise(5, 7))
        torch.relu(noise(2, 2))  # outside of the module: none of the probe's business
        module(noise(5, 6))
        torch.relu(noise(2, 2))
    assert [record["layer"] for record in probe.table()] == ["0", "1"]


def test_a_probe_can_be_used_again_but_not_twice_at_once():
    module = nn.Linear(3, 2)
    probe = Probe(module)
    with probe:
        with pytest.raises(RuntimeError, match="in use"), probe:
            pass
        module(noise(4, 3))
    with probe:
        module(noise(7, 3))
    assert [record["shape"] for record in probe.table()] == [(7, 2)]
    assert hooks(module) == 0


def test_activations_called_as_functions_in_place_and_twice_are_seen():
    torch.manual_seed(0)
    network: Any = Functional()
    with torch.no_grad():
        network.conv.bias[:4] = -50.0  # four dead channels
    x = noise(12, 1, 8, 8)
    with Probe(network) as probe:
        loss_of(network(x), torch.arange(12) % 10).backward()
    table = {record["layer"]: record for record in probe.table()}
    assert list(table) == ["conv", "act", "act (2)", "hidden", "tanh", "hard-tanh", "head"]
    assert [record["activation"] for record in table.values()] == [
        "", "relu", "relu", "", "tanh", "hard-tanh", "",
    ]  # fmt: skip
    assert table["act"]["dead"] == 0.5 and table["act (2)"]["dead"] >= 0.5
    assert math.isnan(table["conv"]["dead"][0]) and math.isnan(table["head"]["saturated"][0])
    h = network.conv(x)
    assert table["conv"]["mean"] == pytest.approx(h.mean().item(), rel=1e-5)
    assert table["conv"]["shape"] == (12, 8, 6, 6)
    assert table["act"]["saturated"] == pytest.approx((h <= 0).double().mean().item())
    t = torch.tanh(network.hidden(functional.relu(functional.relu(h) - 1).flatten(1)))
    outside = (t.abs() >= 0.05).double().mean().item()
    assert 0.1 < outside < 0.9
    assert table["hard-tanh"]["saturated"] == pytest.approx(outside)
    assert all(record["gradient"] > 0 for record in table.values())


class Attentive(nn.Module):
    """Attention, a layer with weight norm that is used twice, and an activation that is shared."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mix = nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))
        self.again, self.act, self.skip = self.mix, nn.Tanh(), nn.Identity()
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        h = self.skip(x) + self.attention(x, x, x)[0]
        h = self.act(self.again(self.act(self.mix(h))))
        return {"logits": self.head(h.mean(1)), "aux": [None]}


@pytest.mark.parametrize("training", [True, False])
def test_attention_parametrized_and_shared_layers_are_layers(training):
    torch.manual_seed(0)
    network: Any = Attentive().train(training)
    x = noise(12, 5, 8)
    with Probe(network) as probe:
        loss_of(network(x)["logits"], torch.arange(12) % 10).backward()
    table = {record["layer"]: record for record in probe.table()}
    assert list(table) == ["attention", "mix", "act", "mix (2)", "act (2)", "head"]
    assert table["attention"]["shape"] == table["mix (2)"]["shape"] == (12, 5, 8)
    attended = network.attention(x, x, x)[0]
    assert table["attention"]["mean"] == pytest.approx(attended.mean().item(), rel=1e-4)
    assert all(record["gradient"] > 0 for record in table.values())


def test_blocks_are_judged_by_the_activation_inside():
    network: Any = small.build("resnet", norm=None)
    with torch.no_grad():
        network.blocks[1].residual.linear.weight.zero_()
        network.blocks[0].residual.linear.bias[1] = -1e6  # all units of replica 1 off from here
    with Probe(network) as probe:
        network(noise(20, 6))
    table = {record["layer"]: record for record in probe.table()}
    assert table["stem"]["activation"] == "" and table["head"]["activation"] == "relu"
    assert table["block 2"]["dead"].tolist() == [pytest.approx(0, abs=0.5), 1]
    assert table["block 2"]["saturated"][1] == 1


@pytest.mark.parametrize("measure", [["mean"], ["neighbours", "norm"], []])
def test_chosen_layers_and_measures(measure):
    network: Any = small.build()
    names = ["blocks.1.linear", "head", "block 1"]
    with Probe(network, layers=names, measure=measure) as probe:
        network(noise(5, 6))
    table = probe.table()
    assert [record["layer"] for record in table] == ["block 1", "blocks.1.linear", "head"]
    about = {"layer", "kind", "activation", "shape", "saturated", "dead", "gradient", "backward"}
    assert all(set(record) == about | set(measure) for record in table)


def test_samples_limits_the_measures_to_the_first():
    module, x, y = nn.Linear(6, 4), noise(50, 6), torch.arange(50) % 2
    with Probe(module, labels=y, samples=10) as probe:
        module(x)
    (record,) = probe.table()
    assert record["shape"] == (50, 4)
    assert record["mean"] == pytest.approx(module(x[:10]).mean().item(), rel=1e-5)
    expected = measures.nearest_neighbour_accuracy(module(x[:10]), y[:10])
    assert record["neighbours"] == expected.numpy()


def test_update_to_weight_ratios_per_replica():
    network: Any = small.build()
    x, y = noise(30, 6), torch.arange(30) % 3
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    with Probe(network) as probe:
        loss_of(network(x), y).backward()
        old = {name: p.detach().clone() for name, p in network.named_parameters()}
        optimizer.step()
        records = {record["parameter"]: record for record in probe.parameters()}
        assert list(records) == list(old)
        for name, parameter in network.named_parameters():
            weight = old[name].flatten(1).norm(dim=1)
            gradient = parameter.grad.flatten(1).norm(dim=1)
            np.testing.assert_allclose(records[name]["gradient"], gradient, rtol=1e-5)
            np.testing.assert_allclose(
                records[name]["update"], 0.1 * gradient, rtol=1e-2, atol=1e-7
            )
            expected = records[name]["update"][weight > 0] / weight[weight > 0].numpy()
            np.testing.assert_allclose(records[name]["ratio"][weight > 0], expected, rtol=1e-4)
        assert (records["stem.norm.shift"]["ratio"] == math.inf).all()  # it started at 0
        probe.mark()
        assert all((record["ratio"] == 0).all() for record in probe.parameters())
    optimizer.zero_grad()
    assert all(np.isnan(record["gradient"]).all() for record in probe.parameters())


def test_nan_is_recorded_where_it_is_and_nowhere_else():
    network: Any = small.build(norm=None)
    x, y = noise(30, 6), torch.arange(30) % 3
    with torch.no_grad():
        network.blocks[1].linear.weight[1, 2, 3] = math.nan
    with Probe(network, labels=y) as probe:
        loss_of(network(x), y).backward()
    table = {record["layer"]: record for record in probe.table()}
    assert [record["nonfinite"][1] > 0 for record in table.values()] == [
        False,
        False,
        True,
        True,
        True,
    ]
    for record in table.values():
        for column in (*MEASURES, *RANKS, "neighbours", "gradient"):
            assert math.isfinite(record[column][0])
    for column in ("mean", "norm", "cosine", "effective_rank", "neighbours", "dead"):
        assert math.isnan(table["block 2"][column][1])
        assert math.isfinite(table["block 1"][column][1])
    assert math.isnan(table["stem"]["gradient"][1])
    record = next(r for r in probe.parameters() if r["parameter"] == "blocks.1.linear.weight")
    assert math.isnan(record["weight"][1]) and math.isnan(record["ratio"][1])
    assert math.isfinite(record["weight"][0]) and record["ratio"][0] == 0


def test_without_a_backward_pass_there_is_no_gradient():
    network: Any = small.build()
    with Probe(network) as probe, torch.no_grad():
        network(noise(5, 6))
    assert all(np.isnan(record["gradient"]).all() for record in probe.table())


def backward_words(records):
    return [record["backward"] for record in records]


def chain():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))


class Cut(nn.Module):
    """A chain that is detached behind its first layer, and has one that nothing depends on."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.unused = (nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        h = self.first(x)
        self.unused(h)
        return self.second(h.detach())


def test_the_table_tells_why_there_is_no_gradient():
    module, x = chain(), noise(5, 6)
    with Probe(module) as probe:
        module(x)
    assert backward_words(probe.table()) == ["no backward pass"] * 3
    assert backward_words(probe.parameters()) == ["no backward pass"] * 4
    with Probe(module) as probe, torch.no_grad():
        module(x)
    assert backward_words(probe.table()) == ["no history"] * 3
    with Probe(module) as probe:
        module(x).sum().backward()
        assert backward_words(probe.table()) == ["finite"] * 3
        module.zero_grad()
        assert backward_words(probe.table()) == ["finite"] * 3  # the signals' gradients stay
        assert backward_words(probe.parameters()) == ["cleared"] * 4
        module(x)
        assert backward_words(probe.table()) == ["no backward pass"] * 3, "since this pass"
    with torch.no_grad():
        module[2].weight[0, 0] = math.nan
    with Probe(module) as probe:
        module(x).sum().backward()
    assert backward_words(probe.table()) == ["not finite", "not finite", "finite"]
    assert all(np.isnan(record["gradient"]).all() for record in probe.table()[:2])
    assert backward_words(probe.parameters()) == ["not finite"] * 2 + ["finite"] * 2


@pytest.mark.parametrize("layers", [None, ["first"]])
def test_detached_and_unused_layers_are_told_from_a_missing_backward_pass(layers):
    cut = Cut()
    with Probe(cut, layers=layers) as probe:
        cut(noise(5, 6)).sum().backward()
    words = {record["layer"]: record["backward"] for record in probe.table()}
    assert words.pop("first") == "detached or unused"
    if layers is None:
        assert words == {"second": "finite", "unused": "detached or unused"}
    assert [record["backward"] for record in probe.parameters()] == [
        "not accumulated", "not accumulated", "finite", "finite", "not accumulated",
        "not accumulated",
    ]  # fmt: skip


def test_the_parameters_tell_what_became_of_their_gradients():
    module, x = chain(), noise(5, 6)
    module[0].requires_grad_(False)
    module(x).sum().backward()
    with Probe(module) as probe:
        module(x)
        assert backward_words(probe.parameters()) == ["frozen"] * 2 + ["earlier"] * 2
        module(x).sum().backward()
        assert backward_words(probe.parameters()) == ["frozen"] * 2 + ["finite"] * 2
        module.zero_grad(set_to_none=False)
        assert backward_words(probe.parameters()) == ["frozen"] * 2 + ["cleared"] * 2
    module.zero_grad()
    with Probe(module) as probe:
        torch.autograd.grad(module(x).sum(), list(module[2].parameters()))
    assert backward_words(probe.parameters()) == ["frozen"] * 2 + ["not accumulated"] * 2
    assert not any(p._post_accumulate_grad_hooks for p in module.parameters())  # type: ignore


class Bypass(nn.Module):
    """Uses a layer's weight without calling the layer."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 3)

    def forward(self, x):
        return functional.linear(x, self.linear.weight)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda module, x: None, r"no forward pass of this Sequential.*call this very module"),
        (lambda module, x: module.forward(x), r"only calls of its layers \('0', '1', '2'\): call"),
        (lambda module, x: module[2](module[1](module[0](x))), r"not module.forward\(x\)"),
        (lambda module, x: module[0](x), r"layers \('0'\)"),
        (lambda module, x: compiled("trace")(x), r"no forward pass of this Sequential.*torch.jit"),
    ],
    ids=["nothing", "forward", "all layers", "one layer", "traced"],
)
def test_a_table_without_a_forward_pass_says_what_was_seen(call, said):
    module, x = chain(), noise(5, 6)
    probe = Probe(module)
    with pytest.raises(RuntimeError, match="no forward pass"):
        probe.table()
    with probe:
        call(module, x)
    with pytest.raises(RuntimeError, match=said):
        probe.table()
    with probe:
        module(x)
    assert len(probe.table()) == 3
    with probe:
        call(module, x)
    with pytest.raises(RuntimeError, match=said):
        probe.table()  # the pass of an earlier `with` doesn't count


def compiled(how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would have everybody use torch.compile
        return (
            torch.jit.script(chain()) if how == "script" else torch.jit.trace(chain(), noise(5, 6))
        )


@pytest.mark.parametrize("how", ["script", "trace"])
def test_what_torch_jit_compiled_is_refused_by_name(how):
    with pytest.raises(ValueError, match=r"layer = '\w+': it must be as it was before torch.jit"):
        Probe(compiled(how))
    with pytest.raises(ValueError, match=r"layer = '1"):
        Probe(nn.Sequential(nn.Tanh(), compiled(how)))


@pytest.mark.parametrize("module", [Bypass(), nn.Identity()])
def test_a_pass_in_which_no_layer_ran_is_said(module):
    with Probe(module) as probe:
        module(noise(5, 6))
    with pytest.raises(RuntimeError, match=r"was called, but none of the layers that are watched"):
        probe.table()


class Often(nn.Module):
    def __init__(self, times):
        super().__init__()
        self.cell, self.times = nn.Linear(2, 2), times

    def forward(self, x):
        for _ in range(self.times):
            x = torch.tanh(self.cell(x))
        return x


def test_the_cost_of_a_call_does_not_grow_with_the_calls_before():
    """Python lines that the probe runs in a pass, counted: no clock."""

    def lines(times):
        module, count = Often(times), 0

        def trace(frame, event, argument):
            nonlocal count
            if "measures" not in frame.f_code.co_filename:
                return None
            count += event == "line"
            return trace

        with Probe(module, measure=[]) as probe:
            previous = sys.gettrace()
            sys.settrace(trace)
            try:
                module(noise(3, 2)).sum().backward()
                assert len(probe.table()) == 2 * times
            finally:
                sys.settrace(previous)
        assert probe.table()[-1]["layer"] == (f"tanh ({times})" if times > 1 else "tanh")
        return count

    ten, forty, eighty = lines(10), lines(40), lines(80)
    assert eighty - forty == pytest.approx((forty - ten) * 4 / 3, rel=0.01)


def test_large_outputs_are_measured_as_small_ones(monkeypatch):
    """All numbers count in sizes and gradients; ranks, cosine, neighbours see some, and say so."""
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))
    x, y = noise(40, 3, 20, 20), torch.arange(40) % 2
    x[:, :, ::3] *= 1 + y[:, None, None, None]
    tables = []
    for units, chunk in ((1 << 20, 1 << 20), (1000, 3000)):
        monkeypatch.setattr(activations, "UNITS", units)
        monkeypatch.setattr(measures.representations, "CHUNK", chunk)
        activations._some.cache_clear()
        before = torch.get_rng_state()
        with Probe(module, labels=y) as probe:
            module(x).square().mean().backward()
        assert torch.equal(before, torch.get_rng_state())
        tables.append(probe.table())
    activations._some.cache_clear()
    for whole, part in zip(*tables, strict=True):
        for column in ("mean", "sd", "norm", "nonfinite", "saturated", "dead", "gradient"):
            np.testing.assert_allclose(part[column], whole[column], rtol=1e-6, err_msg=column)
        for column in RANKS:
            np.testing.assert_allclose(part[column], whole[column], rtol=0.1)
            assert part[column] != whole[column]
        assert part["cosine"] == pytest.approx(whole["cosine"], abs=0.02)
        assert part["neighbours"] == pytest.approx(whole["neighbours"], abs=0.25)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_one_bad_number_among_many_is_never_missed(bad, monkeypatch):
    monkeypatch.setattr(activations, "UNITS", 10)
    activations._some.cache_clear()
    module, x = nn.Conv2d(1, 4, 3), noise(6, 1, 30, 30)
    x[5, 0, 29, 29] = bad
    with Probe(module) as probe:
        module(x)
    activations._some.cache_clear()
    (record,) = probe.table()
    assert record["nonfinite"] == pytest.approx(4 / (6 * 4 * 28 * 28))
    assert np.isnan(record["norm"]).all() and not np.isfinite(record["mean"]).any()


def test_one_sample_one_unit_tuples_and_sequences():
    module = nn.LSTM(3, 1)
    with Probe(module) as probe:
        module(noise(4, 1, 3))
    (record,) = probe.table()
    assert record["kind"] == record["layer"] == "LSTM" and record["shape"] == (4, 1, 1)
    with Probe(nn.Linear(3, 1)) as probe:
        probe.module(noise(1, 3))
    (record,) = probe.table()
    assert record["effective_rank"] == 0 and math.isnan(record["cosine"][0])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (dict(layers=["block 4"]), "layers = 'block 4'"),
        (dict(measure=["entropy"]), "measure = 'entropy'"),
        (dict(samples=0), "samples = 0"),
        (dict(labels=3), "labels"),
    ],
)
def test_bad_arguments_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        Probe(small.build(), **options)


def test_labels_that_fit_no_layer_and_things_that_are_no_module_are_refused():
    network: Any = small.build()
    with Probe(network, labels=torch.zeros(9)) as probe:
        network(noise(5, 6))
    with pytest.raises(ValueError, match=r"shape of labels = \(9,\)"):
        probe.table()
    with pytest.raises(ValueError, match="module = 3"):
        Probe(3)  # type: ignore[arg-type]


def deep_table(name, **options):
    digits = data.digits()
    x, y = torch.as_tensor(digits.x_train[:400]), torch.as_tensor(digits.y_train[:400])
    size: dict[str, Any] = dict(inputs=64, width=50, depth=30, outputs=10, seeds=range(3))
    network = networks.build(name, **{**size, **options})
    with Probe(network, labels=y) as probe:
        loss_of(network(x), y).backward()
    return probe.table()


def test_with_batch_norm_gradients_explode_and_neighbours_are_forgotten():
    """At the start, 30 layers: what the lessons' claims find with other measures of their own."""
    table = deep_table("plain")
    gradients = np.stack([record["gradient"] for record in table])
    growth = (gradients[5] / gradients[25]) ** (1 / 20)
    assert growth.mean() == pytest.approx(math.sqrt(math.pi / (math.pi - 1)), abs=0.03)
    assert table[-2]["neighbours"].mean() < 0.2 and table[0]["neighbours"].mean() > 0.85
    assert table[-2]["effective_rank"].mean() > 25  # of 50: no collapse


def test_without_batch_norm_signals_collapse_or_vanish():
    """At the start, 30 layers: He without norm gives participation ratio 1.2, cosine .97."""
    last = deep_table("plain", norm=None, init="he_normal")[-2]
    assert last["participation_ratio"].mean() < 1.8 and last["cosine"].mean() > 0.9
    table = deep_table("plain", norm=None)
    assert (table[-2]["gradient"] / table[0]["gradient"] > 1e6).all()
    growth = (table[25]["gradient"] / table[5]["gradient"]) ** (1 / 20)
    assert growth.mean() == pytest.approx(2.5, abs=0.4)


@pytest.mark.parametrize(
    ("activation", "law", "bounds"),
    [
        ("relu", "he_normal", (0.9, 2.0)),
        ("tanh", "lecun_normal", (2, 4.5)),
        ("tanh", "orthogonal", (80, 90)),
        ("hard-tanh", "orthogonal", (80, 90)),
    ],
)
def test_hidden_representations_lose_dimensions_unless_orthogonal_and_odd(activation, law, bounds):
    """Participation ratio at depth 50 measured 1.2, 3.1, 85 and 85; 85 in the input."""
    network = networks.mlp([128] * 52, seeds=range(2), activation=activation, init=law, bias=False)
    x = noise(256, 128, seed=1)
    assert measures.participation_ratio(x).item() == pytest.approx(85, abs=2)
    measured: dict[str, Any] = dict(layers=["block 50"], measure=["participation_ratio"])
    with Probe(network, **measured) as probe, torch.no_grad():
        network(x)
    (record,) = probe.table()
    assert bounds[0] < record["participation_ratio"].mean() < bounds[1]
