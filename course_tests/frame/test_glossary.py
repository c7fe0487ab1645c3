"""The glossary: complete lines, terms introduced before they are used, symbols of one meaning."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from course import handbook
from course_tests import debts, wording
from course_tests.store import numbered, slug

PATHS = numbered()
every = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def test_each_term_has_a_meaning_and_a_notebook_that_is_there() -> None:
    slugs = wording.order()
    for term in handbook.TERMS.values():
        assert term.meaning.endswith(".") and len(term.meaning.split()) <= 30, term
        assert term.notebook in slugs, term
    forms = [form for term in handbook.TERMS.values() for form in term.forms]
    assert all(forms) and len(set(forms)) == len(forms)
    assert set(wording.SECOND_MEANINGS) <= set(handbook.SYMBOLS)
    for symbol in handbook.SYMBOLS.values():
        assert symbol.meaning and symbol.notebook in slugs, symbol


@every
def test_a_notebook_names_what_it_introduces(path: Path) -> None:
    """Else a line of the glossary leads to a page that does not know the term."""
    notebook = nbformat.read(path, as_version=4)
    missing = wording.unnamed_terms(notebook, slug(path))
    advice = "Introduce it there, or name another notebook in terms.csv."
    debts.settle(slug(path), "unnamed", missing, advice)


@every
def test_a_term_is_introduced_before_it_is_used(path: Path) -> None:
    early = wording.early_terms(nbformat.read(path, as_version=4), slug(path))
    advice = f"Link it to glossary.ipynb or say it in other words. {early}"
    debts.settle(slug(path), "terms", early, advice)


@every
def test_a_symbol_has_one_meaning(path: Path) -> None:
    others = wording.second_meanings(nbformat.read(path, as_version=4))
    advice = f"See handbook.symbols(). {others}"
    debts.settle(slug(path), "symbols", others, advice)


def notebook_of(*texts: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    return nbformat.v4.new_notebook(cells=cells)


def test_early_terms_are_seen_and_links_excuse_them() -> None:
    text = "Batch  normalization and\nskips. VAN, a van; GELUs. $\\chi_1$, $\\chicken$"
    early = wording.early_terms(notebook_of(text), "scalar_chain")
    assert set(early) == {"batch norm", "skip connection", "VAN", "GELU", "chi"}
    assert wording.early_terms(notebook_of(text), wording.order()[-1]) == {}
    linked = notebook_of("[batch norm](glossary.ipynb)\n\n## References\n\nHighway networks")
    assert wording.early_terms(linked, "scalar_chain") == {}


@pytest.mark.parametrize(
    ("formula", "symbols"),
    [
        ("w^n", {"n"}), ("w^L", set()), ("y_n", {"n"}), ("Var W = 1/n", set()),
        ("k = L - l", {"k"}), ("s_k", set()), ("C C^T", {"C"}), ("dC/dW", set()),
        ("s^2/n", {"s"}), ("s_1^2", set()),
        (r"\sum s^2", set()), (r"\partial L/\partial w", {"L"}), (r"f(\alpha, \beta)", {"α"}),
        (r"(1 - \alpha)\,h", set()),
    ],
)  # fmt: skip
def test_second_meanings_are_seen(formula: str, symbols: set[str]) -> None:
    found = wording.second_meanings(notebook_of(f"Text with ${formula}$ in it."))
    assert set(found) == symbols


def test_debts_name_notebooks_and_tests() -> None:
    kinds = {"terms", "unnamed", "symbols", "minutes", "map"}
    for path in debts.files():
        lists = debts.tomllib.loads(path.read_text(encoding="utf-8"))
        assert path.stem in wording.order() and lists, path
        assert set(lists) <= kinds and all(lists.values()), path


def test_what_was_mended_must_leave_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debts, "ROOT", tmp_path)
    monkeypatch.setattr(debts, "FOLDER", tmp_path)
    (tmp_path / "some.toml").write_text('terms = ["a", "b"]\n')
    debts.settle("some", "terms", ["a", "b"], "mend it")
    with pytest.raises(AssertionError, match="mended: delete"):
        debts.settle("some", "terms", ["a"], "mend it")
    with pytest.raises(AssertionError, match=r"\['c'\]. mend it"):
        debts.settle("some", "terms", ["a", "b", "c"], "mend it")


class Cells(HTMLParser):
    """The texts of a table's cells and the targets of its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str | None] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name == "href"]


def test_the_glossary_as_a_table() -> None:
    table = handbook.glossary("chi", "ReLU")
    assert [row[0] for row in table.rows] == ["chi", "ReLU"]
    page = Cells(table._repr_html_())
    assert "chi" in page.texts and "max(z, 0)" in page.texts
    assert page.links == ["03_sigmoid_saturation.ipynb", "04_relu_family.ipynb"]
    assert repr(table).splitlines()[0] == "chi" and "formula: max(z, 0)" in repr(table)
    whole = [row[0].lower() for row in handbook.glossary().rows]
    assert whole == sorted(whole) and len(whole) == len(handbook.TERMS)
    assert {row[3] for row in handbook.glossary(notebook="van").rows} == {"van"}
    assert len(handbook.symbols().rows) == len(handbook.SYMBOLS)
    for bad in ({"notebook": "nowhere"}, {}):
        with pytest.raises(ValueError, match="one of"):
            handbook.glossary(*([] if bad else ["nothing"]), **bad)
