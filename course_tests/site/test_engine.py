"""The playground's engine against the course's own networks, measures and torch's optimizers.

Both compute in float64 here, from the same weights: to 1e-9 of the largest number, what is left
are orders of summation. The page itself computes in float32.
"""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from course import data, measures, networks
from course.measures import effective_rank
from course_tests.repository import ROOT

TASK = {"inputs": 6, "outputs": 3}
SHAPE = {"depth": 4, "width": 8}
BATCH = 12
ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky-relu", "gelu", "selu")
LAWS = {
    "torch_default": 1 / 3, "lecun_normal": 1.0, "glorot_normal": 1.0, "he_normal": 2.0,
    "orthogonal": 1.0, "looks-linear": 2.0,
}  # fmt: skip
"""Variance of a weight times the width, in a layer between layers of one width."""

PASS = """async ([settings, seed, x, labels, optimizer, steps]) => {
    const { Network, crossEntropy } = await import("./network.js");
    const { OPTIMIZERS } = await import("./optimizers.js");
    const { size, gradientLength, effectiveRank } = await import("./measures.js");
    const network = new Network(settings, seed, Float64Array);
    const count = labels.length;
    const { values, gradients } = network.parameters;
    const first = Array.from(values);
    const step = OPTIMIZERS[optimizer]();
    let seen = null;
    for (let k = 0; k < Math.max(1, steps); k++) {
        const answers = network.forward(Float64Array.from(x), count);
        const { loss, gradient, right } = crossEntropy(answers, labels, settings.outputs);
        network.backward(gradient);
        const signals = network.signals.slice(0, -1);
        seen ??= {
            answers: Array.from(answers), loss, right, gradients: Array.from(gradients),
            sizes: signals.map(size),
            lengths: network.slopes.slice(0, -1).map((slopes) => gradientLength(slopes, count)),
            ranks: signals.map((signal) => effectiveRank(signal, count)),
        };
        if (steps) step(values, gradients, 0.05);
    }
    return { ...seen, first, values: Array.from(values) };
}"""

LAW = """async ([law, fanIn, fanOut, place]) => {
    const { LAWS } = await import("./initializers.js");
    const { stream } = await import("./random.js");
    return JSON.stringify(Array.from(LAWS[law](fanIn, fanOut, stream(7, "layer 1"), place)));
}"""


def page_weights(page: Page, *asked: Any) -> np.ndarray:
    """What a law draws in the page; as text, for playwright is slow with lists."""
    return np.array(json.loads(page.evaluate(LAW, list(asked))))


def settings(**changes: Any) -> dict[str, Any]:
    plain = {"activation": "tanh", "init": "glorot_normal", "gain": 1.2, "skip": "none"}
    return {**TASK, **SHAPE, **plain, "norm": "none", **changes}


def examples() -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(3)
    x = torch.randn(BATCH, TASK["inputs"], generator=source, dtype=torch.float64)
    return x, torch.arange(BATCH) % TASK["outputs"]


def in_page(page: Page, chosen: dict[str, Any], optimizer: str = "sgd", steps: int = 0) -> Any:
    x, y = examples()
    return page.evaluate(PASS, [chosen, 5, x.flatten().tolist(), y.tolist(), optimizer, steps])


def in_course(chosen: dict[str, Any], first: list[float]) -> networks.Network:
    """The course's network of these settings, with the weights of the page's."""
    skip, depth = chosen["skip"], chosen["depth"]
    factor = {} if skip == "none" else {"branch": depth**-0.5 if skip == "scaled" else 1.0}
    network = networks.build(
        "plain" if skip == "none" else "resnet", **TASK, **SHAPE, seeds=(0,), dtype=torch.float64,
        activation=chosen["activation"], norm=None if chosen["norm"] == "none" else chosen["norm"],
        **factor,
    )  # fmt: skip
    start = 0
    with torch.no_grad():
        for parameter in in_order(network):
            end = start + parameter.numel()
            numbers = torch.tensor(first[start:end], dtype=torch.float64)
            parameter.copy_(numbers.view_as(parameter))
            start = end
    assert start == len(first)
    return network


