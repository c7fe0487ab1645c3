"""The memory in which a recorded step computes: the same at every step, and used again within one.

Then nothing is allocated, and a view of a result is the same at every step too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, UntypedStorage

from course.training.operations import Call, geometry, into, place, tensors


class Workspace:
    """Memory for those results of the calls that torch can write into memory that it is given.

    It is the memory of the results themselves. What was read for the last time leaves its own to
    the next result of that size, the most recent first, since that is in the cache. An operation
    entry by entry writes over what it is the last to read. Outputs have no memory here: whoever
    keeps one must not see it change at the next step.
    """

    def __init__(self, calls: Sequence[Call], outputs: Sequence[Tensor]) -> None:
        last = {place(each): n for n, call in enumerate(calls) for each in tensors(call[1:])}
        last.update((place(each), len(calls)) for each in outputs)
        self.found: dict[int, UntypedStorage] = {}  # by the place of the result
        free: dict[int, list[UntypedStorage]] = defaultdict(list)  # by bytes
        for number, call in enumerate(calls):
            ends = {place(each) for each in tensors(call[1:]) if last[place(each)] == number}
            mine = all(place(each) and last[place(each)] < len(calls) for each in call.results)
            for result in call.results if mine and into(call, call.results) else ():
                over = _overwritten(call, result, ends & self.found.keys())
                ends.discard(over)
                own = result.untyped_storage()
                same = [self.found[over]] if over else free[own.nbytes()]
                self.found[place(result)] = same.pop() if same else own
            for each in ends & self.found.keys():
                free[self.found[each].nbytes()].append(self.found[each])

    def __contains__(self, tensor: Tensor) -> bool:
        return place(tensor) in self.found

    def __getitem__(self, tensor: Tensor) -> Tensor:
        """The result, or the view of a result, in its memory here."""
        shape, strides, offset = geometry(tensor)
        empty = torch.empty(0, dtype=tensor.dtype)
        return empty.set_(self.found[place(tensor)], offset, shape, strides)


def _overwritten(call: Call, result: Tensor, places: Collection[int]) -> int:
    """That of the places over which the call can write the result; 0 if there is none."""
    if torch.Tag.pointwise not in call.operation.tags:
        return 0
    shown = geometry(result), result.dtype
    for each in places:
        there = [tensor for tensor in tensors(call.arguments) if place(tensor) == each]
        if there and all((geometry(tensor), tensor.dtype) == shown for tensor in there):
            return each
    return 0
