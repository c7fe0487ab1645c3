"""The rules for notebooks (course_tests/store.py explains them), and the command that stores them.

That every cell still gives its stored output is checked by nbval, in the same pytest command.
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from nbformat import NotebookNode

from course.selfcheck.marks import MARK
from course_tests import store

PATHS = sorted(store.NOTEBOOKS.glob("*.ipynb"))
NUMBERED = store.numbered()  # the glossary has no number
LESSONS = NUMBERED[1:]
RHYTHM = {
    "You will be able to": "g", "People say": "m", "Predict": "p", "Observe": "o", "Explain": "e",
    "Worked example": "w", "Faded example": "f", "Exercise": "x", "What we learned": "l",
    "Transfer": "t", "References": "r",
}  # fmt: skip
IN_ORDER = re.compile(r"gm(poe)+wfxltr")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")

every = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
numbered = pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def cells(path: Path, kind: str) -> list[NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == kind]


def texts(cell: NotebookNode) -> list[str]:
    """All that the cell's outputs say in plain text."""
    said = [o.text for o in cell.outputs if o.output_type == "stream"]
    return said + [o.data["text/plain"] for o in cell.outputs if "text/plain" in o.get("data", {})]


def test_there_are_notebooks() -> None:
    names = [path.name for path in NUMBERED]
    assert [path.name for path in PATHS] == [*names, "glossary.ipynb"]
    assert all(re.fullmatch(r"\d\d[a-z]?(_[a-z0-9]+)+\.ipynb", name) for name in names), names
    assert names[0].startswith("00") and len(set(map(store.number, NUMBERED))) == len(names)


@every
def test_stored_as_the_command_stores(path: Path) -> None:
    stored = path.read_text(encoding="utf-8")
    again = store.as_text(store.tidy(nbformat.reads(stored, as_version=4)))
    assert stored == again, f"store it: python -m course_tests.store notebooks/{path.name}"
    assert len(stored) < 1_000_000, "outputs are too large for a page that loads quickly"
    for cell in cells(path, "code"):
        assert cell.source.strip(), "an empty cell"
        assert not any(o.output_type == "error" for o in cell.outputs), cell.source
        assert not any(o.get("name") == "stderr" for o in cell.outputs), cell.source


@every
def test_code_cells_are_short(path: Path) -> None:
    counts = [sum(bool(row.strip()) for row in c.source.splitlines()) for c in cells(path, "code")]
    assert statistics.median(counts) <= 5 and max(counts) <= 15, counts


@every
def test_every_picture_is_backed_by_text(path: Path) -> None:
    for cell in cells(path, "code"):
        if any("image/png" in o.get("data", {}) for o in cell.outputs):
            words = " ".join(texts(cell))
            assert len(words.split()) >= 5 and "<Figure" not in words, cell.source


@every
def test_outputs_are_the_same_on_every_machine(path: Path) -> None:
    for cell in cells(path, "code"):
        said = "\n".join(texts(cell))
        assert not re.search(r"\b0x[0-9a-f]{6,}\b", said), f"an object's address: {said}"
        assert not re.search(r"(?<![\w.])/(home|root|tmp|usr|work|Users)/", said), said
        assert not re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)", cell.source), "nbval must look"
        assert not cell.source.rstrip().endswith(";"), "validation shows the value all the same"


@every
def test_marks_hold_measured_numbers_that_a_check_asserts(path: Path) -> None:
    for cell in cells(path, "code"):
        assert not set("⟨⟩") & set(cell.source), (
            f"marks are set by agree, holds and kin: {cell.source}"
        )
        for said in texts(cell):
            rest = MARK.sub("", said)
            assert not set("⟨⟩") & set(rest), f"not a number in a mark: {said}"


@every
def test_links_are_complete(path: Path) -> None:
    for cell in cells(path, "markdown"):
        assert cell.source.count("](") == len(LINK.findall(cell.source)), cell.source
        for picture, words, target in LINK.findall(cell.source):
            assert words.strip(), f"a link or picture without words: {target}"
            parts = urlsplit(target)
            if parts.scheme:
                assert parts.scheme == "https" and "." in parts.netloc, target
            else:
                assert (path.parent / parts.path).is_file() and not picture, target


@numbered
def test_the_first_cell_says_what_to_expect(path: Path) -> None:
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert re.match(rf"# {store.number(path)} · \S", first.source), first.source
    assert re.search(r"\d+ minutes", first.source) and re.search(r"\d+ seconds", first.source)
    titles = [c for c in cells(path, "markdown") if re.search(r"^# ", c.source, re.M)]
    assert len(titles) == 1


@lesson
def test_the_rhythm(path: Path) -> None:
    assert "Prerequisites" in read(path).cells[0].source
    headings = re.findall(
        r"^## (.+)$", "\n".join(c.source for c in cells(path, "markdown")), flags=re.M
    )
    found = ""
    for heading in headings:
        known = [word for word in RHYTHM if re.match(rf"{word}\b", heading)]
        assert known, f"'## {heading}' is none of {list(RHYTHM)}: use '###'"
        found += RHYTHM[known[0]]
    assert IN_ORDER.fullmatch(found), f"the order is {found}: {headings}"


@lesson
def test_predictions_come_before_and_are_asked_again(path: Path) -> None:
    code = "\n".join(cell.source for cell in cells(path, "code"))
    asked = re.findall(r"\bpredict\(\s*[\"']([^\"']+)", code)
    again = re.findall(r"\brevisit\(\s*[\"']([^\"']+)", code)
    assert len(asked) >= 2 and len(set(asked)) == len(asked)
    assert sorted(asked) == sorted(again), "each prediction is asked again once it was seen"
    assert all(id.startswith(path.name[:3].replace("_", "-")) for id in asked), asked
    for id in asked:
        assert code.index(f'"{id}"') < code.rindex(f'"{id}"')


