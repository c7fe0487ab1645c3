"""Pictures as arrays, and how matplotlib alone draws a figure."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


def from_nothing(fig: Figure) -> np.ndarray:
    """What matplotlib alone draws, on white: (height, width, 3), integers."""
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())
    if drawn[..., 3].min() == 255:  # as nearly always: nothing of the white is seen
        return drawn[..., :3].astype(np.int16)
    alpha = drawn[..., 3:] / 255
    return np.rint(drawn[..., :3] * alpha + 255 * (1 - alpha)).astype(np.int16)


def pixels(png: bytes) -> np.ndarray:
    """The pixels of an encoded picture: (height, width, 3), integers."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(np.int16)
