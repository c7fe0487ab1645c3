"""What becomes of an error, or an interrupt, while a live figure is drawn."""

from __future__ import annotations

import contextlib
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any


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
    error = "".join(traceback.format_exception_only(problem)).strip()
    frames = traceback.extract_tb(problem.__traceback__)
    file = getattr(getattr(draw, "__code__", None), "co_filename", None)
    place = ([frame for frame in frames if frame.filename == file] or frames)[-1]
    return f"{error}\n(in {place.name}, line {place.lineno}: {place.line})"
