"""What stands in the page for a recorded explorer, and the files beside the pages."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from course.live import Picture
from course.site.moving.recorder import ABOUT, STATES

HERE = Path(__file__).parent
FOLDER = "_recorded"
SCRIPT, STYLE = "recorded.js", "recorded.css"
START = '<a href="index.html">on your machine</a>'
RUN = (
    '<p class="recorded-note">This training has ended. To watch one as it runs, to stop it and to '
    f"change it, open the lesson {START}.</p>"
)
"""Below the stored picture of a training."""


def figure(name: str, folder: Path) -> str:
    """HTML of the explorer `name`, recorded in `folder`; "" where nothing moves.

    The stored picture of the same cell comes into it when the page's script brings it to life;
    without scripts it stays hidden, and the stored picture stays.
    """
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    if not about["controls"]:
        return ""
    labels = {control["name"]: control["label"] for control in about["controls"]}
    pairs = "".join(f"; {labels[a]} and {labels[b]} move together" for a, b in about["pairs"])
    about["folder"] = f"{FOLDER}/{name}"
    content = json.dumps(about, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<div class="recorded" id="{name}" hidden><p class="recorded-note" aria-live="polite">'
        "Recorded: one control moves while the others rest at their defaults"
        f"{html.escape(pairs)}. For the live one, with all values together, open the lesson "
        f"{START}.</p>"
        f'<script type="application/json">{content}</script></div>'
    )


def write_static(folder: Path) -> None:
    """Write the script and the style of recorded figures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = str(Picture._esm).replace("export default { render };", "return render;")
    script = (HERE / SCRIPT).read_text(encoding="utf-8")
    text = f"(() => {{\nconst render = (() => {{\n{picture}}})();\n\n{script}}})();\n"
    (folder / SCRIPT).write_text(text, encoding="utf-8")
    style = str(Picture._css) + (HERE / STYLE).read_text(encoding="utf-8")
    (folder / STYLE).write_text(style, encoding="utf-8")


def copy(recordings: Mapping[str, Path], site: Path) -> None:
    """Put the recordings, folders by explorers' names, beside the pages."""
    for name, folder in recordings.items():
        if not (folder / STATES).is_file():
            continue  # nothing moves
        ignore = shutil.ignore_patterns(ABOUT)
        shutil.copytree(folder, site / FOLDER / name, ignore=ignore)
