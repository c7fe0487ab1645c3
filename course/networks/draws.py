"""Random draws that are kept: what a slider leaves as it was is not drawn again.

What is drawn is a function of the state of its stream and of its shape. So from a state that has
been seen before the same numbers are handed out again, and the stream goes on behind them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Generator, Tensor

MOST, EACH = 64 * 2**20, 2**20
"""Bytes that are kept in all, the latest used; and of one draw, above which it is not."""

Draw = Callable[[int, int, Generator], tuple[Tensor, ...]]

_kept: OrderedDict[Any, tuple[tuple[Tensor, ...], Tensor]] = OrderedDict()
_bytes = 0
_turn = threading.Lock()  # trainings make their networks in threads


def kept(draw: Draw) -> Draw:
    """``draw(rows, columns, generator)``, which is not carried out twice from the same state.

    What it returns is shared: never change it in place. Only draws on the CPU are kept.
    """

    @wraps(draw)
    def again(rows: int, columns: int, generator: Generator) -> tuple[Tensor, ...]:
        if generator.device.type != "cpu":
            return draw(rows, columns, generator)
        key = draw, rows, columns, generator.get_state().numpy().tobytes()
        with _turn:
            if found := _kept.get(key):
                _kept.move_to_end(key)
        if found:
            drawn, after = found
            generator.set_state(after)
            return drawn
        drawn = draw(rows, columns, generator)
        _keep(key, drawn, generator.get_state())
        return drawn

    return again


@kept
def gaussians(rows: int, columns: int, generator: Generator) -> tuple[Tensor]:
    """Standard normal numbers, float64."""
    options: dict[str, Any] = {"device": generator.device, "dtype": torch.float64}
    return (torch.randn(rows, columns, generator=generator, **options),)


@kept
def uniforms(rows: int, columns: int, generator: Generator) -> tuple[Tensor]:
    """Numbers from 0 to 1, float64."""
    options: dict[str, Any] = {"device": generator.device, "dtype": torch.float64}
    return (torch.rand(rows, columns, generator=generator, **options),)


@kept
def factors(rows: int, columns: int, generator: Generator) -> tuple[Tensor, ...]:
    """U, S and V^T of a Gaussian matrix."""
    return tuple(torch.linalg.svd(*gaussians(rows, columns, generator), full_matrices=False))


def _keep(key: Any, drawn: tuple[Tensor, ...], after: Tensor) -> None:
    global _bytes
    size = _size(drawn, after)
    with _turn:
        if size > EACH or key in _kept:
            return
        _kept[key] = drawn, after
        _bytes += size
        while _bytes > MOST:
            _, oldest = _kept.popitem(last=False)
            _bytes -= _size(*oldest)


def _size(drawn: tuple[Tensor, ...], after: Tensor) -> int:
    return sum(tensor.nbytes for tensor in (*drawn, after))
