"""Figures that are drawn once: how gradients grow with depth, what skips buy, one block less."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course.plots import curves, style

Array = NDArray[Any]


def growth_by_depth(
    ax: Axes,
    depths: Sequence[int],
    measured: Mapping[str, Array],
    forms: Mapping[str, Callable[[int], float]],
) -> None:
    """The factor on gradients through L blocks against L, measured and by formula.

    measured: factors (N, R) by the name of an architecture; their geometric means are drawn. forms:
    the closed form for each, a function of the depth.
    """
    fine = np.unique(np.geomspace(min(depths), max(depths), 40).round().astype(int))
    for name, values in measured.items():
        line = style.architecture(name)
        middle, error = curves.mean_and_error(np.log(values))
        ax.errorbar(
            depths, np.exp(middle), [np.exp(middle) - np.exp(middle - error),
                                     np.exp(middle + error) - np.exp(middle)],
            label=name, **{**line, "linestyle": ""},
        )  # fmt: skip
        form = [forms[name](int(depth)) for depth in fine]
        ax.plot(fine, form, color=line["color"], linewidth=1.2, label=f"{name}, formula")
    ax.set(xlabel="depth L (hidden blocks)", ylabel="gradient: first block / last", yscale="log")
    ax.set(xlim=(0, max(depths) * 1.03), ylim=(0.7, None))
    style.legend_beside(ax)


def passed_and_fitted(ax: Axes, passed: Mapping[str, float], fitted: Mapping[str, Array]) -> None:
    """Training accuracy of networks, in the order of what their skips let pass.

    passed: the product of what the skips let pass, by the network's name; fitted: accuracies (R,)
    as shares, a dot a run.
    """
    names = sorted(passed, key=passed.__getitem__)
    for k, name in enumerate(names):
        values = 100 * np.asarray(fitted[name], dtype=float)
        color = style.architecture("highway" if "highway" in name else "resnet")["color"]
        color = style.architecture("plain")["color"] if name == "plain" else color
        ax.plot([values.mean()], [k], marker="D", markersize=7, color=color, linestyle="")
        ax.plot(values, np.full(len(values), k), marker="o", markersize=3.5, color=color,
                linestyle="", alpha=0.5)  # fmt: skip
    ax.set_yticks(range(len(names)), [f"{name}: {_share(passed[name])}" for name in names])
    ax.set(xlabel="training accuracy (%)", xlim=(0, 103), ylim=(len(names) - 0.5, -0.5))


def _share(value: float) -> str:
    if value == 0 or value >= 0.01:
        return f"{100 * value:.0f} %"
    power = round(np.log10(value))
    return rf"$10^{{{power}}}$"


def one_block_less(ax: Axes, cut: Mapping[str, Array], whole: Mapping[str, Array]) -> None:
    """Training accuracy with one block taken out, against which one it was.

    cut: (L, R) by the name of an architecture; whole: (R,), with all blocks: a line across.
    """
    for name, values in cut.items():
        line = style.architecture(name)
        blocks = np.arange(1, len(values) + 1)
        curves.mean_band(ax, blocks, 100 * values, label=f"{name}, one block less", **line)
        ax.axhline(
            100 * float(np.mean(whole[name])), color=line["color"], linewidth=1.0, alpha=0.7,
            linestyle=(0, (5, 3)), label=f"{name}, whole",
        )  # fmt: skip
    style.whole_numbers(ax)
    ax.set(xlabel="block taken out", ylabel="training accuracy (%)", ylim=(0, 104))
    style.guessing(ax, 10)
    style.legend_beside(ax)
