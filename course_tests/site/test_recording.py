"""Explorers recorded for the page: which cells and stops, and equal to what a notebook draws."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import numpy as np
import pytest
from PIL import Image

from course.live import LivePanel, Slider
from course.site import colours, record_all
from course.site.moving import cells, recorder, stops
from course_tests import store
from course_tests.site.tiny import CODE, TINY, states, with_cells


def test_an_explorer_comes_with_the_cells_that_it_needs_and_no_others(tmp_path: Path) -> None:
    needed = ["%matplotlib inline", "from course.lessons.van import explorer, science", "depth = 5"]
    others = ["other = 3", "run = explorer.watch()", "run", "print(depth)"]
    path = with_cells(tmp_path / "01_x.ipynb", [*needed, *others, "explorer.explore(depth=depth)"])
    (only,) = cells.explorers(path)
    assert only.code.splitlines() == [*needed[1:], "explorer.explore(depth=depth)"]
    assert only.name.startswith("01_x-")


def test_the_lessons_explorers_are_all_known() -> None:
    for path in store.numbered():
        notebook = nbformat.read(path, 4)
        known = {explorer.cell for explorer in cells.explorers(path)}
        for cell in notebook.cells:
            opens = "explorer.explore" in cell.source or "live.live(" in cell.source
            if cell.cell_type == "code" and opens:
                assert cell.id in known, (path.name, cell.source)


@pytest.mark.parametrize(
    "slider",
    [
        Slider(1, 100, 1, 30), Slider(-2.0, 2.0, 0.01, 0.93), Slider(0, 3, 1, 2),
        Slider(1e-6, 1.0, 0.25, 0.01, log=True), Slider(0.01, 100.0, 0.1, 1.0, log=True),
    ],
)  # fmt: skip
def test_stops_are_few_and_hold_both_ends_and_the_first(
    slider: Slider,
) -> None:
    widget: Any = slider.widget("depth")
    control = stops.control("depth", widget)
    values = np.array(control.values)
    assert len(values) <= stops.MOST and (np.diff(values) > 0).all()
    assert control.values[control.first] == widget.value
    assert np.allclose(values[[0, -1]], [slider.least, slider.most])
    for value in control.values:
        widget.value = value
        assert widget.value == value
    if slider.least < 0:
        assert {-1.0, 0.0, 1.0} <= set(control.values)


def test_what_is_recorded_is_what_the_notebook_draws(tmp_path: Path) -> None:
    (explorer,) = cells.explorers(store.NOTEBOOKS / "00_start_here.ipynb")
    folder = recorder.record(explorer, tmp_path / "recording", most=3)
    about, recorded = json.loads((folder / "about.json").read_text("utf-8")), states(folder)
    stored = nbformat.read(store.NOTEBOOKS / "00_start_here.ipynb", 4)
    (cell,) = [cell for cell in stored.cells if cell.id == explorer.cell]
    assert recorded[""]["text"] == cell.outputs[0].data["text/plain"]
    panel = explorer.open()
    assert isinstance(panel, LivePanel)
    for control in about["controls"]:
        for stop in {0, len(control["values"]) - 1} - {control["first"]}:
            panel.reset()
            panel.controls[control["name"]].value = control["values"][stop]
            state = recorded[f"{control['name']}={stop}"]
            assert state["text"] == panel.text
            wide, narrow = (pixels((folder / state[room]).read_bytes()) for room in recorder.ROOMS)
            assert np.abs(wide - pixels(panel.png)).mean() < 0.1 and narrow.shape[1] == 500
    panel.close()


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(float)


def test_few_colours_are_kept_exactly() -> None:
    drawn = np.random.default_rng(0).integers(0, 6, (100, 120, 3)).astype(np.uint8) * 50
    png = io.BytesIO()
    Image.fromarray(drawn).save(png, "PNG")
    lighter = colours.smaller(png.getvalue())
    assert len(lighter) < len(png.getvalue())
    for written in (recorder.small(png.getvalue()), lighter):
        assert (pixels(written) == drawn).all()


def test_lists_boxes_draws_and_pairs_are_recorded(tiny: Path) -> None:
    about, recorded = json.loads((tiny / "about.json").read_text("utf-8")), states(tiny)
    assert [(c["name"], c["kind"]) for c in about["controls"]] == [
        ("size", "slider"), ("law", "list"), ("bold", "box"), ("seed", "slider"),
    ]  # fmt: skip
    singles = {f"size={k}" for k in (0, 1, 3, 4)} | {"law=1", "bold=1"}
    singles |= {f"seed={k}" for k in (1, 2, 3)}
    assert set(recorded) == {"", *singles, *(f"size={k}&law=1" for k in (0, 1, 3, 4))}
    assert about["controls"][0]["values"] == [0, 1, 2, 3, 4]
    for size in (0, 1, 3, 4):
        words = recorded[f"size={size}&law=1"]["text"]
        assert words.startswith(f"size {size}, odd, False, draw 0")
    assert recorded["bold=1"]["text"].startswith("size 2, even, True, draw 0")
    assert recorded["seed=3"]["text"].startswith("size 2, even, False, draw 3")
    assert (
        recorded["size=0"]["badge"] == "healthy"
        and recorded["size=0"]["rows"][0]["name"] == "signal"
    )
    pictures = {state[room] for state in recorded.values() for room in ("wide", "narrow")}
    assert {path.name for path in tiny.glob("*.webp")} == pictures


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("line.set_linewidth", "1 / (4 - size); line.set_linewidth", "division by zero"),
        ("bold=False", "bold=__import__('ipywidgets').Text('x')", "a slider, a list or a box"),
    ],
)
def test_nothing_stays_of_a_recording_that_fails(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    broken = cells.Explorer("tiny", "1", CODE.replace(old, new))
    with pytest.raises(ValueError, match=words):
        recorder.record(broken, tmp_path / "recording")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not there yet"):
        recorder.record(TINY, tmp_path)


def test_a_widget_without_stops_is_refused() -> None:
    with pytest.raises(ValueError, match="text"):
        stops.control("text", ipywidgets.Text("x"))


def test_recordings_are_kept_until_the_code_changes(tmp_path: Path) -> None:
    path, cache = tmp_path / "01_x.ipynb", tmp_path / "cache"
    front = "from course import live\nfrom course.live import Caption\n"
    lines = CODE.replace("\nlive(", "\nlive.live(").splitlines(keepends=True)
    with_cells(path, [front + "".join(lines[1:])])
    (explorer,) = cells.explorers(path)
    earlier = cache / f"{explorer.name}-0000"  # of other code
    earlier.mkdir(parents=True)
    told: list[str] = []
    (folder,) = record_all(tmp_path, cache, tell=told.append).values()
    assert len(told) == 1 and (folder / "states.js").is_file()
    assert [path.name for path in cache.iterdir()] == [f"{explorer.name}-{explorer.digest()}"]
    assert record_all(tmp_path, cache, tell=told.append) == {explorer.name: folder}
    assert len(told) == 1
