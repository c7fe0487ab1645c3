"""Figures of notebook 02 that do not move: sizes by layer, of signals, gradients and steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course.lessons.blow_up.short_chain import ShortRun
from course.plots import style

Array = NDArray[np.float64]
LARGEST = float(np.finfo(np.float32).max)
TOP = 1e50


def three_steps(norms: Sequence[Mapping[str, Any]]) -> tuple[Figure, str]:
    """Sizes of activations and of the weights' gradients by layer, a line for each step.

    norms: of the first steps' records, {"activations": (R, L), "weight_gradients": (R, L)}; the
    first run is drawn. What is not finite lies above the largest number of float32.
    """
    fig, axes = style.figure(10.0, 3.8, ncols=2)
    for ax, kind in zip(axes, ("activations", "weight_gradients"), strict=True):
        for k, step in enumerate(norms):
            _line(ax, step[kind][0], f"step {k + 1}", k)
        ax.set(xlabel="layer", ylabel="size", title=kind.replace("_", " "), yscale="log")
        ax.set(ylim=(1e-3, TOP), yticks=[1.0, 1e10, 1e20, 1e30])
        style.guide(ax, LARGEST, "largest of float32 ", at=(1.0, 10 * LARGEST))
        style.whole_numbers(ax)
    named = [line for line in axes[0].lines if str(line.get_label()).startswith("step")]
    style.legend_below(fig, named)
    ends = "; ".join(f"step {k + 1}: {_ends(step)}" for k, step in enumerate(norms))
    return fig, (
        "Sizes by layer on a log axis that ends a little above the largest number of float32."
        f" Activations and gradients of weights, first and last layer. {ends}."
    )


def _ends(step: Mapping[str, Any]) -> str:
    kinds = (step[kind][0] for kind in ("activations", "weight_gradients"))
    return " and ".join(f"{sizes[0]:.0e} to {sizes[-1]:.0e}" for sizes in kinds)


def _line(ax: Axes, values: ArrayLike, name: str, k: int) -> None:
    sizes = np.asarray(values, dtype=float)
    layers = np.arange(1, len(sizes) + 1)
    ax.plot(layers, np.where(np.isfinite(sizes), sizes, np.nan), **style.line(k), label=name)
    broken = layers[~np.isfinite(sizes)]
    above: dict[str, Any] = {
        "linestyle": "",
        "marker": "^",
        "color": style.line(k)["color"],
        "markersize": 5,
    }
    ax.plot(broken, np.full(len(broken), TOP**0.94), **above, label="_not finite")


def silent(run: ShortRun) -> tuple[Figure, str]:
    """The gradients of weights and biases by layer, in the first step: means of the runs."""
    fig, ax = style.figure(8.0, 3.4)
    layers = np.arange(1, run.slopes.shape[2] + 1)
    for k, name in enumerate(("dC/dw", "dC/db")):
        sizes = np.abs(run.slopes[0, :, :, k].astype(float)).mean(axis=0)
        ax.plot(layers, sizes, **style.line(k), label=name)
    ax.set(xlabel="layer", ylabel="size at the start", yscale="log")
    style.whole_numbers(ax)
    style.legend_beside(ax)
    return fig, (
        "Gradients of the first step by layer, on a log axis. Those of the weights are all of one"
        " size, some millionths. Those of the biases rise by a factor of 2 with every layer, from"
        f" some millionths at layer 1 to about 2 at layer {len(layers)}."
    )


def monitor(networks: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[Figure, str]:
    """Weights, their gradients, and steps over weights, by layer: three panels.

    networks: {name: `Probe.parameters()`}; biases are left out.
    """
    fig, axes = style.figure(11.0, 3.4, ncols=3)
    quantities = {"weight": "weights", "gradient": "gradients", "ratio": "step / weight"}
    for ax, (column, title) in zip(axes, quantities.items(), strict=True):
        ax.set_yscale("log")
        for k, (name, rows) in enumerate(networks.items()):
            sizes = np.array([r[column].item() for r in rows if r["parameter"].endswith("weight")])
            sizes[sizes <= 0] = np.nan  # a step that was not taken has no place on a log axis
            ax.plot(np.arange(1, len(sizes) + 1), sizes, **style.line(k), label=name)
        ax.set(xlabel="layer", title=title)
        style.whole_numbers(ax)
    style.legend_below(fig, axes[0].lines)
    return fig, (
        f"Three panels by layer, on log axes, a line for each of {', '.join(networks)}: the lengths"
        " of the weights, of their gradients, and of a step over that of the weights."
    )
