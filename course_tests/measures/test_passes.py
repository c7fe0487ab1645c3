"""One pass against autograd by hand, one replica at a time; and the network it leaves behind."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from course import measures, networks
from course.networks import initializers
from course_tests import small

DOUBLE = torch.float64


def batch(examples: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(5)
    return torch.randn(examples, 6, generator=stream), torch.arange(examples) % 3


def test_gradients_are_those_of_each_examples_own_loss() -> None:
    x, y = batch()
    net: Any = small.build("resnet", norm="layer", dtype=DOUBLE)
    signals = measures.one_pass(net, x, y)
    assert signals.names == ("stem", "block 1", "block 2", "block 3", "head")
    for r in range(2):
        losses = []
        for k in range(12):  # one example at a time
            h = net.blocks[0](net.stem(net.replicated(x[k : k + 1].double())))
            h = h.detach().requires_grad_()
            scores = net.head(net.blocks[2](net.blocks[1](h)))[r]
            losses.append(functional.cross_entropy(scores, y[k : k + 1]))
            (gradient,) = torch.autograd.grad(losses[-1], h)
            torch.testing.assert_close(signals.outputs[1][r, k], h.detach()[r, 0])
            torch.testing.assert_close(signals.gradients[1][r, k], gradient[r, 0])
        assert signals.loss[r] == pytest.approx(torch.stack(losses).mean().item())
    lengths = signals.gradients[1].square().sum(2).mean(1).sqrt()
    np.testing.assert_allclose(signals.gradient_norms[1], lengths)
    np.testing.assert_allclose(signals.sizes[2], signals.outputs[2].square().mean((1, 2)).sqrt())
    np.testing.assert_allclose(signals.cosine[3], measures.mean_cosine(signals.outputs[3]))


def test_gradients_of_weights_are_those_of_the_mean_loss() -> None:
    x, y = batch()
    net: Any = small.build("plain", dtype=DOUBLE)
    names = ["blocks.2.linear.weight", "stem.linear.bias"]
    signals = measures.one_pass(net, x, y, layers=(), weights=names)
    scores = net(x.double())
    functional.cross_entropy(scores.flatten(0, 1), y.repeat(2)).mul(2).backward()
    parameters = dict(net.named_parameters())
    assert list(signals.weight_gradients) == names and signals.outputs == ()
    for name in names:
        torch.testing.assert_close(signals.weight_gradients[name], parameters[name].grad)


@pytest.mark.parametrize("name", networks.ARCHITECTURES)
def test_every_replica_is_as_if_it_were_alone(name: str) -> None:
    x, y = batch()
    three, one = (
        measures.one_pass(small.build(name, seeds=seeds), x, y) for seeds in ((0, 1, 2), (1,))
    )
    for several, alone in zip(
        [*three.outputs, *three.gradients], [*one.outputs, *one.gradients], strict=True
    ):
        torch.testing.assert_close(several[1], alone[0], rtol=2e-4, atol=1e-6)
    for value in ("sizes", "cosine", "gradient_norms"):
        several, alone = getattr(three, value), getattr(one, value)
        assert several.shape == (5, 3) and alone.shape == (5, 1)
        np.testing.assert_allclose(several[:, 1], alone[:, 0], rtol=2e-4)
    np.testing.assert_allclose(three.growth[1], one.growth[0], rtol=2e-4)
    np.testing.assert_allclose(three.loss[1], one.loss[0], rtol=2e-4)


class Wilful(nn.Module):
    """Draws random numbers, and refuses to work if told so."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        if self.fails:
            raise RuntimeError("I will not.")
        return functional.dropout(h, 0.5)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("name", ["plain", "van"])
