"""What a probe costs: VGG16 and a recurrent cell, with and without one.

    python -m course_tests.benchmarks.probing [--size 32] [--batch 128] [--rounds 5] [--device cpu]

Each round takes the ways in turn; printed are medians over the rounds, and their ratios.

VGG16 (Simonyan and Zisserman, 2015, configuration D), on pictures of size x size pixels:

    pass      a forward and a backward pass
    probed    the same inside of a probe with its defaults and labels
    table     the table of the probe

A recurrent cell of 8 units, called CALLS times in a pass, likewise: milliseconds for 1,000 calls.
At the end the ranks that the probe estimated, against those of all numbers of the same outputs
(layers with up to --exact numbers in a sample; the singular values take long).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from course import measures

CALLS = (1000, 2000, 4000)
CHANNELS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Outputs of each convolution of VGG16; 0 is a pooling layer."""


def vgg16(size: int, outputs: int = 10) -> nn.Sequential:
    """VGG16 for pictures (3, size, size); size is a multiple of 32."""
    layers: list[nn.Module] = []
    inputs = 3
    for channels in CHANNELS:
        if channels:
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = channels
        else:
            layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(512 * (size // 32) ** 2, 4096), nn.ReLU(inplace=True)]
    layers += [nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout()]
    network = nn.Sequential(*layers, nn.Linear(4096, outputs))
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return network


class Recurrent(nn.Module):
    """h -> tanh(W h + b), `calls` times."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.cell, self.calls = nn.Linear(8, 8), calls

    def forward(self, h: Tensor) -> Tensor:
        for _ in range(self.calls):
            h = torch.tanh(self.cell(h))
        return h


def seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    """How long the action took, and its result."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def ways(network: nn.Module, x: Tensor, y: Tensor) -> Iterator[tuple[str, float]]:
    """One round: the name of each way and its seconds."""

    def once() -> None:
        network.zero_grad()
        functional.cross_entropy(network(x), y).backward()

    def probed() -> measures.Probe:
        with measures.Probe(network, labels=y) as probe:
            once()
        return probe

    yield "pass", seconds(once)[0]
    duration, probe = seconds(probed)
    yield "probed", duration
    yield "table", seconds(probe.table)[0]


def medians(network: nn.Module, x: Tensor, y: Tensor, rounds: int) -> dict[str, float]:
    """Seconds of each way, the median over the rounds, after one that warms up."""
    durations: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds + 1):
        for name, duration in ways(network, x, y):
            if turn:
                durations[name].append(duration)
    return {name: statistics.median(values) for name, values in durations.items()}


def line(name: str, found: dict[str, float]) -> str:
    """The medians, what the probe adds, and that over a pass."""
    cost = found["probed"] - found["pass"] + found["table"]
    times = ", ".join(f"{way} {duration:.3f} s" for way, duration in found.items())
    return f"{name}: {times}; the probe costs {cost:.3f} s, {cost / found['pass']:.2f} passes"


def errors(network: nn.Module, x: Tensor, most: int) -> Iterator[tuple[str, int, float, float]]:
    """Layer, numbers in a sample, and relative errors of its two ranks as the probe gives them."""
    with torch.no_grad(), measures.Probe(network.eval(), measure=list(measures.RANKS)) as probe:
        network(x)
    records = probe.table()
    h = x
    with torch.no_grad():
        for layer, record in zip(network.children(), records, strict=True):
            h = layer(h)
            if measures.UNITS < h[0].numel() <= most:
                singular = measures.relative_singular_values(h.flatten(1), centred=True)
                pairs = [(record[name], float(f(singular))) for name, f in measures.RANKS.items()]
                rank, ratio = (float(found[0]) / truth - 1 for found, truth in pairs)
                yield record["layer"], h[0].numel(), rank, ratio


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m course_tests.benchmarks.probing")
    for name, default in (("size", 32), ("batch", 128), ("rounds", 5), ("exact", 70_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.manual_seed(0)
    network = vgg16(options.size).to(options.device)
    x = torch.randn(options.batch, 3, options.size, options.size, device=options.device)
    y = torch.randint(0, 10, (options.batch,), device=options.device)
    name = f"VGG16, {options.size} x {options.size}, batch {options.batch}"
    print(line(name, medians(network, x, y, options.rounds)), flush=True)
    for calls in CALLS:
        cell = Recurrent(calls).to(options.device)
        found = medians(cell, x[:, 0, 0, :8], y % 8, options.rounds)
        per_thousand = {way: duration * 1000 / calls for way, duration in found.items()}
        print(line(f"a cell called {calls} times, for each 1,000", per_thousand), flush=True)
    for layer, numbers, rank, ratio in errors(network, x, options.exact):
        print(
            f"layer {layer}, {numbers} numbers in a sample: effective rank {rank:+.2%}, "
            f"participation ratio {ratio:+.2%} of the exact one"
        )


if __name__ == "__main__":
    main()
