"""ReLU and its family under your hands: which units die, and what a network without them learns."""

from __future__ import annotations

import time
from collections.abc import Iterator

import ipywidgets
import numpy as np

from course import data, measures
from course.arguments import one_of, reject
from course.lessons.relu_family import pictures, science
from course.lessons.sigmoid_saturation import science as sigmoid_saturation
from course.live import Control, LivePanel, go_on, live, seconds
from course.plots import style
from course.training import Adam, Record

KINDS = ("relu", "leaky-relu", "elu", "gelu", "tanh", "sigmoid")
RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
STEPS, EXAMPLES = 60, 128


def explore(
    *, activation: str = "relu", bias: float = -2.0, rate: float = 0.003, depth: int = 3
) -> LivePanel:
    """A network on digits that is trained for 60 steps of Adam at each change of a control.

    The arguments are the first values of the controls: activation one of `KINDS`, bias (of every
    hidden unit, at the start) -4 to 4, rate one of `RATES`, depth 1 to 100. ValueError otherwise.
    """
    one_of("activation", activation, KINDS)
    if rate not in RATES:
        raise reject("rate", rate, f"one of {RATES}")
    fig, axes = style.figure(11.0, 3.6, ncols=3)
    x = data.digits().x_train[:EXAMPLES]
    panels = pictures.Explorer(fig, axes, STEPS, measures.effective_rank(x).item())
    run: list[_Run] = []

    def draw(activation: str, bias: float, rate: float, depth: int, seed: int) -> str:
        settings = (activation, round(bias, 2), rate, depth, seed)
        if not run or run[0].settings != settings:
            run[:] = [_Run(*settings)]
        run[0].advance(seconds())
        run[0].show(panels)
        if not run[0].done:
            go_on(lambda: panel.again())
        return run[0].words()

    panel = live(
        fig, draw, seed=0,
        activation=ipywidgets.Dropdown(
            options=KINDS, value=activation, description="activation",
            tooltip="the curve that every unit applies", layout={"width": "440px"},
        ),
        bias=Control(-4.0, 4.0, 0.1, bias, "bias", "of every hidden unit, before training"),
        rate=ipywidgets.SelectionSlider(
            options=[(f"{each:g}", each) for each in RATES], value=rate,
            description="learning rate", tooltip="of Adam", layout={"width": "440px"},
        ),
        depth=Control(1, 100, 1, depth, "depth L", "number of hidden layers"),
    )  # fmt: skip
    return panel


class _Run:
    """One training in slices of time; the next position of a slider forgets it."""

    def __init__(self, activation: str, bias: float, rate: float, depth: int, seed: int) -> None:
        self.settings = (activation, bias, rate, depth, seed)
        self.network = sigmoid_saturation.network(activation, depth, bias=bias, seeds=[seed])
        self.states = [science.units(self.network, examples=EXAMPLES)]
        self.records: list[Record] = []
        self._more: Iterator[Record] = sigmoid_saturation.train(
            self.network, optimizer=Adam(rate), steps=STEPS
        )

    @property
    def done(self) -> bool:
        return len(self.records) == STEPS

    def advance(self, seconds: float) -> None:
        """Train for so long, or to the end; then look at the units again."""
        until = time.monotonic() + seconds
        while not self.done and time.monotonic() < until:
            self.records.append(next(self._more))
        if self.done and len(self.states) == 1:
            self.states.append(science.units(self.network, examples=EXAMPLES))

    def show(self, panels: pictures.Explorer) -> None:
        accuracy = np.array([r.accuracy[0] for r in self.records if r.accuracy is not None])
        dead, rank = ([getattr(s, name)[:, 0] for s in self.states] for name in ("dead", "rank"))
        panels.show(accuracy, dead, rank)

    def words(self) -> str:
        """What the picture shows; always four lines."""
        activation, bias, rate, depth, _ = self.settings
        lines = [
            f"{activation}, {depth} hidden layer{'s' * (depth > 1)}, bias {bias:g}, "
            f"Adam with rate {rate:.2g}."
        ]
        for when, state in zip(pictures.WHEN, self.states, strict=False):
            if not np.isfinite(state.dead).all():
                lines.append(f"{when.capitalize()}: it broke down, its weights are not finite.")
                continue
            lines.append(
                f"{when.capitalize()}: {state.dead.mean():.0%} of the units dead, "
                f"{state.dead[-1, 0]:.0%} in the last layer, whose effective rank is "
                f"{state.rank[-1, 0]:.0f}."
            )
        if not self.done:
            return "\n".join([*lines, f"Training: step {len(self.records)} of {STEPS}.", " "])
        accuracy = self.records[-1].train_accuracy
        assert accuracy is not None
        return "\n".join([*lines, f"Right on the training digits: {accuracy[0]:.0%}."])
