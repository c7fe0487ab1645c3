"""How much ten seeds cost: ways to train the same small networks, compared in one run.

    python -m course_tests.benchmarks.training_speed [--threads 2] [--depths 10,30] [--data digits,mnist]

Plain networks, width 50, batch norm, ReLU, SGD with momentum, batches of 128, ten seeds:

    student   DataLoader and nn.Sequential, one seed after another: the loop that everybody writes
    tensors   the same, with batches cut from a shuffled tensor instead of a DataLoader
    vmap      torch.func.vmap and grad over the parameters of ten nn.Sequential
    jax       jax.jit(jax.vmap(step)), where JAX is installed
    singles   training.fit, one seed after another
    course    training.fit on a replicated network, its replicas divided among the threads
    halves    the same, five seeds in each of two processes with one thread each

Each way trains STEPS steps at a time, in turn, ROUNDS times; printed are medians over the rounds:
milliseconds for one step of all ten seeds, the ratio to the student's loop, and the share of the
machine's own rate of matrix products (measured in the same run, 1,000 x 1,000, float32) that the
products of the network reach. The losses of `course` and `student` after the first rounds are
printed too: all ways do the same work.
"""  # noqa: E501

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from course import data, networks
from course.training import SGD, fit

SEEDS, WIDTH, BATCH, RATE, MOMENTUM = 10, 50, 128, 0.01, 0.9
STEPS, ROUNDS = 10, 7

Step = Callable[[], float]  # one step of all ten seeds; returns a loss


def textbook(inputs: int, depth: int, outputs: int, seed: int) -> nn.Sequential:
    """What a student writes."""
    torch.manual_seed(seed)
    sizes = [inputs] + [WIDTH] * (depth + 1)
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.BatchNorm1d(fan_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, outputs))


def forever(loader: DataLoader) -> Iterator[list[Tensor]]:
    while True:
        yield from loader


def orders(count: int, seeds: int = SEEDS) -> Iterator[Tensor]:
    """The examples of each step, (seeds, BATCH): epoch after epoch, each in a new order."""
    while True:
        shuffled = torch.stack([torch.randperm(count) for _ in range(seeds)])
        yield from shuffled[:, : count // BATCH * BATCH].split(BATCH, dim=1)


def student(examples: data.Dataset, depth: int) -> Step:
    x, y, outputs = examples.x_train, examples.y_train, examples.outputs
    runs = []
    for seed in range(SEEDS):
        model = textbook(x.shape[1], depth, outputs, seed)
        loader = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True, drop_last=True)
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
        runs.append((model, optimizer, forever(loader)))
    return lambda: sum(_learn(model, opt, *next(loader)) for model, opt, loader in runs) / SEEDS


def tensors(examples: data.Dataset, depth: int) -> Step:
    x, y, outputs = examples.x_train, examples.y_train, examples.outputs
    runs = []
    for seed in range(SEEDS):
        model = textbook(x.shape[1], depth, outputs, seed)
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
        runs.append((model, optimizer, orders(len(x), 1)))

    def step() -> float:
        total = 0.0
        for model, optimizer, order in runs:
            here = next(order)[0]
            total += _learn(model, optimizer, x[here], y[here])
        return total / SEEDS

    return step


