"""Record an explorer: each control swept, by the drawing that runs in the notebook."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from course.arguments import reject
from course.live import LivePanel, Picture, number
from course.site import colours
from course.site.moving import stops
from course.site.moving.cells import Explorer
from course.site.moving.stops import Control

PAIRS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "07b_isometry": (("weights", "depth"),),
    "08_degradation": (("network", "depth"),),
    "11_loss_landscapes": (("network", "depth"),),
    "12a_norms": (("norm", "batch"),),
    "12b_starts": (("kind", "weight"),),
}
"""Controls that a lesson needs together, by its notebook: all values of both are recorded."""
ROOMS = {"wide": (900, 1.0), "narrow": (400, 1.25)}
"""For which page a picture is arranged: its pixels, and pixels of the screen for each of them.

Panels stand in a row in the first, in a column in the second; a page that is smaller shrinks them.
"""
ABOUT, STATES = "about.json", "states.js"


def record(explorer: Explorer, folder: Path, *, most: int = stops.MOST) -> Path:
    """Record `explorer` into `folder`, which must not be there, with at most so many stops.

    It gets `ABOUT` (the controls), `STATES` (the words of each state, as a script) and pictures,
    named by their content. Where the cell shows no picture with controls, `ABOUT` lists none.
    Nothing stays of a recording that fails. Raises ValueError where a drawing fails, or a control
    cannot be recorded.
    """
    if folder.exists():
        raise reject("folder", str(folder), "one that is not there yet")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".part-"))
    try:
        panel = explorer.open()
        about: dict[str, Any] = {"controls": [], "pairs": []}
        if isinstance(panel, LivePanel) and panel.controls:
            about, states = _swept(explorer, panel, part, most)
            script = f"recorded.receive({json.dumps(explorer.name)}, {_json(states)});\n"
            (part / STATES).write_text(script, encoding="utf-8")
            panel.close()
        (part / ABOUT).write_text(_json(about), encoding="utf-8")
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _swept(
    explorer: Explorer, panel: LivePanel, folder: Path, most: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page has to know of the controls, and the state at each stop by its `key`."""
    controls = {name: stops.control(name, w, most) for name, w in panel.controls.items()}
    if stops.SEED in panel.values:
        controls[stops.SEED] = stops.draws(panel.values[stops.SEED])
    pairs = [pair for pair in PAIRS.get(explorer.notebook, ()) if set(pair) <= set(controls)]
    readings = {name: [""] * len(control.values) for name, control in controls.items()}
    states = {}
    for place in _places(controls, pairs):
        _move(panel, controls, place)
        for name, stop in place.items():
            readings[name][stop] = panel.values[name]
        states[key(controls, place)] = _state(explorer, panel, folder)
    about = {
        "controls": [_about(control, readings[name]) for name, control in controls.items()],
        "pairs": pairs,
        "sizes": _sizes(panel.picture),
    }
    return about, states


def key(controls: Mapping[str, Control], place: Mapping[str, int]) -> str:
    """The name of a state: the controls that are not at their first stop, "depth=3&weight=0"."""
    moved = [(n, place[n]) for n, control in controls.items() if place[n] != control.first]
    return "&".join(f"{name}={stop}" for name, stop in moved)


def _places(
    controls: Mapping[str, Control], pairs: list[tuple[str, str]]
) -> Iterator[dict[str, int]]:
    """The stop of each control, in each state once: one control moves at a time, or a pair."""
    first = {name: control.first for name, control in controls.items()}
    yield first
    for name, control in controls.items():
        for stop in range(len(control.values)):
            if stop != control.first:
                yield {**first, name: stop}
    for one, other in pairs:
        for stop in range(len(controls[one].values)):
            for beside in range(len(controls[other].values)):
                if stop != first[one] and beside != first[other]:
                    yield {**first, one: stop, other: beside}


def _move(panel: LivePanel, controls: Mapping[str, Control], place: Mapping[str, int]) -> None:
    """Bring the panel to a state, and draw it; in a running loop it would be drawn later."""
    wanted = {name: controls[name].values[stop] for name, stop in place.items()}
    seed = wanted.pop(stops.SEED, None)
    if seed is not None and panel.values[stops.SEED] > seed:
        panel.reset()  # before the others move: it brings them back, too
    for name, value in wanted.items():
        panel.controls[name].value = value
    while seed is not None and panel.values[stops.SEED] < seed:
        panel.new_draw()
    panel.refresh()


def _state(explorer: Explorer, panel: LivePanel, folder: Path) -> dict[str, Any]:
    """The words of the panel's state, and its pictures, which are written into `folder`."""
    picture = panel.picture
    names = {}
    rooms = list(ROOMS) if picture.room == ROOMS["wide"][0] else list(reversed(ROOMS))
    for room in rooms:  # the one that is drawn already comes first
        _arrange(picture, room)
        if picture.failure:
            raise ValueError(f"{explorer.name}, {panel.values}: {picture.failure}")
        content = small(picture.png)
        names[room] = f"{hashlib.sha256(content).hexdigest()[:12]}.webp"
        (folder / names[room]).write_bytes(content)
    words = {"text": picture.caption, "seen": picture.seen, "badge": picture.badge}
    return {**words, "rows": picture.rows, **names}


def _arrange(picture: Picture, room: str) -> None:
    with picture.hold_trait_notifications():  # type: ignore[no-untyped-call]
        picture.room, picture.ratio = ROOMS[room]


def _sizes(picture: Picture) -> dict[str, tuple[int, int]]:
    """Width and height of the pictures, in pixels of the page."""
    sizes = {}
    for room in ROOMS:
        _arrange(picture, room)
        sizes[room] = picture.width, picture.height
    return sizes


def _about(control: Control, readings: list[Any]) -> dict[str, Any]:
    """A control as the page needs it: values as `draw` gets them, and as one reads them."""
    words: Sequence[str] = control.words or [
        number(value, 3) if not isinstance(value, bool) else "" for value in readings
    ]
    return {
        "name": control.name, "kind": control.kind, "label": control.label,
        "tooltip": control.tooltip, "values": readings, "words": list(words),
        "first": control.first,
    }  # fmt: skip


def small(png: bytes) -> bytes:
    """The picture as WebP, with few colours."""
    written = io.BytesIO()
    image = colours.paletted(png).convert("RGB")
    image.save(written, "WEBP", lossless=True, quality=60, method=3)
    return written.getvalue()