def in_order(network: networks.Network) -> list[torch.nn.Parameter]:
    """The parameters as the page has them: block by block, a layer's as it is applied."""
    return [parameter for module in network.modules() for parameter in own(module)]


def own(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    return list(module.parameters(recurse=False))


def flat(tensors: list[torch.Tensor]) -> list[float]:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).tolist()


def close(here: Any, there: Any) -> None:
    ours, theirs = np.asarray(here, float), np.asarray(there, float)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * max(1e-300, abs(theirs).max()))


VARIANTS = [
    *({"activation": name} for name in ACTIVATIONS),
    *(
        {"skip": skip, "norm": norm, "activation": "relu"}
        for skip, norm in itertools.product(
            ("none", "residual", "scaled"), ("none", "batch", "layer")
        )
    ),
]


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: " ".join(changes.values()))
def test_forward_gradients_and_measures_are_the_courses(
    modules: Page, changes: dict[str, Any]
) -> None:
    chosen = settings(**changes)
    result = in_page(modules, chosen)
    network = in_course(chosen, result["first"])
    x, y = examples()
    answers = network.train()(x)
    loss = torch.nn.functional.cross_entropy(answers[0], y)
    loss.backward()
    close(result["answers"], answers.detach().flatten())
    close(result["loss"], loss.item())
    close(result["right"], (answers[0].argmax(1) == y).double().mean())
    close(result["gradients"], flat([parameter.grad for parameter in in_order(network)]))
    signals = measures.one_pass(network, x, y)
    close(result["sizes"], signals.sizes[:-1, 0])
    close(result["lengths"], signals.gradient_norms[:-1, 0])
    ranks = signals.measure(effective_rank)[:-1, 0]
    np.testing.assert_allclose(result["ranks"], ranks, rtol=1e-6)  # roots of eigenvalues there


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_a_step_is_torchs(modules: Page, name: str) -> None:
    """Three steps: the second and third use what was remembered."""
    chosen = settings(skip="scaled", norm="layer")
    result = in_page(modules, chosen, name, steps=3)
    network = in_course(chosen, result["first"]).train()
    make: dict[str, Any] = {
        "sgd": lambda weights: torch.optim.SGD(weights, lr=0.05),
        "momentum": lambda weights: torch.optim.SGD(weights, lr=0.05, momentum=0.9),
        "adam": lambda weights: torch.optim.Adam(weights, lr=0.05),
    }
    optimizer = make[name](network.parameters())
    x, y = examples()
    for _ in range(3):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x)[0], y).backward()
        optimizer.step()
    close(result["values"], flat(in_order(network)))


@pytest.mark.parametrize("law", LAWS)
def test_a_law_draws_what_it_says(modules: Page, law: str) -> None:
    width = 40
    weights = page_weights(modules, law, width, width, "middle")
    matrix = weights.reshape(width, width)
    squares = width * matrix**2
    margin = 5 * squares.std() / width
    assert abs(squares.mean() - LAWS[law]) < max(margin, 1e-9)
    singular = np.linalg.svd(matrix, compute_uv=False)
    if law == "orthogonal":
        close(singular, np.ones(width))
    elif law == "looks-linear":
        half = width // 2
        close(singular, [2.0] * half + [0.0] * half)
    else:
        assert singular[-1] < 0.2 * singular[0]
    if law == "torch_default":
        assert abs(matrix).max() <= width**-0.5


@pytest.mark.parametrize("shape", [(6, 10), (10, 6), (7, 7)])
def test_orthogonal_weights_of_any_shape(modules: Page, shape: tuple[int, int]) -> None:
    drawn = page_weights(modules, "orthogonal", *shape, "middle")
    close(np.linalg.svd(drawn.reshape(shape), compute_uv=False), np.ones(min(shape)))


def test_a_looks_linear_network_is_linear_at_first(modules: Page) -> None:
    chosen = settings(init="looks-linear", activation="relu", gain=1)
    network = in_course(chosen, in_page(modules, chosen)["first"])
    x, _ = examples()
    with torch.no_grad():
        assert network(x).abs().max() > 0.1
        close(network(-x), -network(x))  # biases are 0


