"""The kernels of batch norm (course/networks/kernels.c) among the operations of a step."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from torch import Tensor

from course.training.operations import Call, aten, geometry, place, schema, tensors

NEEDLESS = {aten.empty_like.default, aten.threshold_backward.default}  # if nobody uses the result


def fused(calls: Sequence[Call], outputs: Sequence[Tensor]) -> list[Call]:
    """The calls with fewer passes over memory, and the same numbers bit for bit.

    A ReLU that has a batch norm for itself becomes part of the kernel, and its derivative part of
    the kernel of the way back. A kernel's call here does not name the memory of its results, which
    nobody need ask for any more: `operations.into` gives it. (Where outputs are among its results,
    it stays as it is.)
    """
    given = set(map(place, outputs))
    calls = [_reading(call, given) for call in calls]
    makers = {place(result): call for call in calls for result in call.results}
    users: dict[int, list[Call]] = {}
    for call in calls:
        for where in set(map(place, tensors(call.arguments))):
            users.setdefault(where, []).append(call)
    new: list[Call] = []
    relus: set[int] = set()
    for call in calls:
        kernel = schema(call.operation).name if _reads(call) else None
        if kernel == "course::normalize":
            relu = _relu(call.results[0], users.get(place(call.results[0]), ()), given)
            relus.add(id(relu))
            new.append(_forward(call, relu))
        elif kernel == "course::normalize_backward":
            new.append(_backward(call, makers.get(place(call.arguments[0]))))
        elif id(call) not in relus:
            new.append(call)
    return _used(new, outputs)


def _reading(call: Call, given: AbstractSet[int]) -> Call:
    """The call; of a kernel whose results are not given away, with what it reads only."""
    operation, arguments, results = call
    if operation.namespace != "course" or given & set(map(place, results)):
        return call
    return Call(operation, arguments[: -len(results)], results)


def _reads(call: Call) -> bool:
    """Whether it is such a kernel: the last argument is its `relu`."""
    return call.operation.namespace == "course" and isinstance(call.arguments[-1], bool)


def _relu(y: Tensor, users: Sequence[Call], given: AbstractSet[int]) -> Call | None:
    """The ReLU that is the only user of y, if there is one whose result is not given away."""
    if len(users) != 1 or users[0].operation is not aten.relu.default:
        return None
    x, result = users[0].arguments[0], users[0].results[0]
    return users[0] if geometry(x) == geometry(y) and place(result) not in given else None


def _forward(call: Call, relu: Call | None) -> Call:
    """The kernel with this ReLU behind it."""
    *read, _ = call.arguments
    y, *statistics = call.results
    results = [*(relu.results if relu else [y]), *statistics]
    return Call(call.operation, [*read, relu is not None], results)


def _backward(call: Call, maker: Call | None) -> Call:
    """The kernel with the derivative of a ReLU in front, if that is what made the slopes dy."""
    dy, _, *read, _ = call.arguments
    if maker is None or maker.operation is not aten.threshold_backward.default:
        return call
    slopes, y, threshold = maker.arguments
    if threshold != 0 or not geometry(slopes) == geometry(y) == geometry(dy):
        return call
    return Call(call.operation, [slopes, y, *read, True], call.results)


def _used(calls: Sequence[Call], outputs: Sequence[Tensor]) -> list[Call]:
    """The calls without those that nobody needs any more."""
    used, left = set(map(place, outputs)), []
    for call in reversed(calls):
        results = set(map(place, call.results))
        if call.operation not in NEEDLESS or used & results:
            used = (used - results) | set(map(place, tensors(call.arguments)))
            left.append(call)
    return left[::-1]
