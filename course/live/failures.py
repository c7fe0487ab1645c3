"""What becomes of an error while a live figure is drawn or a network trained, or an interrupt."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LIVE = Path(__file__).parent
_folders = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
LIBRARIES = tuple(str(Path(f).resolve()) + os.sep for f in (str(LIVE.parent), *_folders))
"""Where code lies that is not the reader's own."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let "interrupt the kernel" end an endless drawing: between cells the kernel ignores it."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def explain(problem: BaseException, draw: Callable[..., Any]) -> str:
    """The error, and the line of `draw` where it happened."""
    if isinstance(problem, KeyboardInterrupt):
        return "Interrupted. Move a control to draw again."
    error = _error(problem)
    frames = traceback.extract_tb(problem.__traceback__)
    file = getattr(getattr(draw, "__code__", None), "co_filename", None)
    place = ([frame for frame in frames if frame.filename == file] or frames)[-1]
    return f"{error}\n(in {place.name}, line {place.lineno}: {place.line})"


def of_training(problem: BaseException) -> str:
    """The error, and each line of the reader's own that led to it, the innermost last.

    Where none has, as in a network and a training of this package, the line that raised it.
    """
    frames = traceback.extract_tb(problem.__traceback__)
    inner = [frame for frame in frames[-1:] if Path(frame.filename).parent != LIVE]
    places = [frame for frame in frames if _own(frame.filename)] or inner
    lines = (
        f"(in {place.name}, {_file(place.filename)}, line {place.lineno}: {place.line})"
        for place in places
    )
    return "\n".join(["The training ended with an error.", _error(problem), *lines])


def _error(problem: BaseException) -> str:
    return "".join(traceback.format_exception_only(problem)).strip()


def _own(file: str) -> bool:
    return not (file.startswith("<frozen ") or str(Path(file).resolve()).startswith(LIBRARIES))


def _file(file: str) -> str:
    """What Jupyter calls it: "Cell In[5]", or a file's name."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    cell = shell.compile.format_code_name(file) if shell is not None else None
    return " ".join(cell) if cell else Path(file).name