def _learn(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> float:
    optimizer.zero_grad()
    loss = functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def vmapped(examples: data.Dataset, depth: int) -> Step:
    x, y, outputs = examples.x_train, examples.y_train, examples.outputs
    models = [textbook(x.shape[1], depth, outputs, seed) for seed in range(SEEDS)]
    for norm in (part for model in models for part in model if isinstance(part, nn.BatchNorm1d)):
        norm.track_running_stats = False  # vmap cannot update buffers in place
        norm.running_mean = norm.running_var = None
    weights, buffers = torch.func.stack_module_state(models)
    velocity = {name: torch.zeros_like(weight) for name, weight in weights.items()}

    def loss(weights: dict, buffers: dict, x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(
            torch.func.functional_call(models[0], (weights, buffers), (x,)), y
        )

    slope = torch.func.vmap(torch.func.grad_and_value(loss))

    order = orders(len(x))

    def step() -> float:
        here = next(order)
        gradients, losses = slope(weights, buffers, x[here], y[here])
        with torch.no_grad():
            for name, gradient in gradients.items():
                velocity[name].mul_(MOMENTUM).add_(gradient)
                weights[name].sub_(velocity[name], alpha=RATE)
        return losses.mean().item()

    return step


def jaxed(examples: data.Dataset, depth: int) -> Step:
    x, y, outputs = examples.x_train, examples.y_train, examples.outputs
    import jax
    import jax.numpy as jnp

    models = [textbook(x.shape[1], depth, outputs, seed) for seed in range(SEEDS)]
    stacked = torch.func.stack_module_state(models)[0]
    weights = {name: jnp.asarray(weight.detach().numpy()) for name, weight in stacked.items()}
    velocity = {name: jnp.zeros_like(weight) for name, weight in weights.items()}
    images, labels = jnp.asarray(x.numpy()), jnp.asarray(y.numpy())

    def loss(weights: dict, x, y):  # type: ignore[no-untyped-def]
        h = x
        for k in range(depth + 1):
            z = h @ weights[f"{3 * k}.weight"].T + weights[f"{3 * k}.bias"]
            z = (z - z.mean(0)) * jax.lax.rsqrt(z.var(0) + 1e-5)
            h = jax.nn.relu(z * weights[f"{3 * k + 1}.weight"] + weights[f"{3 * k + 1}.bias"])
        last = 3 * (depth + 1)
        scores = jax.nn.log_softmax(h @ weights[f"{last}.weight"].T + weights[f"{last}.bias"])
        return -jnp.take_along_axis(scores, y[:, None], 1).mean()

    @jax.jit
    def update(weights: dict, velocity: dict, here):  # type: ignore[no-untyped-def]
        batch = images[here], labels[here]
        losses, gradients = jax.vmap(jax.value_and_grad(loss))(weights, *batch)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradients)
        weights = jax.tree.map(lambda w, v: w - RATE * v, weights, velocity)
        return weights, velocity, losses.mean()

    state = [weights, velocity]
    order = orders(len(x))

    def step() -> float:
        state[0], state[1], value = update(*state, next(order).numpy())
        return float(value)

    return step


def course(examples: data.Dataset, depth: int, seeds: Sequence[int] = range(SEEDS)) -> Step:
    network = networks.build("plain", like=examples, width=WIDTH, depth=depth, seeds=seeds)
    sgd = SGD(RATE, MOMENTUM)
    records = fit(network, examples, steps=10**9, batch=BATCH, optimizer=sgd, threads=None)
    return lambda: float(next(records).loss.mean())


def singles(examples: data.Dataset, depth: int) -> Step:
    steps = [course(examples, depth, [seed]) for seed in range(SEEDS)]
    return lambda: sum(step() for step in steps) / SEEDS


def halves(examples: data.Dataset, depth: int) -> Step:
    context = multiprocessing.get_context("spawn")
    ends = []
    for seeds in (range(SEEDS // 2), range(SEEDS // 2, SEEDS)):
        ours, theirs = context.Pipe()
        arguments = (theirs, examples.name, depth, seeds)
        context.Process(target=_serve, args=arguments, daemon=True).start()
        ends.append(ours)

    def step() -> float:
        for end in ends:
            end.send("step")
        return sum(end.recv() for end in ends) / len(ends)

    return step


def _serve(end: Connection, name: str, depth: int, seeds: Sequence[int]) -> None:
    torch.set_num_threads(1)
    step = course(data.load(name), depth, seeds)
    with contextlib.suppress(EOFError):  # the comparison is over
        while True:
            end.recv()
            end.send(step())


def products_per_step(inputs: int, depth: int, outputs: int) -> float:
    """Floating-point operations of the matrix products: forward, and twice that backward."""
    weights = inputs * WIDTH * 2 + depth * WIDTH * WIDTH * 3 + WIDTH * outputs * 3
    return 2.0 * SEEDS * BATCH * weights  # no gradient of the inputs: 2 products, not 3


def product_rate() -> float:
    """Floating-point operations per second of large matrix products with the threads in use."""
    a, b = torch.randn(1000, 1000), torch.randn(1000, 1000)
    times = []
    for _ in range(15):
        began = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - began)
    return 2e9 / statistics.median(times)


def compare(name: str, depth: int) -> None:
    """One table."""
    examples = data.load(name)
    makers: dict[str, Callable[[data.Dataset, int], Step]] = {
        "student": student, "tensors": tensors, "vmap": vmapped,
        "singles": singles, "course": course, "halves": halves,
    }  # fmt: skip
    if importlib.util.find_spec("jax"):
        makers["jax"] = jaxed
    ways = {way: make(examples, depth) for way, make in makers.items()}
    losses = {way: [step() for _ in range(3)][-1] for way, step in ways.items()}  # and warm up
    times: dict[str, list[float]] = {way: [] for way in ways}
    rates = []
    for _ in range(ROUNDS):
        rates.append(product_rate())
        for way, step in ways.items():
            began = time.perf_counter()
            for _ in range(STEPS):
                step()
            times[way].append((time.perf_counter() - began) / STEPS)
    rate = statistics.median(rates)
    work = products_per_step(examples.inputs, depth, examples.outputs)
    print(f"\n{name}, depth {depth}: matrix products at {rate / 1e9:.0f} GFLOP/s on this machine;")
    print(f"no way can be faster than {1e3 * work / rate:.1f} ms a step")
    print(f"{'way':10}{'ms a step':>10}{'ratio':>8}{'share of the product rate':>28}{'loss':>8}")
    base = statistics.median(times["student"])
    for way, seen in times.items():
        middle = statistics.median(seen)
        share = work / rate / middle
        ratio = base / middle
        print(f"{way:10}{1e3 * middle:10.1f}{ratio:8.1f}{share:27.0%} {losses[way]:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--depths", default="10,30")
    parser.add_argument("--data", default="digits,mnist")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{options.threads} threads, torch {torch.__version__}, {SEEDS} seeds, batch {BATCH}")
    for name in options.data.split(","):
        for depth in map(int, options.depths.split(",")):
            compare(name, depth)


if __name__ == "__main__":
    main()
