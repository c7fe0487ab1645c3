"""What runs in the student's kernel: evaluates an expression and publishes its value as plain data.

It is sent to the kernel as text, so it needs nothing but Python; it knows no test and no answer.
A submission may tamper with it: all it can change is the data that it answers with.
"""

from __future__ import annotations

import json
from typing import Any

MIME = "application/x-course-answer"
MOST = 200_000  # numbers in one answer


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as JSON: arrays and tensors marked as such, anything else by the name of its type."""
    if depth > 6:
        return {"other": "a value nested too deep"}
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < 4000 else {"other": "a huge integer"}
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        if value.dtype.kind not in "biuf":
            return {"other": f"an array of {value.dtype}"}
        if value.size > MOST:
            return {"other": "an array of more than 200,000 numbers"}
        return {"array": value.tolist()}
    if isinstance(value, list | tuple):
        return [plain(entry, depth + 1) for entry in value[:MOST]]
    if isinstance(value, dict):
        return {"dict": [[plain(k, depth + 1), plain(v, depth + 1)] for k, v in value.items()]}
    return {"other": type(value).__name__}


def given(value: Any) -> Any:
    """A value of a request: an array or tensor again where it was one."""
    if isinstance(value, list):
        return [given(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {given(k): given(v) for k, v in value["dict"]}
    import numpy

    array = numpy.asarray(value["array"], dtype=value["dtype"])
    if not value["torch"]:
        return array
    import torch

    return torch.tensor(array)


def reply(request: str, space: dict[str, Any]) -> str:
    """The answer to a request, evaluated with the names in `space`: {"value"} or {"error"}."""
    asked = json.loads(request)
    values = {name: given(value) for name, value in asked["values"].items()}
    try:
        return json.dumps({"value": plain(eval(asked["expression"], {**space, **values}))})
    except BaseException as problem:  # an interrupt or exit is an answer too
        said = f": {str(problem)[:300]}" if str(problem) else "."
        return json.dumps({"error": type(problem).__name__ + said})


def answer(request: str, space: dict[str, Any]) -> None:
    """Publishes the answer as an output that only the grader reads."""
    from IPython import get_ipython

    get_ipython().display_pub.publish({MIME: reply(request, space)})