@every
def test_the_first_line_of_a_reveal_keeps_the_answer(path: Path) -> None:
    """JupyterLab shows the first line of a folded cell: with a trailing comma it is `revisit(`."""
    for cell in cells(path, "code"):
        first = cell.source.splitlines()[0]
        assert "revisit(" not in cell.source or "answer=" not in first, first


@lesson
def test_exercises_are_unfilled_and_checked(path: Path) -> None:
    checked = [cell for cell in cells(path, "code") if re.search(r"\bcheck\w*\(", cell.source)]
    assert any("not yet" in " ".join(texts(cell)) for cell in checked)
    assert any(re.search(r"\.\.\.", cell.source) for cell in cells(path, "code"))


@lesson
def test_sources_are_linked(path: Path) -> None:
    whole = "\n\n".join(cell.source for cell in cells(path, "markdown"))
    assert len(LINK.findall(whole.split("## References")[-1])) >= 2


def test_the_map_links_every_notebook() -> None:
    linked = LINK.findall("\n".join(cell.source for cell in cells(PATHS[0], "markdown")))
    missing = {path.name for path in LESSONS} - {target for _, _, target in linked}
    assert not missing, "they are not in the map of notebook 00: python -m course_tests.store"


def write(path: Path, *sources: str) -> Path:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(notebook, path)
    return path


def test_storing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "some.ipynb",
        "import os\nprint(os.environ['COURSE_WAIT'], os.environ['OMP_NUM_THREADS'])",
        "import ipywidgets\nprint('one', flush=True)\nprint('two')\nipywidgets.IntSlider()",
        "from course.selfcheck import *\npredict('01-size', 'How large?', ['small', 'large'])",
        "predict('01-size', 'How large?', ['small', 'large'])",
        "from course.live import show\nfrom course.plots import style\n"
        "show(style.figure()[0], 'an empty picture')",
    )
    store.store(path)
    first = path.read_bytes()
    store.store(path)
    assert path.read_bytes() == first and list(tmp_path.iterdir()) == [path]
    stored = read(path)
    assert [cell.execution_count for cell in stored.cells] == [1, 2, 3, 4, 5]
    assert len({cell.id for cell in stored.cells}) == 5 and "widgets" not in stored.metadata
    assert stored.cells[0].outputs[0].text == "1 1\n"
    assert stored.cells[1].outputs[0].text == "one\ntwo\n"
    assert list(stored.cells[1].outputs[1].data) == ["text/plain"]
    assert sorted(stored.cells[2].outputs[0].data) == ["text/html", "text/plain"]
    assert sorted(stored.cells[4].outputs[0].data) == ["image/png", "text/plain"]


@pytest.mark.parametrize(
    ("source", "folded"),
    [
        ('predict("01-size", "How large?", ["a", "b"])', True),
        ('x = 3\nrevisit("01-size", answer="a")', True),
        ("agree(run.growth, 1.2, 0.1)\nholds('so', a, '<', b)", True),
        ("for n in (1, 2):\n    agree(n, n, 0)", True),
        ("if DATA == 'digits':\n    paired('so', a, b)\nelse:\n    holds('so', a, '<', b)", True),
        ("explorer.explore(depth=30)", True),
        ("remedies_explorer.explore_map()", True),
        ("fig, ax = style.figure(8.0, 3.2)\npictures.rates(ax, x)\nshow(fig, 'words')", True),
        ("show(tables.accuracy(mnist))", True),
        ("show_source(networks.blocks)", True),
        ("run = science.measure(0.5)\nagree(run.growth, 1.2, 0.1)", False),
        ("x = science.train()\nfig, ax = style.figure(8.0, 3.2)\nshow(fig)", False),
        ("for n in (1, 2):\n    x = n\n    agree(n, n, 0)", False),
        ("if True:\n    agree(1, 1, 0)\nelse:\n    x = 3", False),
        ("check_clip(clip)", False),
        ("share = ...", False),
        ("agree", False),
        ("print(agree)", False),
        ("# nothing", False),
        ("%timeit predict", False),
    ],
)
def test_what_only_asks_shows_or_draws_is_folded(source: str, folded: bool) -> None:
    assert store.folds(source) is folded
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source), nbformat.v4.new_markdown_cell(source)]
    notebook.cells[0].metadata["jupyter"] = {"source_hidden": not folded, "outputs_hidden": True}
    code, words = store.tidy(notebook).cells
    assert code.metadata == ({"jupyter": {"source_hidden": True}} if folded else {})
    assert words.metadata == {}


def test_the_map_gets_its_links(tmp_path: Path) -> None:
    start = nbformat.v4.new_notebook()
    table = "| | notebook | question |\n| 01 | One | Why? |\n| 02 | [Two](old.ipynb) | How? |"
    start.cells = [nbformat.v4.new_markdown_cell(table)]
    nbformat.write(start, tmp_path / "00_start.ipynb")
    write(tmp_path / "02_two.ipynb", "1 + 1")
    for _ in range(2):
        store.link_the_map(tmp_path)
        rows = read(tmp_path / "00_start.ipynb").cells[0].source.splitlines()
        assert rows[1:] == ["| 01 | One | Why? |", "| 02 | [Two](02_two.ipynb) | How? |"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [("1 / 0", "ZeroDivisionError"), ("import warnings; warnings.warn('mind')", "stderr")],
)
def test_a_notebook_that_fails_or_warns_is_refused(tmp_path: Path, bad: str, words: str) -> None:
    path = write(tmp_path / "some.ipynb", "1 + 1", bad)
    before = path.read_bytes()
    with pytest.raises(store.Refused, match=words):
        store.store(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
