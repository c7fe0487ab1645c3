"""A verdict in words, and as a table with bars and a figure for notebooks."""

from __future__ import annotations

import base64
import io
import math
import re
from html import escape
from typing import TYPE_CHECKING

from course import files
from course.doctor import pictures
from course.doctor.words import number

if TYPE_CHECKING:
    from course.doctor.verdict import Finding, LayerRecord, Verdict


CARD = "glossary.ipynb"
"""The notebook that has the whole decision card."""


def text(verdict: Verdict) -> str:
    """The verdict as sentences, in the order in which one would read them aloud."""
    lines = [headline(verdict)]
    if verdict.root is not None:
        about = verdict.root.about
        lines += ["", about.means, f"Evidence: {verdict.root.evidence}."]
        for place, remedy in enumerate(about.remedies, 1):
            lines.append(f"Remedy {place}: {remedy.do}. To check: {remedy.check}.")
        lines.append(f"Explained in: {lesson(verdict.root)}.")
    if verdict.status != "healthy":
        lines.append(f"What to measure next: the decision card in {CARD}.")
    if verdict.consequences:
        lines += ["", "Likely consequences, to look at again after the remedy:"]
        lines += [
            f"- {one.illness} in {one.where()}: {one.evidence}." for one in verdict.consequences
        ]
    if verdict.evidence:
        lines += ["", "Measured: " + "; ".join(verdict.evidence) + "."]
    lines += [f"Note: {note}." for note in verdict.notes]
    lines += ["Not examined: " + "; ".join(verdict.not_examined) + "."]
    return "\n".join(lines)


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    if verdict.root is not None:
        return f"Ill: {verdict.root.illness}, in {verdict.root.where()}."
    if verdict.status == "healthy":
        return "Healthy: the loss falls, parameters move, and layers get gradients."
    return "Not sure: no illness that is known here was found, and it was not seen to learn either."


def lesson(finding: Finding) -> str:
    """The notebook that explains a finding."""
    return files.notebooks().get(finding.about.lesson, f"the notebook {finding.about.lesson}")


def html(verdict: Verdict) -> str:
    """The same for a notebook: the text, a table by layer with bars, and one figure."""
    lines = (_linked(escape(line)) for line in text(verdict).split("\n") if line)
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    return f'<div class="course-doctor">{paragraphs}{_table(verdict)}{_figure(verdict)}</div>'


def _linked(line: str) -> str:
    """The same with links to the notebooks that it names; a line tells them, not colour alone."""
    names = "|".join(map(re.escape, [*files.notebooks().values(), CARD]))
    link = r'<a href="\g<0>" style="text-decoration: underline">\g<0></a>'
    return re.sub(f"(?:{names})", link, line)


def _table(verdict: Verdict) -> str:
    if not verdict.layers:
        return ""
    most = max((one.gradient for one in verdict.layers if math.isfinite(one.gradient)), default=0)
    names = ("layer", "kind", "size", "cosine", "dead", "flat", "gradient")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(_row(one, most) for one in verdict.layers)
    caption = "<caption>Layers in one pass; bars: the gradient on a scale of 8 decades</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(one: LayerRecord, most: float) -> str:
    height = 0.0
    if one.gradient > 0 and math.isfinite(one.gradient) and most > 0:
        height = max(0.0, 1 + math.log10(one.gradient / most) / 8)
    bar = (
        f'<span aria-hidden="true" style="display:inline-block;height:0.7em;background:#0072B2;'
        f'width:{5 * height:.2f}em"></span> '
    )
    numbers = [one.size, one.cosine, one.dead, one.saturated]
    cells = "".join(f"<td>{_cell(value)}</td>" for value in numbers)
    name = f'<th scope="row">{escape(one.name)}</th><td>{escape(one.kind)}</td>'
    return f"<tr>{name}{cells}<td>{bar}{_cell(one.gradient)}</td></tr>"


def _cell(value: float) -> str:
    return "" if math.isnan(value) else number(value)


def _figure(verdict: Verdict) -> str:
    if not verdict.layers:
        return ""
    buffer = io.BytesIO()
    pictures.by_layer(verdict.layers, verdict.place).savefig(buffer, format="png")
    code = base64.b64encode(buffer.getvalue()).decode()
    words = escape(pictures.in_words(verdict.layers), quote=True)
    return f'<img alt="{words}" src="data:image/png;base64,{code}" style="max-width:100%">'
