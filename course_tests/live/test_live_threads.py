"""JupyterLab hands slider events to a thread of their own: one may come while a figure is drawn."""

from __future__ import annotations

import threading
import time

from course.live import LivePanel, live
from course.plots import style


def test_a_value_that_arrives_while_drawing_is_drawn_next() -> None:
    fig, _ = style.figure()
    panels: list[LivePanel] = []
    threads: list[threading.Thread] = []

    def move(value: int) -> None:
        panels[0].controls["depth"].value = value

    def draw(depth: int) -> str:
        if depth == 2:  # while this is drawn, the slider moves on
            threads.append(threading.Thread(target=move, args=(3,)))
            threads[0].start()
            while not panels[0]._dirty:  # its event has come
                time.sleep(0.001)
        return f"depth {depth}"

    panels.append(live(fig, draw, depth=(1, 9)))
    move(2)
    threads[0].join()
    assert panels[0]._picture.caption == "depth 3"
