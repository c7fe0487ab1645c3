"""Modules of JavaScript put together as one: neither a notebook nor a page from a disk loads more.

Browsers refuse modules that a file on a disk asks for, and a notebook sends a widget one text.
"""

from __future__ import annotations

import re
from pathlib import Path

IMPORT = re.compile(r'^import [^;]*? from "(\.[\w./-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=const|class|function|async)", re.MULTILINE)


def bundle(module: Path) -> str:
    """The module and all that it imports, as one text without imports.

    Each module stands after those that it imports; a name stands in one module only. An `export
    default` stays.
    """
    return "\n".join(f"// ---- {path.name} ----\n{_alone(path)}" for path in _in_order(module, []))


def _in_order(module: Path, before: list[Path]) -> list[Path]:
    for needed in IMPORT.findall(module.read_text(encoding="utf-8")):
        path = (module.parent / needed).resolve()
        if path not in before:
            before = _in_order(path, before)
    return [*before, module]


def _alone(module: Path) -> str:
    return EXPORT.sub("", IMPORT.sub("", module.read_text(encoding="utf-8")))
