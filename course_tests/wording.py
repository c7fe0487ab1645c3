"""Terms used before a notebook introduces them, and symbols with a second meaning.

    python -m course_tests.wording          every notebook
    python -m course_tests.wording 04       notebook 04, each with the words around it

The terms, their forms and the notebooks that introduce them are those of `course.handbook`. A term
may be used earlier inside a link, to its notebook or to the glossary; titles of notebooks are
links, too. What is still wrong is listed in course_tests/frame/debts.
"""

from __future__ import annotations

import ast
import re
import sys

import nbformat
from nbformat import NotebookNode

from course import handbook
from course.handbook.terms import Term
from course_tests import lengths
from course_tests.store import numbered, slug

LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.S)

SECOND_MEANINGS = {
    "n": r"\^\{?(?:\\,)?2?n\b|[yh]_n\b|\\ln\s*[^$]*= n|^n =|\bn >|\bn \\ln",  # w^n: n layers
    "L": r"\\partial L\b",  # a cost
    "k": r"\^\{?k|\bk = L|\+ ?p?k\b",  # a number of layers, in place of an index
    "C": r"C\s*C\^|product \$C\$|\bC\(c\)",  # a product of matrices
    "s": r"\bs\^2\s*(?:/n|\\cdot|\\;|\\,|= 2)|\bs = (?:1|\\sqrt2)|s/\\sqrt2|s\\,h",  # a size
    "α": r"f\(\\alpha|\\alpha\\?,?\s*d_1|1 \+ \\alpha",  # a coordinate of a slice
}
"""{symbol: formulas in which it is not what the table of symbols says}."""


def order() -> list[str]:
    """The slugs of the notebooks, as they are read."""
    return [slug(path) for path in numbered()]


def early_terms(notebook: NotebookNode, slug: str) -> dict[str, str]:
    """{term: the words around its first use} for terms that a later notebook introduces."""
    place = {name: number for number, name in enumerate(order())}
    text = _text(notebook)
    later = [one for one in handbook.TERMS.values() if place[one.notebook] > place[slug]]
    uses = {one.term: re.search(_pattern(one), text) for one in later if one.forms}
    return {term: _around(text, use) for term, use in uses.items() if use}


def unnamed_terms(notebook: NotebookNode, slug: str) -> list[str]:
    """Terms that the glossary says are introduced here, and of which the text has no form."""
    text = lengths.text(notebook)
    mine = [one for one in handbook.TERMS.values() if one.notebook == slug and one.forms]
    return [one.term for one in mine if not re.search(_pattern(one), text)]


def second_meanings(notebook: NotebookNode) -> dict[str, str]:
    """{symbol: a formula in which it means something else} in the notebook's text."""
    formulas = [one.strip("$").strip() for one in FORMULA.findall(lengths.text(notebook))]
    others: dict[str, str] = {}
    for symbol, pattern in SECOND_MEANINGS.items():
        wrong = [one for one in formulas if re.search(pattern, one, re.M)]
        if wrong:
            others[symbol] = wrong[0]
    return others


def _pattern(term: Term) -> str:
    """An expression for any of the term's forms; one with a capital letter counts as it stands."""
    forms = []
    for form in term.forms:
        if form.startswith("\\"):
            forms.append(re.escape(form) + r"(?![A-Za-z])")
            continue
        flags = "" if form != form.lower() else "i"
        words = r"\s+".join(map(re.escape, form.split()))
        forms.append(f"(?{flags}:(?<![\\w-]){words}(?:s|es)?(?![\\w-]))")
    return "|".join(forms)


def _text(notebook: NotebookNode) -> str:
    """Text without links, and the texts inside the code: questions, reasons, titles of figures."""
    parts = [LINK.sub(" ", lengths.text(notebook))]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            nodes = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Constant)]
            parts += [n.value for n in nodes if isinstance(n.value, str) and " " in n.value]
    return "\n".join(parts)


def _around(text: str, use: re.Match[str]) -> str:
    part = text[max(0, use.start() - 50) : use.end() + 40]
    return " ".join(part.split())


def main() -> int:
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    for path in [path for path in numbered() if path.name.startswith(chosen)]:
        notebook = nbformat.read(path, as_version=4)
        print(path.stem)
        for term, around in early_terms(notebook, slug(path)).items():
            where = handbook.TERMS[term].notebook
            print(f"  term {term!r}, introduced in {where}: ... {around} ...")
        for symbol, formula in second_meanings(notebook).items():
            print(f"  symbol {symbol} with another meaning: {formula}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
