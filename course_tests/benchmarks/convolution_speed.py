"""Images a second of convolutional networks, against the usual PyTorch loop, in one run.

    python -m course_tests.benchmarks.convolution_speed [--device cuda] [--width 8]

ResNets on random pictures of CIFAR's size, batches of 128, cropped and mirrored, SGD with momentum:

    usual     DataLoader with a transform for each picture, nn.Conv2d, one seed after another
    course    training.fit on a replicated network, pictures changed on the device

Both train STEPS steps of all seeds at a time, in turn, ROUNDS times; printed are medians. On a GPU
both compute in bfloat16 with the channels last in memory, and the step of the course is recorded.
There the usual loop waits for its four workers, which change the pictures. On an H100 with 16
cores, torch 2.11, depth 18, it had 9,810 images a second with --width 64 --seeds 1, and the course
26,637; 13,651 and 70,511 with --width 16 --seeds 3.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from course import networks, training
from course.data import Dataset as Pictures

BATCH, RATE, SHAPE = 128, 0.1, (3, 32, 32)
STEPS, ROUNDS = 4, 5


def pictures(count: int = 2048) -> Pictures:
    """Noise in the shape of CIFAR: the time does not depend on what is to be seen."""
    source = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3 * 32 * 32, generator=source)
    y = torch.randint(10, (count,), generator=source)
    parts = dict(x_train=x, y_train=y, x_test=x[:100], y_test=y[:100])
    classes = tuple("0123456789")
    return Pictures("noise", **parts, classes=classes, shape=SHAPE, mean=(0.0,) * 3, sd=(1.0,) * 3)


class Transformed(Dataset):
    """Each picture cropped and mirrored when it is asked for, as torchvision's transforms do."""

    def __init__(self, examples: Pictures) -> None:
        self.x, self.y = examples.x_train.view(-1, *SHAPE), examples.y_train

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        top, left, mirrored = (int(torch.randint(most, ())) for most in (9, 9, 2))
        cut = functional.pad(self.x[index], [4] * 4)[:, top : top + 32, left : left + 32]
        return cut.flip(2) if mirrored else cut, self.y[index]


class Unit(nn.Module):
    """A residual unit, as a student writes it."""

    def __init__(self, fan_in: int, fan_out: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(fan_in), nn.ReLU(),
            nn.Conv2d(fan_in, fan_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(fan_out), nn.ReLU(),
            nn.Conv2d(fan_out, fan_out, 3, padding=1, bias=False),
        )  # fmt: skip
        projection = nn.Conv2d(fan_in, fan_out, 1, stride, bias=False)
        self.shortcut = projection if stride > 1 else nn.Identity()

    def forward(self, h: Tensor) -> Tensor:
        return self.shortcut(h) + self.residual(h)


def usual(examples: Pictures, width: int, depth: int, seeds: int, device: str) -> Callable[[], Any]:
    """STEPS steps of each seed, one seed after another."""
    gpu = device == "cuda"
    runs: list[tuple[nn.Module, torch.optim.Optimizer, Iterator[Any]]] = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        sizes = networks.convolutional("plain", like=examples, width=width, depth=depth, seeds=[0])
        units = [Unit(*size[1:]) for size in sizes.recipe.sizes]  # type: ignore[attr-defined]
        model = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), *units, nn.BatchNorm2d(8 * width),
            nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, 10),
        ).to(device)  # fmt: skip
        if gpu:
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        loader = DataLoader(
            Transformed(examples), BATCH, shuffle=True, drop_last=True,
            num_workers=4 if gpu else 0, pin_memory=gpu, persistent_workers=gpu,
        )  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
        runs.append((model, optimizer, forever(loader)))

    def steps() -> None:
        for model, optimizer, batches in runs:
            for _ in range(STEPS):
                x, y = (each.to(device, non_blocking=True) for each in next(batches))
                with torch.autocast(device, torch.bfloat16, enabled=gpu):
                    loss = functional.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss.item()

    return steps


def forever(loader: DataLoader) -> Iterator[Any]:
    while True:
        yield from loader


def course(
    examples: Pictures, width: int, depth: int, seeds: int, device: str
) -> Callable[[], Any]:
    """STEPS steps of all seeds side by side."""
    net = networks.convolutional(
        "resnet", like=examples, width=width, depth=depth, seeds=range(seeds)
    )
    run = training.fit(
        net, examples, steps=1_000_000, batch=BATCH, optimizer=training.SGD(RATE, 0.9),
        augment=training.CropAndFlip(SHAPE), mixed=device == "cuda", record_every=STEPS,
        device=device, threads=torch.get_num_threads(),
    )  # fmt: skip
    return lambda: next(run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--depths", default="10,18")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    examples = pictures()
    name = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    print(f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"width {options.width}, {options.seeds} seeds, batch {BATCH}: images a second")
    for depth in map(int, options.depths.split(",")):
        ways = {
            make.__name__: make(examples, options.width, depth, options.seeds, options.device)
            for make in (usual, course)
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(ROUNDS + 1):
            for way, steps in ways.items():
                began = time.perf_counter()
                steps()
                if number:  # the first round finds its kernels
                    times[way].append(time.perf_counter() - began)
        images = STEPS * BATCH * options.seeds
        rates = {way: images / statistics.median(taken) for way, taken in times.items()}
        text = ", ".join(f"{way} {rate:,.0f}" for way, rate in rates.items())
        print(f"depth {depth}: {text}, ratio {rates['course'] / rates['usual']:.2f}", flush=True)


if __name__ == "__main__":
    main()
