"""ReLU and its family under your hands: which units die, and what a network without them learns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from course import data, measures
from course.lessons.relu_family import pictures, science
from course.lessons.sigmoid_saturation import science as sigmoid_saturation
from course.live import Caption, Choice, LivePanel, Slices, Slider, count, live
from course.networks import Network
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
    fig, axes = style.figure(11.0, 3.6, ncols=3)
    x = data.digits().x_train[:EXAMPLES]
    panels = pictures.Units(fig, axes, STEPS, measures.effective_rank(x).item())
    trained = lru_cache(maxsize=1)(_Run)

    def draw(activation: str, bias: float, rate: float, depth: int, seed: int) -> Caption:
        run = trained(activation, bias, rate, depth, seed)
        run.show(panels)
        alive = 1 - run.states[-1].dead
        return Caption(run.words(), run.badge(), {"alive": alive}, seen=2, work=run.records)

    return live(
        fig, draw, ahead=_started, seed=0,
        activation=Choice(KINDS, activation, "activation", "the curve that every unit applies"),
        bias=Slider(-4.0, 4.0, 0.1, bias, "bias", "of every hidden unit, before training"),
        rate=Choice(RATES, rate, "learning rate", "of Adam", slider=True),
        depth=Slider(1, 100, 1, depth, "depth L", "number of hidden layers"),
    )  # fmt: skip


class _State(NamedTuple):
    """Share of dead units and effective rank of each hidden layer, both (L,)."""

    dead: np.ndarray
    rank: np.ndarray


@lru_cache(maxsize=64)
def _started(activation: str, bias: float, depth: int, seed: int) -> _State:
    return _state(_network(activation, bias, depth, seed))


def _network(activation: str, bias: float, depth: int, seed: int) -> Network:
    return sigmoid_saturation.network(activation, depth, bias=bias, seeds=[seed])


def _state(network: Network) -> _State:
    units = science.units(network, examples=EXAMPLES)
    return _State(units.dead[:, 0], units.rank[:, 0])


class _Run:
    """One training in slices of time; the next position of a slider forgets it."""

    def __init__(self, activation: str, bias: float, rate: float, depth: int, seed: int) -> None:
        self.settings = f"{activation}, {count(depth, 'hidden layer')}, bias {bias:g}"
        self.start, self.rate = (activation, bias, depth, seed), rate
        self.states = [_started(*self.start)]
        self.records = Slices(self._train)

    def _train(self) -> Iterator[Record]:
        """Make the network anew, of which only the state was kept, and train it."""
        self.network = _network(*self.start)
        return sigmoid_saturation.train(self.network, optimizer=Adam(self.rate), steps=STEPS)

    def show(self, panels: pictures.Units) -> None:
        """Draw the training so far, and the units before it and after its end."""
        if self.records.done and len(self.states) == 1:
            self.states.append(_state(self.network))
        accuracy = np.array([r.accuracy[0] for r in self.records.items if r.accuracy is not None])
        panels.show(accuracy, *map(list, zip(*self.states, strict=True)))

    def badge(self) -> str:
        """The state of the units now, in words: see `live.Caption`."""
        state = self.states[-1]
        if not np.isfinite(state.dead).all():
            return "breaks down"
        degenerate = state.dead[-1] > 0.9 or state.rank[-1] < 1.5
        return "units: degenerate" if degenerate else "units: healthy"

    def words(self) -> str:
        """What the picture shows; always four lines."""
        lines = [f"{self.settings}, Adam with rate {self.rate:.2g}."]
        for when, state in zip(pictures.WHEN, self.states, strict=False):
            if not np.isfinite(state.dead).all():
                lines.append(f"{when.capitalize()}: it broke down, its weights are not finite.")
                continue
            lines.append(
                f"{when.capitalize()}: {state.dead.mean():.0%} of the units dead, "
                f"{state.dead[-1]:.0%} in the last layer, whose effective rank is "
                f"{state.rank[-1]:.0f}."
            )
        records = self.records.items
        if not self.records.done:
            return "\n".join([*lines, f"Training: step {len(records)} of {STEPS}.", " "])
        accuracy = records[-1].train_accuracy
        assert accuracy is not None
        return "\n".join([*lines, f"Right on the training digits: {accuracy[0]:.0%}."])
