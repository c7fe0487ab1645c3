"""Pictures with few colours: a page is read on slow lines, too."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

COLOURS = 256


def paletted(png: bytes) -> Image.Image:
    """The picture with a palette of `COLOURS` colours; where it has more, the rarest give way."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    counted: list[Any] = image.getcolors(image.width * image.height) or []
    colours = np.array([colour for _, colour in sorted(counted, reverse=True)])
    common = colours[:COLOURS]  # Pillow's own way to a palette makes white grey
    apart = (common**2).sum(1) - 2 * colours @ common.T
    nearest = np.zeros(1 << 24, np.uint8)
    nearest[_code(colours)] = apart.argmin(1)
    places = Image.fromarray(nearest[_code(np.asarray(image).astype(np.int32))])
    places.putpalette(common.astype(np.uint8).tobytes())
    return places


def smaller(png: bytes) -> bytes:
    """The picture as PNG with a palette, or as it is where that is not smaller."""
    written = io.BytesIO()
    paletted(png).save(written, "PNG", optimize=True)
    return min(written.getvalue(), png, key=len)


def _code(colours: np.ndarray) -> np.ndarray:
    """Red, green and blue, the last axis, as one number."""
    return (colours[..., 0] << 16) + (colours[..., 1] << 8) + colours[..., 2]
