"""The waiting room, charts by layer, and losses before and after: plain numbers in, words out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course.plots import curves, style

Array = NDArray[np.float64]
PANELS = (
    ("size of the output", "size"), ("gradient", "gradient"),
    ("cosine of two examples", "cosine"), ("dead units", "dead"),
)  # fmt: skip


def waiting_room(losses: Mapping[str, Array], constant: float) -> tuple[Figure, str]:
    """The loss of each patient against the step, one panel each, and the figure in words.

    losses: {patient: (R, steps)}. constant: the loss of the best constant answer, a grey line.
    """
    return _panels({letter: [runs] for letter, runs in losses.items()}, constant, ("as it came",))


def before_and_after(
    before: Mapping[str, Array], after: Mapping[str, Array], constant: float
) -> tuple[Figure, str]:
    """The same with a second curve for each patient: after its mend."""
    both = {letter: [runs, after[letter]] for letter, runs in before.items()}
    return _panels(both, constant, ("as it came", "after its mend"))


def _panels(
    runs: Mapping[str, Sequence[Array]], constant: float, names: Sequence[str]
) -> tuple[Figure, str]:
    fig, axes = style.figure(9.0, 4.4, nrows=2, ncols=4, sharex=True)
    words: list[str] = []
    handles: dict[int, Any] = {}
    for ax, (letter, several) in zip(axes.flat, runs.items(), strict=False):
        ax.axhline(constant, color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        for k, losses in enumerate(several):
            line = {**style.line(k), "marker": "", "label": names[k]}
            handles[k] = curves.mean_band(ax, range(1, losses.shape[1] + 1), losses.T, **line)[0]
        highest = max(1.5 * constant, float(several[0][:, :3].mean()))
        ax.set(title=f"patient {letter}", ylim=(0, min(highest, 10.0) * 1.05))
        style.whole_numbers(ax, 3)
        ends = [_course(losses, constant) for losses in several]
        words.append(f"{letter} {', then '.join(ends)}")
    for ax in axes.flat[len(runs) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    for ax in axes[-1]:
        ax.set_xlabel("step")
    if len(names) > 1:
        axes.flat[-1].legend(handles=handles.values(), loc="center", frameon=False, fontsize=9)
    return fig, (
        f"Loss over {next(iter(runs.values()))[0].shape[1]} steps, one panel for each patient; a "
        f"grey line at the loss of a constant answer. {'; '.join(words)}."
    )


def _course(losses: Array, constant: float) -> str:
    """How a loss goes, in words that do not hang on its last digit."""
    end = losses[:, -10:].mean()
    if end < 0.5 * constant:
        return "falls far below the line"
    return "falls a little below the line" if end < 0.85 * constant else "stays at the line"


def charts(layers: Mapping[str, Sequence[Any]]) -> tuple[Figure, str]:
    """Four panels over the layers for each patient, and the figure in words.

    layers: {patient: records, input first, with size, gradient, cosine and dead}.
    """
    fig, axes = style.figure(
        9.0, 0.5 + 1.9 * len(layers), nrows=len(layers), ncols=4, squeeze=False
    )
    for row, (letter, records) in zip(axes, layers.items(), strict=True):
        for ax, (_, name) in zip(row, PANELS, strict=True):
            _one(ax, [getattr(record, name) for record in records], name)
        row[0].set_ylabel(f"patient {letter}")
    for top, bottom, (title, _) in zip(axes[0], axes[-1], PANELS, strict=True):
        top.set_title(title, fontsize=10)
        bottom.set_xlabel("layer")
    return fig, " ".join(f"{letter}: {_in_words(rows)}." for letter, rows in layers.items())


def _one(ax: Axes, values: Sequence[float], name: str) -> None:
    numbers = np.array(values, dtype=float)
    at = np.arange(1, len(numbers) + 1)
    ax.plot(at, numbers, **{**style.line(0), "markersize": 3})
    style.whole_numbers(ax, 4)
    if name in ("cosine", "dead"):
        ax.set_ylim(-0.05, 1.05)
    elif (numbers > 0).any():
        ax.set_yscale("log")
        low, high = numbers[numbers > 0].min(), numbers.max()
        if high / low < 100:
            middle = math.sqrt(high * low)
            ax.set_ylim(middle / 30, 30 * middle)


def _in_words(records: Sequence[Any]) -> str:
    hidden = records[:-1]
    first, last = hidden[0], hidden[-1]
    cosine = [one.cosine for one in hidden if not math.isnan(one.cosine)]
    dead = [one.dead for one in hidden if not math.isnan(one.dead)]
    alike = cosine[-1] if cosine else math.nan
    if first.gradient == 0:
        sizes = "no gradient comes to the first"
    else:
        sizes = (
            f"the size {_change(first.size, last.size)} from the first to the last hidden one, the "
            f"gradient {_change(last.gradient, first.gradient)} on its way back"
        )
    ends = "alike" if alike > 0.95 else "apart"
    return (
        f"in {len(records)} layers {sizes}; two examples end {ends}; "
        f"{_share(max(dead, default=0.0))} of a layer's units are dead"
    )


def _change(start: float, end: float) -> str:
    ratio = end / start
    if 1 / 30 < ratio < 30:
        return "stays within a factor of 30"
    return f"{'grows' if ratio > 1 else 'shrinks'} by over a factor of 30"


def _share(dead: float) -> str:
    return "nearly all" if dead > 0.85 else "up to two thirds" if dead > 0.1 else "hardly any"
