"""The built pages: all there, links lead somewhere, nothing from outside, words for pictures."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from click.testing import CliRunner

from course.cli import main
from course.site import build, formulas, sources
from course_tests import store
from course_tests.repository import command

ALIEN = re.compile(r"url\(\s*['\"]?(?:https?:)?//")


@cache
def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def article(path: Path) -> Tag:
    found = page(path).select_one("article.bd-article")
    assert found is not None, path
    return found


def lessons(site: Path) -> list[Path]:
    return [site / f"{path.stem}.html" for path in store.numbered()]


def test_every_notebook_is_a_page_and_stands_in_the_contents(site: Path) -> None:
    entries = [link["href"] for link in article(site / "index.html").select(".toctree-wrapper a")]
    assert entries[: len(lessons(site))] == [path.name for path in lessons(site)]
    assert {"glossary.html", "decisions.html", "sources.html", "GUIDE.html"} <= set(entries)
    for path in lessons(site):
        title = nbformat.read(store.NOTEBOOKS / f"{path.stem}.ipynb", 4).cells[0].source
        assert title.splitlines()[0][2:] in article(path).h1.text, path  # type: ignore[union-attr]
        beside = [link["href"] for link in page(path).select("nav.lessons a")]
        assert [Path(str(name)).name for name in beside if name != "#"][:2]


def test_every_link_leads_somewhere(site: Path) -> None:
    anchors = {
        path.name: {tag["id"] for tag in page(path).select("[id]")} for path in site.glob("*.html")
    }
    for path in site.glob("*.html"):
        for link in page(path).select("a[href]"):
            parts = urlsplit(str(link["href"]))
            if parts.scheme:
                assert parts.scheme == "https", link
                continue
            target = unquote(parts.path) or path.name
            assert target in anchors, f"{path.name}: {link}"
            ok = not parts.fragment or parts.fragment in anchors[target]
            assert ok, f"{path.name}: {link}"


def test_nothing_is_asked_of_a_network(site: Path) -> None:
    for path in site.glob("*.html"):
        for tag in page(path).select("script[src], link[href], img[src], iframe, video, source"):
            address = str(tag.get("src") or tag.get("href"))
            assert urlsplit(address).scheme in ("", "data"), tag
            assert not address.startswith("//"), tag
    for path in (site / "_static").rglob("*.css"):
        assert not ALIEN.search(path.read_text(encoding="utf-8")), path


def test_each_picture_says_in_words_what_it_shows(site: Path) -> None:
    for path in lessons(site):
        notebook = nbformat.read(store.NOTEBOOKS / f"{path.stem}.ipynb", 4)
        outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
        words = [out.data["text/plain"] for out in outputs if "image/png" in out.get("data", {})]
        alts = [str(image["alt"]) for image in article(path).select("img")]
        assert alts == [" ".join(text.split()) for text in words], path
        assert all(len(alt.split()) >= 5 for alt in alts), path


def test_formulas_are_mathml_and_code_is_folded_as_in_the_notebook(site: Path) -> None:
    count = sum(len(article(path).select("math")) for path in lessons(site))
    assert count > 300
    for path in lessons(site):
        assert not re.search(r"\$[^$\s]+\$|\\(?:frac|sigma|cdot)", article_text(path)), path
        notebook = nbformat.read(store.NOTEBOOKS / f"{path.stem}.ipynb", 4)
        folded = [c for c in notebook.cells if c.metadata.get("jupyter", {}).get("source_hidden")]
        shown = article(path).select("details.hide.above-input")
        assert len(shown) == len(folded), path


def article_text(path: Path) -> str:
    """The words of a page without code and formulas."""
    parts = article(path).select("pre, code, math")
    other = {id(text) for part in parts for text in part.find_all(string=True)}
    words = article(path).find_all(string=True)
    return "".join(text for text in words if id(text) not in other)


def test_a_formula_keeps_its_meaning() -> None:
    assert "<mfrac>" in formulas.mathml(r"\frac{1}{2}", "inline")
    assert 'display="block"' in formulas.mathml("w^L", "block")


def test_predictions_show_no_answer_before_it_is_opened(site: Path) -> None:
    for path in lessons(site):
        for answer in article(path).find_all(string=re.compile("^What was measured$")):
            assert answer.parent.name == "summary", path


def test_every_question_is_asked_and_every_exercise_says_where_it_is_done(site: Path) -> None:
    for path in lessons(site):
        cells = nbformat.read(store.NOTEBOOKS / f"{path.stem}.ipynb", 4).cells
        asked = [
            name for cell in cells if cell.cell_type == "code" and cell.outputs
            for name in re.findall(r'\b(?:predict|revisit)\(\s*"([\w-]+)"', cell.source)
        ]  # fmt: skip
        marks = [
            json.loads(str(tag["data-question"])) for tag in article(path).select(".prediction")
        ]
        assert [mark["id"] for mark in marks] == asked, path
        tries = [cell for cell in cells if "not yet. Write" in str(cell.get("outputs"))]
        assert len(article(path).select("p.where")) == len(tries) and (asked or tries), path


def test_the_way_to_start_is_that_of_the_readme(site: Path) -> None:
    lines = article(site / "index.html").select_one("pre").text.strip().splitlines()  # type: ignore[union-attr]
    assert " && ".join(lines) == command("start")


def test_a_broken_link_is_an_error_and_leaves_the_old_site(tmp_path: Path, site: Path) -> None:
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    for name in ("00_start_here", "glossary"):
        shutil.copy(store.NOTEBOOKS / f"{name}.ipynb", notebooks)
    out = tmp_path / "out"
    shutil.copytree(site, out)
    before = sorted(path.name for path in out.iterdir())
    with pytest.raises(ValueError, match="01_scalar_chain"):
        build(out, notebooks)
    assert sorted(path.name for path in out.iterdir()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notebooks", "out"]


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    done = CliRunner().invoke(main, ["site", "--out", str(tmp_path)])
    assert done.exit_code == 2 and "out" in done.output and "empty" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_without_sphinx_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course.site.building.find_spec", lambda name: None)
    done = CliRunner().invoke(main, ["site", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2 and "very-deep-networks-course[site]" in done.output


def test_links_in_tables_lead_to_pages() -> None:
    cell = {
        "cell_type": "code", "id": "a", "source": "f()",
        "metadata": {"jupyter": {"source_hidden": True}},
        "outputs": [
            {"output_type": "execute_result",
             "data": {"text/html": '<a href="10_van.ipynb#the-cut">10</a>', "text/plain": "10"}},
            {"output_type": "display_data",
             "data": {"image/png": "iVBO", "text/plain": "It falls\n from 3 to 1."}},
        ],
    }  # fmt: skip
    shown = sources.as_page({"cells": [cell]}, "01_chain", lesson=False)["cells"][0]
    assert shown["outputs"][0]["data"]["text/html"] == '<a href="10_van.html#the-cut">10</a>'
    assert shown["metadata"] == {
        "tags": ["hide-input"], "mystnb": {"image": {"alt": "It falls from 3 to 1."}},
    }  # fmt: skip
