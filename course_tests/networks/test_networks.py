"""The architectures: their equations, their replicas, their gradients, their starts."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course import data, networks
from course.networks import ARCHITECTURES, batch_statistics, initializers

NAMES = list(ARCHITECTURES)
few = st.integers(1, 4)


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def net(name="plain", **changes):
    sizes = dict(inputs=3, width=4, depth=2, outputs=2, seeds=[0, 1])
    return networks.build(name, **{**sizes, "dtype": torch.float64, **changes})


def close(a, b, **tolerances):
    torch.testing.assert_close(a, b, **tolerances)


def shaken(network, size=0.3):
    """The network with every parameter moved, so that no special start hides a mistake."""
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            parameter += size * noise(*parameter.shape, seed=number)
    return network


def wild_numbers(network):
    """Sets alpha of a VAN to numbers in (0, 1)."""
    with torch.no_grad():
        network.alpha.copy_(torch.sigmoid(noise(*network.alpha.shape, seed=9)))
    return network


# --- replicas ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(NAMES),
    st.lists(st.integers(0, 2**40), min_size=1, max_size=4, unique=True),
    st.integers(2, 5), st.integers(0, 3), few, few, few,
    st.sampled_from(["batch", "layer", None]), st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
)  # fmt: skip
def test_a_replica_is_the_single_network_with_its_seed(
    name, seeds, batch, depth, half, inputs, outputs, norm, shared, dtype
):
    sizes = dict(inputs=inputs, width=2 * half, depth=depth, outputs=outputs)
    together = networks.build(name, **sizes, seeds=seeds, norm=norm, dtype=dtype)
    assert together.seeds == tuple(seeds) and together.replicas == len(seeds)
    assert together.depth == len(together.blocks) == depth and together.name == name
    x = noise(*([] if shared else [len(seeds)]), batch, inputs).to(dtype)
    y = together(x)
    assert y.shape == (len(seeds), batch, outputs) and y.dtype == dtype
    for r, seed in enumerate(seeds):
        alone = networks.build(name, **sizes, seeds=[seed], norm=norm, dtype=dtype)
        state, own = together.state_dict(), alone.state_dict()
        for key in own:
            part = (
                state[key][:, r : r + 1]
                if key in ("alpha", "multiplier")
                else state[key][r : r + 1]
            )
            if "running" not in key:
                assert torch.equal(part, own[key]), key  # bit for bit
        close(y[r : r + 1], alone(x if shared else x[r : r + 1]), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_replica_gets_the_gradients_of_the_single_network(name):
    x = noise(3, 6, 3)
    together = net(name, seeds=[4, 2, 8], depth=4)
    together(x).square().sum().backward()
    for r, seed in enumerate(together.seeds):
        alone = net(name, seeds=[seed], depth=4)
        alone(x[r]).square().sum().backward()
        for mine, theirs in zip(together.parameters(), alone.parameters(), strict=True):
            close(mine.grad[r], theirs.grad[0], rtol=1e-7, atol=1e-9)
        if name.startswith("van"):
            close(together.alpha.grad[:, r], alone.alpha.grad[:, 0])


@pytest.mark.parametrize("norm", ["batch", "layer", None])
@pytest.mark.parametrize("name", NAMES)
def test_float32_is_float64_to_rounding(name, norm):
    sizes = dict(depth=10, width=20, inputs=8, outputs=3, norm=norm, init="orthogonal")
    exact, single = net(name, **sizes), net(name, **sizes, dtype=torch.float32)
    x = noise(30, 8)
    close(single(x.float()).double(), exact(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_replica_that_breaks_leaves_the_others_alone(name):
    network, x = net(name), noise(5, 3)
    before = network(x).detach()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter[0] = math.nan
    after = network(x)
    assert after[0].isnan().all()
    close(after[1], before[1], rtol=0, atol=0)
    after[1].sum().backward()
    assert all(parameter.grad[1].isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("name", sorted({*NAMES} - {"looks-linear"}))  # its halves are mirrored
def test_every_layer_draws_from_a_stream_of_its_own(name):
    """No two weights of a block, a gate, the stem or the head are correlated, or of two seeds."""
    size = 30
    network = net(name, seeds=[1, 2], inputs=size, width=size, outputs=size, init="torch_default")
    draws = [p.detach().flatten(1) for p in network.parameters() if p.dim() == 3 and len(p[0]) > 1]
    rows = torch.cat(draws).double()
    assert len(rows) >= 2 * (network.depth + 2 + network.depth * (name == "highway"))
    correlation = torch.corrcoef(rows) - torch.eye(len(rows), dtype=rows.dtype)
    assert correlation.abs().max() < 6 / size  # six standard errors


def test_the_same_seed_and_layer_give_the_same_weights_everywhere():
    weights = {}
    for name in ("plain", "resnet", "highway", "diracnet", "van", "van0"):
        for depth in (2, 3):
            network = net(name, depth=depth, init="he_normal")
            linears = [m for k, m in network.named_modules() if k.endswith("linear")]
            stem = [network.stem] if hasattr(network.stem, "weight") else []
            head = [network.head] if hasattr(network.head, "weight") else []
            weights[name, depth] = [m.weight for m in [*stem, *linears, *head]]
    reference = weights["plain", 2]
    for (name, depth), found in weights.items():
        assert len(found) == depth + 2
        for mine, theirs in zip(found[:3], reference[:3], strict=True):
            assert torch.equal(mine, theirs), (name, depth)
        assert torch.equal(found[-1], reference[-1])
    chain = networks.mlp([3, 4, 4, 4, 2], seeds=[0, 1], dtype=torch.float64)
    found = [block.linear.weight for block in chain.blocks] + [chain.head.weight]
    assert all(torch.equal(a, b) for a, b in zip(found, reference, strict=True))
    first, second, third = reference[1][0], reference[2][0], reference[1][1]
    assert not torch.equal(first, second) and not torch.equal(first, third)


# --- equations --------------------------------------------------------------------------------


def test_each_block_is_its_equation():
    h = noise(2, 5, 4)

    def block(name, **changes):
        return shaken(net(name, norm=None, activation="tanh", **changes)).blocks[0]

    plain = block("plain")
    w, b = plain.linear.weight, plain.linear.bias
    close(plain(h), torch.tanh(h @ w + b))
    resnet = block("resnet", branch=0.5)
    f = resnet.residual.linear
    close(resnet(h), h + 0.5 * (torch.tanh(h) @ f.weight + f.bias))
    highway = block("highway")
    gate, to = highway.gate[0], highway.transform.linear
    t = torch.sigmoid(h @ gate.weight + gate.bias)
    close(highway(h), t * torch.tanh(h @ to.weight + to.bias) + (1 - t) * h)
    dirac = block("diracnet")
    close(dirac(h), torch.tanh(h @ dirac.linear.matrix() + dirac.linear.bias))
    van = block("van")
    f, units = van.residual.linear, torch.linspace(0, 1, h.shape[2]).double()
    for alpha in (
        torch.tensor([0.2, 0.7]).double()[:, None, None],
        torch.stack([units, units**2])[:, None],
    ):
        close(van(h, 1 - alpha), torch.tanh(h) @ f.weight + f.bias + (1 - alpha) * h)


def test_without_blocks_all_architectures_are_the_same_network():
    x = noise(5, 3)
    outputs = [net(name, depth=0)(x) for name in NAMES if name != "looks-linear"]
    for y in outputs[1:]:
        close(y, outputs[0])


@pytest.mark.parametrize("training", [True, False])
def test_a_van_goes_from_a_resnet_to_a_plain_network(training):
    x = noise(6, 3)
    van, resnet, plain = (net(name).train(training) for name in ("van", "resnet", "plain"))
    close(van(x), resnet(x))
    with torch.no_grad():
        van.alpha.fill_(1)
    # The layers of a plain network in their order are those of a VAN: only the cuts differ.
    for mine, theirs in zip(plain.parameters(), shaken(van).parameters(), strict=True):
        mine.data = theirs.data.clone()
    close(van(x), plain(x), rtol=0, atol=0)


@pytest.mark.parametrize("norm", [None, "batch"])
def test_looks_linear_is_linear_at_the_start_however_deep(norm):
    x = noise(40, 3)
    inputs = torch.cat([x, torch.ones(40, 1, dtype=torch.float64)], 1).expand(2, 40, 4)

    def share_not_linear(name, depth):
        y = net(name, width=20, depth=depth, norm=norm)(x).detach()
        fitted = inputs @ torch.linalg.lstsq(inputs, y).solution
        return ((y - fitted).norm(dim=1) / y.norm(dim=1)).max()

    assert share_not_linear("looks-linear", 30) < 1e-9
    assert share_not_linear("plain", 1) > 0.05


def test_looks_linear_keeps_lengths():
    network = net("looks-linear", width=6, depth=20, norm=None)
    product = network.stem.linear.weight[:, :, :3]
    for block in network.blocks:
        product = product @ block.linear.weight[:, :3, :3]
    close(torch.linalg.svdvals(product), torch.ones(2, 3, dtype=torch.float64))
    a = noise(8, 3)
    close(network(a), a @ product @ network.head.weight[:, :3])


def test_residual_branches_that_start_at_nothing():
    h = noise(2, 5, 4)
    for branch in ("zero", "rezero"):
        network = net("resnet", branch=branch, inputs=4, outputs=4, depth=30, ends=False)
        close(network(h), h, rtol=0, atol=0)
        network(h).square().sum().backward()
        grads = [p.grad for p in network.parameters()]
        assert any(grad.any() for grad in grads)  # and yet they learn
    factors = [p for k, p in network.named_parameters() if k.endswith("factor")]
    assert len(factors) == 30 and factors[0].shape == (2, 1, 1)


def test_gates_start_closed_and_can_be_read():
    network, seen = net("highway", gate_bias=-4.0, width=50), []
    network.blocks[0].gate.register_forward_hook(lambda module, x, t: seen.append(t))
    network(noise(20, 3))
    assert seen[0].shape == (2, 20, 50)
    assert seen[0].mean().item() == pytest.approx(1 / (1 + math.exp(4)), rel=0.3)
    assert (network.blocks[1].gate[0].bias == -4).all()


@settings(deadline=None, max_examples=15)
@given(st.lists(few, min_size=2, max_size=6), few)
def test_a_linear_chain_is_a_product(widths, replicas):
    chain = networks.mlp(
        widths, seeds=range(replicas), activation="identity", bias=False, dtype=torch.float64
    )
    x = product = noise(5, widths[0])
    for weight in chain.parameters():
        product = product @ weight
    assert chain.depth == len(widths) - 2
    close(chain(x), product)


def test_a_chain_may_have_one_law_per_layer():
    laws = ["identity", initializers.zero, "he_normal"]
    chain = networks.mlp([4, 4, 4, 2], seeds=[7], init=laws, bias=-2.0, norm="layer")
    assert torch.equal(chain.blocks[0].linear.weight[0], torch.eye(4))
    assert not chain.blocks[1].linear.weight.any()
    assert (chain.head.bias == -2).all()
    assert type(chain.blocks[0].norm).__name__ == "LayerNorm"
    again = networks.rebuild(networks.extend_with_identity(networks.rebuild(chain, norm=None), 2))
    assert again.depth == 4 and torch.equal(again.blocks[3].linear.weight[0], torch.eye(4))


# --- gradients --------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["batch", "layer", None])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_against_finite_differences(name, norm):
    network = shaken(net(name, norm=norm))
    names, parameters = zip(*network.named_parameters(), strict=True)
    x = noise(5, 3)
    skips = (wild_numbers(network).alpha,) if name.startswith("van") else ()

    def run(*values):
        named = dict(zip([*names, *(["alpha"] if skips else [])], values, strict=True))
        return torch.func.functional_call(network, named, (x,)).sum(1)

    assert torch.autograd.gradcheck(run, (*parameters, *skips), fast_mode=norm != "batch")


# --- the state of a VAN -----------------------------------------------------------------------


@pytest.mark.parametrize("alpha", ["unit", "block"])
def test_alpha_is_a_state_that_collects_gradients_and_no_optimizer_sees(alpha):
    van = net("van", depth=3, alpha=alpha)
    shape = (3, 2, van.recipe.width if alpha == "unit" else 1)
    assert van.alpha.shape == van.multiplier.shape == shape
    assert (van.alpha == 0).all() and (van.multiplier == -1).all()
    assert (net("van0").multiplier == 0).all()
    assert (net("van", multiplier=-0.05).multiplier == -0.05).all()
    assert not any(parameter is van.alpha for parameter in van.parameters())
    assert {"alpha", "multiplier"} <= van.state_dict().keys()
    single = net("van", depth=3, alpha=alpha, dtype=torch.float32)
    for other in (van, copy.deepcopy(van), single.double()):
        assert other.alpha.is_leaf and other.alpha.requires_grad
        assert other.alpha.dtype == torch.float64
        other(noise(5, 3)).square().sum().backward()
        assert other.alpha.grad.shape == shape and other.alpha.grad.any()
    with torch.no_grad():
        moved = net("van", depth=3).float()
    assert moved.alpha.dtype == torch.float32 and moved.alpha.requires_grad
    wild_numbers(van)
    twin = net("van", depth=3, alpha=alpha)
    twin.load_state_dict(van.state_dict())
    assert torch.equal(twin.alpha, van.alpha) and twin.alpha.requires_grad


@pytest.mark.parametrize("seeds", [np.arange(2), torch.arange(2), (0, 1), [np.int64(0), 1]])
def test_seeds_may_come_in_any_sequence(seeds):
    assert net(seeds=seeds).seeds == networks.mlp([3, 2], seeds=seeds).seeds == (0, 1)


# --- growing and rebuilding -------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(["plain", "looks-linear", "mlp", "linear"]),
    st.integers(0, 30), few, st.sampled_from([torch.float32, torch.float64]),
)  # fmt: skip
def test_identity_blocks_change_nothing(kind, extra, depth, dtype):
    if kind in ("mlp", "linear"):
        activation = "relu" if kind == "mlp" else "identity"
        widths = [3, 5, *[4] * depth, 2]
        shallow = networks.mlp(widths, seeds=[0, 1], activation=activation, dtype=dtype)
    else:
        shallow = net(kind, norm=None, depth=depth, dtype=dtype)
    shallow = shaken(shallow.double()).to(dtype)
    deep, x = networks.extend_with_identity(shallow, extra), noise(9, 3).to(dtype)
    assert deep.depth == networks.rebuild(deep).depth == shallow.depth + extra
    assert torch.equal(deep(x), shallow(x))
    with torch.no_grad():
        before = shallow(x).clone()
        shaken(deep.double())
        assert torch.equal(before, shallow(x))  # the copy shares nothing


@pytest.mark.parametrize("name", ["plain", "resnet", "highway", "diracnet", "looks-linear"])
def test_first_blocks_are_what_build_makes_for_that_depth(name):
    deep, x = net(name, depth=6, norm="layer"), noise(9, 3)
    shallow = networks.first_blocks(deep, 2)
    assert torch.equal(shallow(x), net(name, depth=2, norm="layer")(x))
    assert shallow.depth == shallow.recipe.depth == 2 and deep.depth == 6
    assert shallow.blocks[1] is deep.blocks[1]  # shared: no copy


def test_rebuild_repeats_the_recipe_with_changes():
    van = net("van", multiplier=-0.3, activation="tanh", norm="layer")
    again, deeper = networks.rebuild(shaken(van)), networks.rebuild(van, depth=5)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), net(
        "van", multiplier=-0.3, activation="tanh", norm="layer").parameters(), strict=True
    ))  # fmt: skip
    assert deeper.depth == 5 and (deeper.multiplier == -0.3).all()
    assert (networks.rebuild(van, name="van0").multiplier == 0).all()
    plain = networks.rebuild(van, name="plain")
    assert plain.name == "plain" and plain.recipe.activation == "tanh"
    chain = networks.rebuild(networks.mlp([3, 4, 2], seeds=[3]), seeds=[4, 5])
    assert chain.seeds == (4, 5) and chain.recipe.widths == (3, 4, 2)


def test_sizes_come_from_what_the_network_is_for():
    digits, sizes = data.digits(), dict(width=5, depth=1, seeds=[0])
    for like in (digits, data.LinearTeacher(7)):
        recipe = networks.build("resnet", like=like, **sizes).recipe
        assert (recipe.inputs, recipe.outputs) == (like.inputs, like.outputs)
    recipe = networks.build("plain", like=digits, outputs=2, **sizes).recipe
    assert (recipe.inputs, recipe.outputs) == (64, 2)
    assert networks.build("van", ends=False, **sizes).recipe.inputs == 5
    with pytest.raises(ValueError, match="inputs = None: it must be a whole number"):
        networks.build("plain", **sizes)


def test_a_recipe_is_what_its_arguments_say_and_stays_so():
    recipe = net("resnet", branch=0.5).recipe
    assert recipe == net("resnet", branch=0.5).recipe != net("resnet").recipe
    for change in (dict(depth=3), dict(colour=1)):
        with pytest.raises(AttributeError):
            setattr(recipe, *change.popitem())
    with pytest.raises(ValueError, match="depth = -1"):
        dataclasses.replace(recipe, depth=-1)
    chain = networks.mlp([3, 4, 2], seeds=[0]).recipe
    assert (chain.inputs, chain.depth, chain.outputs) == (3, 1, 2)
    assert dataclasses.replace(chain, widths=[3, 4, 4, 5]).depth == 2


def test_batch_statistics_reach_every_norm_of_a_network():
    network, x = net("resnet"), noise(6, 3)
    of_batch = network(x).detach()
    network.eval()
    assert not torch.allclose(network(x), of_batch)
    with batch_statistics(network):
        close(network(x), of_batch)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(NAMES),
    st.sampled_from(["batch", "layer", None]),
    st.integers(0, 100),
    st.lists(
        st.tuples(
            st.integers(0, 1000),
            st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e-3, 1e3]),
        ),
        max_size=3,
    ),
)
@example("highway", "batch", 0, [(194, math.inf)])  # an infinite scale: infinity, not nan
def test_an_evaluation_is_the_equations_as_they_are_written(name, norm, seed, changes):
    """Also where running averages, weights and biases are not finite."""
    network = shaken(net(name, norm=norm, seeds=[seed, seed + 1], dtype=torch.float32)).eval()
    tensors = [*network.parameters(), *network.buffers()]
    with torch.no_grad():
        for number, buffer in enumerate(network.buffers()):
            buffer += 0.3 * noise(*buffer.shape, seed=seed + number).abs()
        for where, value in changes:
            tensor = tensors[where % len(tensors)].view(-1)
            tensor[where % len(tensor)] = value
        x = noise(7, 3, seed=seed).float()
        found = network(x)
        for module in network.modules():
            if isinstance(module, networks.BatchNorm):
                module.register_forward_hook(_written_out)
        close(found, network(x), rtol=1e-4, atol=1e-4, equal_nan=True)


def _written_out(norm, inputs, _output):
    normal = (inputs[0] - norm.running_mean) / torch.sqrt(norm.running_variance + norm.epsilon)
    return norm.scale * normal + norm.shift


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: net("vgg"), "name = 'vgg': it must be one of plain, resnet"),
        (lambda: net(depth=-1), "depth = -1"),
        (lambda: net(depth=1.5), "depth = 1.5"),
        (lambda: net(width=0), "width = 0"),
        (lambda: net(inputs=0), "inputs = 0"),
        (lambda: net(outputs=0), "outputs = 0"),
        (lambda: net(seeds=[]), r"seeds = \[\]"),
        (lambda: net(seeds=[1, 1]), "seeds"),
        (lambda: net(seeds=[-1]), "seeds = -1"),
        (lambda: net(norm="group"), "norm = 'group'"),
        (lambda: net(activation="swish"), "activation = 'swish'"),
        (lambda: net(depth=0, activation="swish"), "activation = 'swish'"),
        (lambda: net(init="xavier"), "init = 'xavier'"),
        (lambda: net(dtype=torch.int64), "dtype = torch.int64"),
        (lambda: net(dtype="float32"), "dtype = 'float32': it must be a torch.dtype"),
        (lambda: net(bias="zero"), "bias = 'zero': it must be False, True, a number, or a law"),
        (lambda: net(seeds=np.zeros((2, 1), int)), "seeds = "),
        (lambda: net(branch=0.1), "option of plain = 'branch': it must be left out"),
        (lambda: net("van", branch=0.1), "option of van = 'branch': it must be one of multiplier"),
        (lambda: net("resnet", branch="fixup"), "'fixup': it must be one of zero, rezero"),
        (lambda: net("resnet", branch=math.nan), "branch = nan"),
        (lambda: net("resnet", depth=0, branch=math.nan), "branch = nan"),
        (lambda: net("highway", gate_bias=math.inf), "gate_bias = inf"),
        (lambda: net("highway", gate_bias="no"), "gate_bias = 'no'"),
        (lambda: net("van", multiplier=math.nan), "multiplier = nan"),
        (lambda: net("looks-linear", width=5), "width = 5: it must be even"),
        (lambda: net("looks-linear", activation="tanh"), "activation = 'tanh'"),
        (lambda: net(ends=False), "inputs = 3: it must be the width, 4"),
        (lambda: net()(noise(5, 7)), r"shape of x = \(2, 5, 7\): it must be \(2, batch, 3\)"),
        (lambda: net()(noise(3, 5, 3)), r"shape of x = \(3, 5, 3\)"),
        (lambda: networks.mlp([3], seeds=[0]), r"widths = \[3\]"),
        (lambda: networks.mlp([3, 0, 2], seeds=[0]), "widths = 0"),
        (lambda: networks.mlp(3, seeds=[0]), "widths = 3"),
        (lambda: networks.mlp([3, 2], seeds=[0], activation="swish"), "activation = 'swish'"),
        (lambda: networks.mlp([3, 2], seeds=[0], norm="group"), "norm = 'group'"),
        (lambda: networks.mlp([3, 2], seeds=[0], dtype=torch.int64), "dtype = torch.int64"),
        (lambda: networks.mlp([3, 4, 2], seeds=[0], init=["zero"]), "one for each of the 2"),
        (lambda: networks.extend_with_identity(net(), 2), "norm batch"),
        (lambda: networks.extend_with_identity(net("resnet", norm=None), 2), "network = 'resnet"),
        (lambda: networks.extend_with_identity(net(norm=None, activation="tanh"), 2), "tanh"),
        (lambda: networks.extend_with_identity(net(norm=None, depth=0), 2), "depth = 0"),
        (lambda: networks.first_blocks(net(depth=2), 3), "depth = 3"),
        (lambda: networks.first_blocks(net("van"), 1), "network = 'van'"),
        (lambda: networks.extend_with_identity(net(norm=None), -1), "extra = -1"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
