"""The contrast of each word in a notebook's outputs, computed from the colours of the page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from course_tests.browser.page import POLL

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
OUTPUTS = ".jp-OutputArea-output"
# axe takes all in JupyterLab for hidden: its body is 0 pixels high, and hides what overflows.
SEEN = "body { height: 100vh !important; overflow: visible !important; }"
THEME = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
# The colours of the page, and of all that we draw, are those of the theme, and none is on its way.
THERE = """dark => {
    const [red] = getComputedStyle(document.querySelector('.jp-OutputArea-output')).color
        .match(/[0-9]+/g).map(Number);
    const ours = [...document.querySelectorAll('.course-picture')];
    return dark === (red > 127) && ours.every(el => dark === el.classList.contains('course-dark'))
        && !document.getAnimations().some(one => one.playState === 'running'
            && one.effect.target.closest('.jp-OutputArea')); }"""


@dataclass(frozen=True)
class Word:
    """What an element says itself. ratio: of contrast, 1 to 21; least: what WCAG asks for."""

    words: str
    kind: str
    ratio: float
    least: float


def wear(page: Page, theme: str) -> None:
    """Have JupyterLab, and what we draw in it, the colours of a theme, "Light" or "Dark"."""
    page.evaluate(THEME, f"JupyterLab {theme}")
    page.wait_for_function(THERE, arg=theme == "Dark", polling=POLL)


@contextlib.contextmanager
def styled(page: Page, rules: str) -> Iterator[None]:
    """The page with more rules of CSS."""
    tag = page.add_style_tag(content=rules)
    yield
    tag.evaluate("tag => tag.remove()")


def contrasts(page: Page, kinds: Mapping[str, str], roots: str = OUTPUTS) -> list[Word]:
    """The words that are seen in the elements `roots`; kinds: CSS selectors by name."""
    return [Word(**word) for word in page.evaluate(CONTRAST, [roots, dict(kinds)])]


def unreadable(found: list[Word]) -> list[str]:
    """A line for each that has too little contrast."""
    return [f"{w.kind}: {w.ratio:.2f} {w.words[:60]!r}" for w in found if w.ratio < w.least]


def luminance(rgb: Sequence[float]) -> float:
    """Of WCAG 2, 0 for black to 1 for white."""
    shares = [
        c / 12.92 if (c := part / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for part in rgb
    ]
    return sum(
        weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), shares, strict=True)
    )


def contrast(one: float, other: float) -> float:
    """Of two luminances, 1 to 21."""
    low, high = sorted((one, other))
    return (high + 0.05) / (low + 0.05)
