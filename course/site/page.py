"""The depth playground put together as one page, which needs no other file and no server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from course import data
from course.live import bundle

PARTS = Path(__file__).with_name("playground")
PICTURES = 500
LETTERS = "0123456789abcdefg"
"""A pixel of the digits, 0 to 16, as one letter."""


def playground_page(lessons: Mapping[str, str] | None = None) -> str:
    """The playground as HTML: its parts, its style and its digits in one text.

    lessons: the address of a lesson's page by the slug of its notebook, {"isometry": "07b.html"}; a
    lesson that is not named there is mentioned without a link.
    Browsers refuse modules that a file on a disk asks for, so the modules of `playground/` become
    one script, each after those that it imports; a name stands in one module only.
    """
    page = (PARTS / "index.html").read_text(encoding="utf-8")
    stored = json.dumps(stored_digits() | {"lessons": dict(lessons or {})}).replace("<", "\\u003c")
    for mark, text in (
        ("/* style.css */", (PARTS / "style.css").read_text(encoding="utf-8")),
        ('id="stored">', f'id="stored">{stored}'),
        ("/* main.js */", bundle(PARTS / "main.js")),
    ):
        before, found, after = page.partition(mark)
        assert found, f"index.html has lost its mark {mark}"
        page = before + text + after
    return page


def stored_digits() -> dict[str, str | float]:
    """The first digits of the training set, as `playground/data.js` reads them.

    pictures: a letter of `LETTERS` for each pixel; labels: a figure for each picture; mean and sd
    of the pixels, 0 to 1, as `data.digits` standardizes them.
    """
    digits = data.digits()
    (mean,), (sd,) = digits.mean, digits.sd
    pixels = np.rint(16 * (digits.x_train[:PICTURES].double().numpy() * sd + mean)).astype(int)
    return {
        "pictures": "".join(LETTERS[pixel] for pixel in pixels.flat),
        "labels": "".join(str(label) for label in digits.y_train[:PICTURES].tolist()),
        "mean": float(mean),
        "sd": float(sd),
    }
