"""ReLU and its family under your hands: which units die, and what a network without them learns."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from course import data, measures
from course.lessons.relu_family import pictures, science
from course.lessons.sigmoid_saturation import science as sigmoid_saturation
from course.live import Caption, Choice, LivePanel, Slices, Slider, count, live
from course.plots import style
from course.training import Adam

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
        alive = 1 - run.states[-1].dead[:, 0]
        return Caption(run.words(), run.badge(), {"alive": alive}, seen=2, work=run.records)

    return live(
        fig, draw, seed=0,
        activation=Choice(KINDS, activation, "activation", "the curve that every unit applies"),
        bias=Slider(-4.0, 4.0, 0.1, bias, "bias", "of every hidden unit, before training"),
        rate=Choice(RATES, rate, "learning rate", "of Adam", slider=True),
        depth=Slider(1, 100, 1, depth, "depth L", "number of hidden layers"),
    )  # fmt: skip


class _Run:
    """One training in slices of time; the next position of a slider forgets it."""

    def __init__(self, activation: str, bias: float, rate: float, depth: int, seed: int) -> None:
        self.settings = f"{activation}, {count(depth, 'hidden layer')}, bias {bias:g}"
        self.rate = rate
        self.network = sigmoid_saturation.network(activation, depth, bias=bias, seeds=[seed])
        self.states = [science.units(self.network, examples=EXAMPLES)]
        self.records = Slices(
            partial(sigmoid_saturation.train, self.network, optimizer=Adam(rate), steps=STEPS)
        )

    def show(self, panels: pictures.Units) -> None:
        """Draw the training so far, and the units before it and after its end."""
        if self.records.done and len(self.states) == 1:
            self.states.append(science.units(self.network, examples=EXAMPLES))
        accuracy = np.array([r.accuracy[0] for r in self.records.items if r.accuracy is not None])
        dead, rank = ([getattr(s, name)[:, 0] for s in self.states] for name in ("dead", "rank"))
        panels.show(accuracy, dead, rank)

    def badge(self) -> str:
        """The state of the units now, in words: see `live.Caption`."""
        state = self.states[-1]
        if not np.isfinite(state.dead).all():
            return "breaks down"
        degenerate = state.dead[-1, 0] > 0.9 or state.rank[-1, 0] < 1.5
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
                f"{state.dead[-1, 0]:.0%} in the last layer, whose effective rank is "
                f"{state.rank[-1, 0]:.0f}."
            )
        records = self.records.items
        if not self.records.done:
            return "\n".join([*lines, f"Training: step {len(records)} of {STEPS}.", " "])
        accuracy = records[-1].train_accuracy
        assert accuracy is not None
        return "\n".join([*lines, f"Right on the training digits: {accuracy[0]:.0%}."])
