"""The command that prints all that stands above a prediction prints all of it."""

from __future__ import annotations

import re

import nbformat
import pytest

from course_tests.spoilers import main, predictions
from course_tests.store import numbered


def test_what_stands_above_is_complete_and_what_stands_below_is_not_there() -> None:
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    printed = nbformat.v4.new_output("stream", text="3.4 of 10\n")
    picture = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "It falls."})
    folded = code("from course import giving_away\nshow(1)", outputs=[picture])
    folded.metadata["jupyter"] = {"source_hidden": True}
    cells = [
        text("# 01 · A title"),
        code("compute()", outputs=[printed]),
        folded,
        code('predict("01-a", "Where to?", ["up", "down"])'),
        code('predict("01-b", "And then?", ["up", "down"])'),
        text("The answer is up."),
        code('revisit("01-a", answer="a", because="it rises")'),
    ]
    first, second = predictions(nbformat.v4.new_notebook(cells=cells))
    assert (first.id, second.id) == ("01-a", "01-b")
    assert first.above == (
        ("text", "# 01 · A title"), ("source", "compute()"), ("printed", "3.4 of 10\n"),
        ("imports", "from course import giving_away"), ("caption", "It falls."),
    )  # fmt: skip
    assert "it rises" in first.answer and second.answer == "not asked again"
    assert second.above[: len(first.above)] == first.above and len(second.above) == 6
    assert "Where to?" in first.source


def test_every_prediction_of_the_course_is_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["spoilers"])
    assert main() == 0
    shown = capsys.readouterr().out
    for path in numbered():
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        asked = re.findall(r"\bpredict\(\s*[\"']([^\"']+)", "\n".join(sources))
        assert all(f"\n{id}, in {path.name}:" in shown for id in asked)
    assert "not asked again" not in shown
    monkeypatch.setattr("sys.argv", ["spoilers", "01-bias"])
    main()
    one = capsys.readouterr().out
    assert one.count("all that stands above it") == 1 and one in shown
