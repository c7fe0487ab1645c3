"""Products of matrices in the page, in WebAssembly and in JavaScript alone, are numpy's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

SIZES = [(1, 1, 2), (5, 3, 4), (128, 10, 64), (128, 64, 10), (7, 9, 30), (10, 200, 200)]
"""Rows of one, rows of the other, numbers in a row."""

PRODUCTS = """async ([a, b, size, name, kind]) => {
    const { scalarProducts, oneByOne } = await import("/live/js/matrices.js");
    const products = { scalarProducts, oneByOne }[name];
    const [left, right] = [a, b].map((text) => Float64Array.from(text.split(","), Number));
    const many = (left.length / size) * (right.length / size);
    const out = new { Float32Array, Float64Array }[kind](many);
    return Array.from(products(left, right, size, out), String).join(); }"""


def products(
    page: Page, a: np.ndarray, b: np.ndarray, name: str, kind: str = "Float64Array"
) -> np.ndarray:
    """What the page gives for the rows of a and of b; as text, playwright is slow with lists."""
    rows = [",".join(map(str, m.ravel())).replace("inf", "Infinity") for m in (a, b)]
    answer: str = page.evaluate(PRODUCTS, [*rows, a.shape[1], name, kind])
    numbers = answer.replace("Infinity", "inf").split(",")
    return np.array(numbers, dtype=float).reshape(len(a), len(b))


def drawn(rows: int, columns: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(size)
    return draw.standard_normal((rows, size)), draw.standard_normal((columns, size))


@pytest.mark.parametrize("name", ["scalarProducts", "oneByOne"])
@pytest.mark.parametrize(("rows", "columns", "size"), [*SIZES, (3, 5, 7), (2, 3, 1)])
def test_they_are_those_of_numpy(
    modules: Page, rows: int, columns: int, size: int, name: str
) -> None:
    a, b = drawn(rows, columns, size)
    bound = 1e-15 * size * (np.abs(a) @ np.abs(b.T))
    assert (np.abs(products(modules, a, b, name) - a @ b.T) <= bound).all()
    single = products(modules, a, b, name, "Float32Array")
    np.testing.assert_array_equal(single, products(modules, a, b, name).astype(np.float32))


KEPT = """async (text) => {
    const cases = JSON.parse(text);
    const { Kept } = await import("/live/js/matrices.js");
    const rows = new Kept();
    rows.keep(new Float64Array(6).fill(NaN), 2);
    rows.clear();
    const kept = cases.map(([, b, size]) => rows.keep(Float64Array.from(b), size));
    const product = ([a, b, size], k) => {
        const out = new Float64Array((a.length / size) * (b.length / size));
        return Array.from(rows.products(Float64Array.from(a), kept[k], out));
    };
    return JSON.stringify([cases.map(product), cases.map(product)]); }"""


def test_rows_that_are_kept_stay_as_they_are(modules: Page) -> None:
    """Of several matrices, with even and odd rows, in whatever order they are asked for."""
    shapes = [(10, 200, 200), (3, 5, 7), (1, 1, 2), (5, 3, 4), (128, 10, 64)]
    pairs = [drawn(*shape) for shape in shapes]
    cases = [[a.ravel().tolist(), b.ravel().tolist(), a.shape[1]] for a, b in pairs]
    for answers in json.loads(modules.evaluate(KEPT, json.dumps(cases))):
        for (a, b), shown in zip(pairs, answers, strict=True):
            np.testing.assert_allclose(np.reshape(shown, (len(a), len(b))), a @ b.T, atol=1e-12)


def test_even_rows_go_through_web_assembly(modules: Page) -> None:
    sizes = [2, 3, 64, 199, 200]
    asked = """async (sizes) => {
        const { takesPairs } = await import("/live/js/pairs.js");
        return sizes.map(takesPairs); }"""
    assert modules.evaluate(asked, sizes) == [size % 2 == 0 for size in sizes]


def test_what_is_not_finite_stays_where_it_belongs(modules: Page) -> None:
    """Neither does one row take it from another, nor a product from one before it."""
    lost = np.full((9, 64), np.nan)
    assert np.isnan(products(modules, lost, lost, "scalarProducts")).all()
    a, b = drawn(5, 7, 10)
    a[1, 3], b[6, 2] = np.inf, np.nan
    shown = products(modules, a, b, "scalarProducts")
    np.testing.assert_array_equal(np.isnan(shown), np.isnan(a @ b.T))
    np.testing.assert_array_equal(np.isinf(shown), np.isinf(a @ b.T))


def test_without_web_assembly_the_page_computes_the_same(
    browser: Browser, served: tuple[str, Path]
) -> None:
    page = browser.new_page()
    page.add_init_script("delete window.WebAssembly")
    page.goto(served[0] + "/style.css")
    a, b = drawn(4, 6, 20)
    asked = "async () => (await import('/live/js/pairs.js')).takesPairs(20)"
    assert page.evaluate(asked) is False
    np.testing.assert_allclose(products(page, a, b, "scalarProducts"), a @ b.T, atol=1e-12)
    page.close()
