"""Lines with bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.plots import curves, style


def test_lines_by_depth_have_bands_and_closed_forms() -> None:
    fig, ax = style.figure()
    values = {"a": np.ones((3, 2)), "b": np.zeros((3, 2))}
    curves.by_depth(ax, [1, 2, 3], values, expected={"a": np.ones(3), "b": np.zeros(3)})
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "closed form"]
    fig.canvas.draw()


def crosses(values: Any) -> list[float]:
    """Where one run is marked as not finite."""
    _, ax = style.figure()
    x = np.arange(len(values))
    return [float(at) for at in curves.mean_band(ax, x, np.array(values)[:, None])[2].get_xdata()]


def test_crosses_of_a_long_breakdown_stand_apart_and_none_moves() -> None:
    assert crosses([1.0, np.nan, 1.0, np.inf, np.nan]) == [1, 3, 4]
    before: set[float] = set()
    for count in range(1, 200):
        shown = crosses([1.0, *[np.nan] * count])
        assert shown[0] == 1 and len(shown) <= curves.MARKERS
        assert set(shown) - before <= {float(count)}
        before = set(shown)
    scattered = [np.nan if k % 5 == 3 else 1.0 for k in range(200)]
    assert len(crosses(scattered)) == 40  # each breakdown has its own
