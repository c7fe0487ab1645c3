"""The rules of WCAG 2.2, A and AA, asked of a page by axe, in light and dark, in little time.

Nearly all of axe's time on a lesson goes into thousands of words of coloured code and parts of
formulas, which have a dozen colours between them. So contrast is asked once of each look, the same
colour, size, weight and grounds; then code and formulas are made plain but for the elements that
are asked, as no other rule speaks of them, and the whole page is asked for the other rules.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOOKS = """([scheme, known]) => {
    const looks = new Set(known);
    const walk = (element, below) => {
        const style = getComputedStyle(element);
        if (style.display === "none") return;
        const { backgroundColor, backgroundImage, opacity, filter } = style;
        const own = [backgroundColor, backgroundImage, opacity, filter].join();
        const ground = own === "rgba(0, 0, 0, 0),none,1,none" ? below : `${below}; ${own}`;
        const { color, fontSize, fontWeight, visibility } = style;
        const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim();
        const words = [...element.childNodes].some(isText);
        const short = element.textContent.trim().length < 2; // axe leaves a single letter undecided
        const look = [color, fontSize, fontWeight, element.disabled, short, ground].join("; ");
        if ((words || element.matches("input, select")) && visibility === "visible"
            && !looks.has(look) && element.getClientRects().length) {
            looks.add(look);
            element.setAttribute(`data-${scheme}`, "");
        }
        for (const child of element.children) walk(child, ground);
    };
    walk(document.body, "");
    return [...looks];
}"""
PLAIN = """() => {
    const kept = "[data-light], [data-dark]";
    for (const part of document.querySelectorAll("pre span, math, math *")) {
        const plain = !part.matches(kept) && !part.querySelector(kept);
        if (!part.isConnected || !plain) continue;
        if (part.matches("pre *")) part.replaceWith(part.textContent);
        else part.textContent = part.textContent;
    }
    for (const code of document.querySelectorAll("pre")) code.normalize();
}"""
CONTRAST = """async (scheme) => {
    const options = { runOnly: ["color-contrast"], resultTypes: ["violations"] };
    return (await axe.run({ include: `[data-${scheme}]` }, options)).violations;
}"""
OTHERS = """async (rules) => {
    const options = { runOnly: rules, resultTypes: ["violations"] };
    options.rules = { "color-contrast": { enabled: false } };
    return (await axe.run({ exclude: "math *" }, options)).violations;
}"""


def violations(
    page: Page, looks: dict[str, list[str]] | None = None, *, rules: list[str] = RULES
) -> list[str]:
    """A line for each rule that the page breaks: the rule, the elements, and why.

    looks: those that were asked on other pages, by scheme; these are not asked again, and those of
    this page are added. The page is left in dark, without motion, its code and formulas plain.
    """
    looks = {} if looks is None else looks
    page.emulate_media(reduced_motion="reduce")  # no colour on its way to another
    page.evaluate(AXE_SCRIPT)
    fresh = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        known = looks.get(scheme, [])
        looks[scheme] = page.evaluate(LOOKS, [scheme, known])
        fresh[scheme] = len(looks[scheme]) - len(known)
    assert looks["light"], "a page without words"
    page.evaluate(PLAIN)
    lines = []
    for scheme in (scheme for scheme, many in fresh.items() if many):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        lines += [f"{scheme}: {said(rule)}" for rule in page.evaluate(CONTRAST, scheme)]
    page.emulate_media(color_scheme="dark")
    return lines + [said(rule) for rule in page.evaluate(OTHERS, rules)]


def said(rule: dict[str, Any]) -> str:
    """A broken rule in words."""
    nodes = "; ".join(f"{node['html'][:200]}: {node['failureSummary']}" for node in rule["nodes"])
    return f"{rule['id']}: {nodes}"
