"""A live figure moved as in a notebook: controls that change together are drawn once."""

from __future__ import annotations

import asyncio
import itertools
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Place = Mapping[str, Any]  # values by the names of the controls
UNREAD = re.compile(
    r"(?<![\d.,])1 (blocks|layers|maps|matrices|points|runs|steps|units)\b|\d[eE][+-]?\d| none,"
)
"""What is not said to people: "1 layers", "3e+04", "plain, none, ..."."""


class Visit(NamedTuple):
    """What a figure said and showed at each place."""

    texts: list[str]
    pictures: list[bytes]


def corners(**values: Sequence[Any]) -> list[Place]:
    """Every combination of these values of the controls."""
    rows = itertools.product(*values.values())
    return [dict(zip(values, row, strict=True)) for row in rows]


def ends(panel: Any, **values: Sequence[Any]) -> list[Place]:
    """Each control at each of its values, the others as they are; all at the first, at the last.

    That is a sum of places where `corners` has a product. Where the panel is now is left out.
    """
    first = {name: panel.values[name] for name in values}
    places = [{**first, name: value} for name, row in values.items() for value in row]
    places += [{**first, **{name: row[k] for name, row in values.items()}} for k in (0, -1)]
    return [place for k, place in enumerate(places) if place not in [first, *places[:k]]]


def visit(panel: Any, places: Iterable[Place]) -> Visit:
    """A visit to each place: no error, no warning, and Reset brings the first text back."""
    texts, pictures = [], []

    async def visits() -> None:
        # A drawing waits for a moment of quiet, where there is an event loop: see live/figure.py.
        first = panel.text
        for place in places:
            for name, value in place.items():
                panel.controls[name].value = value
            texts.append(panel.text)
            pictures.append(panel.png)
        panel.reset()
        assert panel.text == first

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(visits())
    for text in texts:
        assert "Error" not in text and "Warning" not in text, text
        assert not UNREAD.search(text), text
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    return Visit(texts, pictures)
