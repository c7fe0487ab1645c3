"""Lines with bands."""

from __future__ import annotations

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
