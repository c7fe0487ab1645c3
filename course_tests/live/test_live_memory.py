"""Nothing stays behind: not of events, not of axes that were cleared, not of cells run again."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from course.live import LivePanel, Slider, lettering, live
from course.plots import style


@pytest.fixture(autouse=True)
def no_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are kept up to a number, see `test_lettering`: here none, to see any growth."""
    monkeypatch.setattr(lettering, "MOST", 0)


def objects() -> int:
    """How many objects Python's collector knows, once it has done its work."""
    gc.collect()
    return len(gc.get_objects())


def growth(event: Callable[[int], object], few: int = 20, many: int = 60) -> float:
    """Objects that each event leaves behind, after the first ones."""
    for k in range(few):
        event(k)
    before = objects()
    for k in range(many):
        event(k)
    return (objects() - before) / many


def figure() -> tuple[Any, Any, Any]:
    fig, ax = style.figure(3.0, 2.0)
    (line,) = ax.plot([0, 1], [0, 1])
    return fig, ax, line


def test_events_leave_nothing_behind() -> None:
    fig, ax, line = figure()

    def draw(n: int) -> None:
        line.set_ydata([0, n])
        if n % 7 == 0:
            ax.set_ylim(0, 1 + n)

    panel = live(fig, draw, n=Slider(0, 100, value=1))
    assert growth(lambda k: setattr(panel.controls["n"], "value", 2 + k)) < 1


def test_axes_that_draw_clears_are_let_go() -> None:
    fig, _, _ = figure()

    def draw(n: int) -> None:
        fig.clear()
        fig.add_subplot().plot(np.arange(3) * n)

    panel = live(fig, draw, n=Slider(0, 100, value=1))
    # Axes are hundreds of objects, and take long to draw.
    assert growth(lambda k: setattr(panel.controls["n"], "value", 2 + k), few=8, many=16) < 1


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Pretend that this cell runs, for so many times."""
    parent: dict[str, Any] = {}
    shell = SimpleNamespace(get_parent=lambda: parent)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    def begin(name: str, run: int) -> None:
        parent.update(metadata={"cellId": name}, header={"msg_id": f"{name}-{run}"})

    return begin


def test_a_cell_that_runs_again_lets_go_of_its_figures(cell: Callable[[str, int], None]) -> None:
    shared = ipywidgets.IntSlider(1, 0, 100)
    panels: list[LivePanel] = []  # as the notebook's outputs keep them
    drawn: list[int] = []

    def run(k: int) -> None:
        cell("a", k)
        for _ in range(2):  # two figures in one cell
            fig, _, line = figure()

            def draw(n: int, own: int, line: Any = line) -> None:
                line.set_ydata([n, own])
                drawn.append(n)

            panels.append(live(fig, draw, n=shared, own=(1, 9)))

    run(0)
    widgets = len(_instances)
    for k in range(1, 6):
        run(k)
    assert len(_instances) == widgets
    assert all(panel._closed == (panel not in panels[-2:]) for panel in panels)
    drawn.clear()
    shared.value = 50
    assert drawn == [50, 50]  # the two of the last run, once each
    assert not any(hasattr(panel, "_canvas") for panel in panels[:-2])


def test_a_closed_figure_draws_no_more_and_leaves_a_shared_slider_alone() -> None:
    shared = ipywidgets.IntSlider(1, 0, 100)
    fig, *_ = figure()
    drawn: list[int] = []
    widgets = len(_instances)
    panel = live(fig, lambda n: drawn.append(n), n=shared)
    panel.close()
    panel.close()
    shared.value = 7
    assert drawn == [1] and shared.comm is not None
    assert len(_instances) == widgets


def test_pyplot_inside_draw_is_answered_with_what_to_use() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    fig, _, line = figure()

    def draw(n: int) -> str:
        if n > 1:
            pyplot.title(f"n = {n}")
        line.set_ydata([0, n])
        return f"n = {n}"

    panel = live(fig, draw, n=Slider(1, 9, value=1))
    panel.controls["n"].value = 2
    assert panel.text.startswith("ValueError: draw has used plt") and "ax.set_title" in panel.text
    assert not pyplot.get_fignums()  # none is left behind
    with pytest.raises(ValueError, match="draw has used plt"):
        live(fig, draw, n=Slider(1, 9, value=3))
    other = pyplot.figure()
    other.canvas.draw()
    panel.controls["n"].value = 4
    assert panel.text.startswith("ValueError: draw has used plt")  # it went to that figure
    pyplot.close(other)
    panel.controls["n"].value = 1
    assert panel.text == "n = 1"