def test_the_gain_multiplies_weights_and_the_depth_keeps_the_first_ones(modules: Page) -> None:
    one, twice = (in_page(modules, settings(gain=gain))["first"] for gain in (1, 2))
    close(twice, 2 * np.asarray(one))
    deeper = in_page(modules, settings(gain=1, depth=6))["first"]
    same = len(one) - (SHAPE["width"] + 1) * TASK["outputs"]
    assert deeper[:same] == one[:same] and deeper[-len(one) + same :] == one[same:]


def test_what_overflows_is_not_hidden(modules: Page) -> None:
    result = in_page(modules, settings(gain=3, activation="identity", depth=4), steps=40)
    assert not np.isfinite(np.asarray(result["values"], float)).all()


def test_the_random_numbers_are_normal(modules: Page) -> None:
    numbers = page_weights(modules, "lecun_normal", 1, 20_000, "middle")
    assert abs(numbers.mean()) < 4 / math.sqrt(len(numbers))
    assert abs(numbers.var() - 1) < 4 * math.sqrt(2 / len(numbers))
    assert abs((numbers**4).mean() - 3) < 4 * math.sqrt(96 / len(numbers))


def test_the_digits_are_the_courses(modules: Page) -> None:
    from course.site.page import PICTURES, stored_digits

    code = """async (stored) => {
        const { x, labels } = (await import("./data.js")).digits(stored);
        return JSON.stringify({ x: Array.from(x), labels });
    }"""
    there = json.loads(modules.evaluate(code, stored_digits()))
    digits = data.digits()
    pixels = digits.x_train[:PICTURES].flatten().numpy()
    np.testing.assert_allclose(there["x"], pixels, atol=1e-6)  # float32
    assert there["labels"] == digits.y_train[:PICTURES].tolist()


@pytest.mark.parametrize("name", ["circles", "spiral", "xor"])
def test_points_of_the_plane_come_in_two_equal_classes(modules: Page, name: str) -> None:
    code = """async (name) => {
        const { x, labels } = (await import("./data.js")).examples(name, null);
        return { x: Array.from(x), labels };
    }"""
    there = modules.evaluate(code, name)
    x, labels = np.asarray(there["x"]).reshape(-1, 2), np.asarray(there["labels"])
    assert len(x) == 200 and labels.mean() == 0.5
    assert 0.3 < x.std() < 1.5 and abs(x).max() < 2.3
    line = np.linalg.lstsq(np.c_[x, np.ones(len(x))], 2 * labels - 1, rcond=None)[0]
    right = ((np.c_[x, np.ones(len(x))] @ line > 0) == (labels == 1)).mean()
    assert right < 0.8  # no straight line tells them apart


WORDS = """async (ranks) => {
    const { verdict } = await import("./verdict.js");
    const losses = { level: 2.3 };
    const run = { members: [{ losses }], steps: 50, data: { classes: 10 } };
    return ranks.map((rank) => {
        const layers = { sizes: [1, 1], gradients: [1, 1], ranks: [20, rank] };
        run.measures = [{ loss: losses.level, right: 0.1, ...layers }];
        return verdict(run).word;
    });
}"""


def test_near_the_degenerate_limit_the_word_stands(modules: Page) -> None:
    """The limit is a rank of 3 = 0.15 x 20."""
    around = [2.8, 3.2, 2.9, 3.6, 2.7, 3.1]
    assert set(modules.evaluate(WORDS, around)) == {"degenerate"}
    from_above = modules.evaluate(WORDS, [5.0, 3.2, 3.1, 2.9, 3.2, 4.2, 3.1])
    assert from_above == ["healthy"] * 3 + ["degenerate"] * 2 + ["healthy"] * 2


def test_every_module_is_a_page_or_two() -> None:
    parts = (ROOT / "course" / "site" / "playground").glob("*.js")
    lengths = {part.name: len(part.read_text(encoding="utf-8").splitlines()) for part in parts}
    assert {name: n for name, n in lengths.items() if n > 300} == {}
