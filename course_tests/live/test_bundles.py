"""What is put together as one module has each name once: twice, and the page would show nothing."""

from __future__ import annotations

import collections
import re
from pathlib import Path

import pytest

import course
from course.live.modules import bundle

ROOT = Path(course.__file__).parent
MODULES = [ROOT / "site/playground/main.js", *sorted(ROOT.glob("lessons/*/explorer*.js"))]
NAMED = re.compile(r"^(?:async )?(?:const|let|class|function\*?) (\w+)", re.MULTILINE)
SEVERAL = re.compile(r"^(?:const|let) [\[{]([^=]*)[\]}] =", re.MULTILINE)


def names(text: str) -> list[str]:
    """The names at the top of a module, in order."""
    several = [name for group in SEVERAL.findall(text) for name in re.findall(r"\w+", group)]
    return NAMED.findall(text) + several


def test_names_are_found() -> None:
    text = "const A = 1;\nclass B {}\nasync function c() {\n  let inner;\n}\nlet [d, e] = [1, 2];\n"
    assert names(text) == ["A", "B", "c", "d", "e"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_name_stands_in_one_module_only(module: Path) -> None:
    counts = collections.Counter(names(bundle(module)))
    assert len(counts) > 20
    assert [name for name, count in counts.items() if count > 1] == []
