"""Pictures of every explorer as a student sees it, for people to look at.

    python -m course_tests.screens --out DIR                     all of them, ten minutes
    python -m course_tests.screens --out DIR --only chain skip   some
    python -m course_tests.screens --out DIR --sizes wide dark   in some sizes of the window

Each explorer stands in a notebook in JupyterLab: as it opens, with all its sliders at their least
and at their most, and with every choice of its lists. DIR/EXPLORER-STATE-SIZE.png are the panels;
the whole window too where the page is zoomed, for slider and picture must be seen together.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from course_tests.benchmarks.live_controls import EXPLORERS
from course_tests.browser.page import NotebookPage, in_chromium
from course_tests.browser.server import find_chromium, lab

SIZES = {
    "wide": (1100, 900, 1, False), "narrow": (768, 1500, 1, False), "dark": (1100, 900, 1, True),
    "dense": (1100, 900, 2, False), "narrow-dark": (768, 1500, 2, True),
    "zoomed": (700, 450, 2, False),
}  # fmt: skip
"""Width and height of the window in pixels of the page, pixels of the screen in each, dark."""
STATES = ("default", "low", "high")
LANDSCAPES = """
from course.lessons.loss_landscapes import explorer, science
nets = {
    kind: {depth: science.network(kind, examples, depth=depth) for depth in (2, 10)}
    for kind in ("plain", "resnet")
}
two = {"ReLU": nets["plain"][2]}
two["batch norm"] = science.network("plain", examples, depth=2, norm="batch")
panel = explorer."""
CODES = {
    **{name: f"import {module} as explorer\npanel = explorer.{call}"
       for name, (module, call) in EXPLORERS.items()},
    "slices": LANDSCAPES + "explore(nets, examples, depth=10)",
    "rescaling": LANDSCAPES + "rescale(two, examples)",
}  # fmt: skip
SETUP = """
import ipywidgets
from course import data
examples = data.digits().subset(1500, test=297)

def move(state):
    if state in ("default", "low", "high"):
        if state == "default":
            panel.reset()
            return
        for control in panel.controls.values():
            end = 0 if state == "low" else -1
            if isinstance(control, ipywidgets.SelectionSlider):
                control.index = range(len(control.options))[end]
            elif isinstance(control, ipywidgets.FloatLogSlider):
                control.value = control.base ** (control.min, control.max)[end]
            elif hasattr(control, "max"):
                control.value = (control.min, control.max)[end]
        return
    name, index = state.rsplit("-", 1)
    panel.reset()
    control = panel.controls[name]
    if isinstance(control, ipywidgets.Dropdown):
        control.index = int(index)
    else:
        control.value = not control.value
"""
OTHERS = """print(" ".join(
    f"{name}-{k}" for name, control in panel.controls.items()
    for k in range(len(control.options) if isinstance(control, ipywidgets.Dropdown)
                   else isinstance(control, ipywidgets.Checkbox))))"""
THEME = """async ([name]) => {
    await jupyterapp.commands.execute('apputils:change-theme', {theme: name}); }"""
ROOM = """() => { if (!jupyterapp.shell.leftCollapsed) jupyterapp.shell.collapseLeft(); }"""


def _window(tab: Any, size: str) -> Any:
    """Give the window its size, density and theme; the session of the browser that holds them."""
    width, height, density, dark = SIZES[size]
    tab.set_viewport_size({"width": width, "height": height})
    session = tab.context.new_cdp_session(tab)
    session.send(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": density, "mobile": False},
    )
    tab.evaluate(THEME, ["JupyterLab Dark" if dark else "JupyterLab Light"])
    tab.wait_for_timeout(400)
    return session


def _shoot(page: NotebookPage, session: Any, states: Sequence[str], size: str, stem: str) -> None:
    """A picture of the panel in each of the states, as `stem`-STATE-SIZE.png.

    Playwright's own would be taken at, and go back to, one pixel of the screen per pixel.
    """
    panel = page.panel()
    width, height, density, _ = SIZES[size]
    window = {"x": 0, "y": 0, "width": width, "height": height}
    for state in states:
        complaint = page.run_cell(f"move({state!r})")
        assert not complaint, complaint
        panel.settle(0.5)
        panel.root.scroll_into_view_if_needed()
        assert page.page.evaluate("devicePixelRatio") == density
        place = window if size == "zoomed" else panel.root.bounding_box()
        taken = session.send("Page.captureScreenshot", {"clip": {**place, "scale": 1}})
        Path(f"{stem}-{state}-{size}.png").write_bytes(base64.b64decode(taken["data"]))


def shoot(
    out: Path, names: Sequence[str], sizes: Sequence[str], states: Sequence[str] | None = None
) -> None:
    """Pictures of the explorers called `names`, in windows of these sizes."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("no Chromium or Chrome on the PATH")
    out.mkdir(parents=True, exist_ok=True)
    kernel = ""
    with (
        tempfile.TemporaryDirectory() as base,
        lab(Path(base)) as server,
        in_chromium(server, chromium) as tab,
    ):
        tab.evaluate(ROOM)
        for name in names:
            cells = [nbformat.v4.new_code_cell(code) for code in (SETUP, CODES[name] + "\npanel")]
            notebook = nbformat.v4.new_notebook(cells=cells)
            notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(notebook, server.folder / f"{name}.ipynb")
            page = NotebookPage(tab, f"{name}.ipynb", kernel)
            page.run_all()
            others = [] if states else page.run_cell(OTHERS).split()
            for size in sizes:
                session = _window(tab, size)
                more = others if size == "wide" else []
                _shoot(page, session, [*(states or STATES), *more], size, str(out / name))
            print(name, *page.complaints(), sep="\n  ", flush=True)
            kernel = page.close(keep=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=CODES, default=list(CODES))
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument(
        "--states", nargs="+", choices=STATES, help="default: these and every choice"
    )
    arguments = parser.parse_args()
    shoot(arguments.out, arguments.only, arguments.sizes, arguments.states)


if __name__ == "__main__":
    main()
