"""In JupyterLab: a check is one line with folded details, a solution opens, cells stay folded."""

from __future__ import annotations

from course_tests.browser.conftest import OpenNotebook

MEASURED = """
import numpy as np
from course.selfcheck import agree, check_function, holds, paired, show_source
runs = np.array([1.20, 1.21, 1.20, 1.22, 1.205])
agree(runs, 1.211, 0.03, "growth per block", against="formula")
agree(np.stack([runs, 2 * runs]), [1.21, 2.42], 0.02, "two depths")
holds("they all grow", 1, "<", runs, "<", 1.5)
paired("the first grows more", runs, runs - 0.1)
"""
BUILT = """
from course.lessons.blow_up.exercise import check_backward
check_backward(lambda h, weights, g: (weights, [g[0] for W in weights]))
check_backward(lambda h, weights, g: (weights, [g[1] for W in weights]))
show_source(check_function)
"""


def test_details_are_folded_and_a_solution_opens(open_notebook: OpenNotebook) -> None:
    page = open_notebook([MEASURED, BUILT])
    page.run_all()
    details = page.page.locator(".jp-OutputArea details")
    details.nth(5).wait_for()  # the last: an output is drawn after its cell has ended
    lines = details.locator("summary")
    assert (
        lines.nth(0).inner_text()
        == "✓ growth per block: measured ⟨1.207 ± 0.004⟩ (n = 5), formula 1.211"
    )
    assert lines.all_inner_texts()[-2:][0] == "A worked solution, to compare with yours"
    page.screenshot("selfcheck-folded")
    table, solution = details.nth(1), details.nth(4)
    assert not table.locator("table").is_visible() and not solution.locator("pre").is_visible()
    table.locator("summary").click()
    assert table.locator("table").is_visible() and table.locator("tr").count() == 3
    solution.locator("summary").click()
    assert "def solve_backward(" in solution.locator("pre").inner_text()
    assert solution.locator("pre span").count() > 5, "highlighted as code is in this page"
    page.screenshot("selfcheck-open")
    assert page.complaints() == []


def test_stored_cells_that_ask_are_folded_and_still_run(open_notebook: OpenNotebook) -> None:
    page = open_notebook("01_scalar_chain.ipynb", only=["predict(", "import "])
    page.page.locator(".jp-InputPlaceholder").first.wait_for(state="attached")
    assert (
        "How large is the output?"
        not in page.page.locator(".jp-Cell-inputWrapper").first.inner_text()
    )
    page.run_all()
    asked = page.page.locator(".widget-vbox", has_text="How large is the output?")
    asked.first.wait_for()
    assert asked.count() == 1
    page.screenshot("selfcheck-question")
