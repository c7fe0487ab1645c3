"""Pictures as arrays, and how matplotlib alone draws a figure."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


def from_nothing(fig: Figure) -> np.ndarray:
    """What matplotlib alone draws, on white: (height, width, 3)."""
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba()).astype(float)
    alpha = drawn[..., 3:] / 255
    return np.rint(drawn[..., :3] * alpha + 255 * (1 - alpha))


def pixels(png: bytes) -> np.ndarray:
    """The pixels of an encoded picture: (height, width, 3)."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(float)