def test_the_network_is_left_as_it_was(name: str, fails: bool) -> None:
    x, y = batch()
    net: Any = small.build(name)
    net.head = nn.Sequential(Wilful(), net.head)
    net.head[0].fails = fails
    net.eval()
    net.blocks[1].train()  # a network in two modes comes back in two modes
    parameter = next(net.parameters())
    parameter.grad = torch.ones_like(parameter)

    def state() -> tuple[Any, ...]:
        values = {n: v.clone() for n, v in net.state_dict().items()}
        modes = [module.training for module in net.modules()]
        hooks = sum(len(module._forward_hooks) for module in net.modules())
        return values, modes, hooks, torch.get_rng_state(), torch.get_num_threads()

    before = state()
    if fails:
        with pytest.raises(RuntimeError, match="will not"):
            measures.one_pass(net, x, y)
    else:
        measures.one_pass(net, x, y)
    after = state()
    assert all(torch.equal(value, before[0][n]) for n, value in after[0].items())
    assert after[1:3] == before[1:3] and after[4] == before[4]
    assert torch.equal(after[3], before[3])
    assert [p for p in net.parameters() if p.grad is not None] == [parameter]
    assert bool((parameter.grad == 1).all())
    assert torch.is_grad_enabled()


def test_batch_norm_uses_the_batch_whatever_the_mode() -> None:
    x, y = batch()
    net = small.build("plain")
    first = measures.one_pass(net, x, y)
    again = measures.one_pass(net.eval(), x, y)
    assert all(map(torch.equal, first.gradients, again.gradients))
    with pytest.raises(ValueError, match="batch = 1"):
        measures.one_pass(net, x[:1], y[:1])


def test_nan_stays_where_it_is() -> None:
    x, y = batch()
    net = small.build("plain", norm=None, seeds=(0, 1, 2))
    whole = measures.one_pass(net, x, y)
    with torch.no_grad():
        dict(net.named_parameters())["blocks.1.linear.weight"][1, 0, 0] = torch.nan
    broken = measures.one_pass(net, x, y)
    assert np.array_equal(np.isnan(broken.sizes[:, 1]), [False, False, True, True, True])
    assert np.isnan(broken.gradient_norms[:, 1]).all() and np.isnan(broken.loss[1])
    assert np.isnan(broken.growth[1])
    others = [0, 2]
    for value in ("sizes", "gradient_norms"):
        assert np.array_equal(getattr(broken, value)[:, others], getattr(whole, value)[:, others])


def test_growth_is_the_factor_per_block() -> None:
    law = partial(initializers.orthogonal, gain=0.7)
    net = networks.mlp([6] * 9, seeds=(0, 1), activation="identity", init=law, dtype=DOUBLE)
    x, _ = batch()
    signals = measures.one_pass(net, x, torch.zeros(12, 6), loss="mse")
    np.testing.assert_allclose(signals.growth, 0.7)
    answers = net(x.double()).detach()
    np.testing.assert_allclose(signals.loss, answers.square().mean((1, 2)))
    torch.testing.assert_close(signals.gradients[-1], 2 * answers / 6)
    one = measures.one_pass(net, x, torch.zeros(2, 12, 6), loss="mse", layers=["block 1", "head"])
    assert np.isnan(one.growth).all() and one.gradient_norms.shape == (2, 2)


def test_layers_come_in_the_order_asked_for_and_without_labels_nothing_comes_back() -> None:
    x, _ = batch()
    net: Any = small.build("highway")
    signals = measures.one_pass(net, x, layers=["block 2", "blocks.0.gate", "stem"])
    h = net.stem(net.replicated(x))
    torch.testing.assert_close(signals.outputs[2], h)
    torch.testing.assert_close(signals.outputs[1], net.blocks[0].gate(h))
    torch.testing.assert_close(signals.outputs[0], net.blocks[1](net.blocks[0](h)))
    assert signals.gradients == () and not signals.outputs[0].requires_grad
    assert np.isnan(signals.loss).all()
    ranks = signals.measure(measures.effective_rank, [0, 2])
    np.testing.assert_allclose(ranks[1], measures.effective_rank(h))
    for wrong in ({"layers": ["block 4"]}, {"weights": ["head.weight."]}):
        with pytest.raises(ValueError, match="it must be one of"):
            measures.one_pass(net, x, **wrong)
