"""The house: front doors that open, lessons named as their notebooks, and a map that is true."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys

import pytest

import course
from course_tests import store
from course_tests.repository import ROOT, pyproject

HOUSE = ROOT / "course"
DOORS = sorted(stub.parent.name for stub in HOUSE.glob("*/__init__.pyi"))
FLAT = {"__init__.py", "arguments.py", "seeding.py", "files.py"}


def offered(folder: str) -> list[str]:
    """The names that the front door of `folder` lists, in reading order."""
    stub = ast.parse((HOUSE / folder / "__init__.pyi").read_text(encoding="utf-8"))
    return [alias.name for line in stub.body for alias in getattr(line, "names", [])]


@pytest.mark.parametrize("folder", DOORS)
def test_a_front_door_gives_all_that_it_lists(folder: str) -> None:
    door = importlib.import_module(f"course.{folder}")
    names = offered(folder)
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(door, name) is not None
    assert set(names) <= set(dir(door))


@pytest.mark.parametrize("folder", DOORS)
def test_no_module_bears_the_name_of_what_it_holds(folder: str) -> None:
    """`from course.FOLDER import name` would give the one or the other, by what came first."""
    modules = {path.stem for path in (HOUSE / folder).glob("*.py")}
    door = importlib.import_module(f"course.{folder}")
    for name in modules & set(offered(folder)):
        assert getattr(door, name).__name__ == f"course.{folder}.{name}"


@pytest.mark.parametrize("folder", DOORS)
def test_the_words_of_a_front_door_name_every_module(folder: str) -> None:
    words = str(importlib.import_module(f"course.{folder}").__doc__)
    modules = {path.stem for path in (HOUSE / folder).glob("*.py")} - {"__init__"}
    assert [name for name in modules if f"\n{name} " not in words] == []


def test_front_doors_load_nothing_before_it_is_used() -> None:
    folders = ", ".join(path.parent.name for path in HOUSE.glob("*/__init__.py"))
    code = (
        f"import sys\nfrom course import {folders}\n"
        "print([m for m in ('torch', 'matplotlib', 'ipywidgets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_notebook_has_a_folder_of_its_name() -> None:
    slugs = {store.slug(path) for path in store.numbered()}
    folders = {path.parent.name for path in (HOUSE / "lessons").glob("*/__init__.py")}
    assert folders == slugs - {"start_here"}


def test_the_syllabus_is_the_order_of_the_notebooks() -> None:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    (syllabus,) = [one["layers"] for one in contracts if one["id"] == "syllabus"]
    notebooks = store.numbered()
    assert syllabus[::-1] == [store.slug(path) for path in notebooks[1:]]


def test_the_map_names_every_folder() -> None:
    folders = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert [name for name in folders if f"\n{name} " not in str(course.__doc__)] == []
    assert {path.name for path in HOUSE.glob("*.py")} == FLAT


def test_each_lesson_names_its_notebook() -> None:
    for door in (HOUSE / "lessons").glob("*/__init__.py"):
        text = door.read_text(encoding="utf-8")
        (notebook,) = [p for p in store.numbered() if store.slug(p) == door.parent.name]
        assert f"`notebooks/{notebook.name}`" in text
