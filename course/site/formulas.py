"""Formulas as MathML, made when the site is built: no script, no font; screen readers read it.

A Sphinx extension: it registers the renderer "mathml".
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml import converter
from sphinx.application import Sphinx
from sphinx.util import logging

log = logging.getLogger(__name__)


def mathml(formula: str, display: str) -> str:
    """The MathML of a formula in LaTeX; display: "inline" or "block"."""
    return str(converter.convert(formula, display=display))


def write_inline(page: Any, node: nodes.math) -> None:
    """A formula in a line of text."""
    _write(page, node, "inline")


def write_block(page: Any, node: nodes.math_block) -> None:
    """A formula on a line of its own."""
    page.body.append('<div class="formula" tabindex="0">')  # a long one scrolls, by keys too
    _write(page, node, "block", end="</div>")


def _write(page: Any, node: nodes.Element, display: str, end: str = "") -> None:
    try:
        page.body.append(mathml(node.astext(), display) + end)
    except Exception as error:  # the converter has no one class of errors
        log.warning("no MathML for %r: %s", node.astext(), error, location=node)
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls to register the renderer."""
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
