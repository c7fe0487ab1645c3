"""Training runs in JupyterLab: the cell returns at once, the curve grows, Stop stops."""

from __future__ import annotations

from course_tests.browser.conftest import OpenNotebook

TRAIN = """
from course import data, networks, training
from course.live import live_run

def fit(name, steps):
    network = networks.build(name, inputs=64, width=16, depth=4, outputs=10, seeds=(0, 1, 2))
    return training.fit(network, data.digits(), steps=steps)

run = live_run({"plain": fit("plain", 100_000), "resnet": fit("resnet", 100_000)},
               title="Plain and residual")
returned = not run.done
run
"""
LONG_STEP = """
def endless():
    while True:
        pass
    yield

stuck = live_run(endless())
stuck
"""
BLOCKED = """
records = run.result()
print(type(records).__name__, run.done)
"""


def test_a_run_goes_on_in_the_background_until_stop_even_while_a_cell_waits_for_it(
    open_notebook: OpenNotebook,
) -> None:
    page = open_notebook([TRAIN, BLOCKED])
    page.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
    panel = page.panel()
    panel.look_until(lambda look: "running" in look.text and "resnet: loss" in look.text)
    first = panel.look()
    with panel.watch() as film:
        panel.look_until(lambda look: look.picture != first.picture and look.text != first.text)
        page.screenshot("live-run")
        panel.click("Stop")
        panel.look_until(lambda look: "Training stopped" in look.text)
    film.check()
    assert panel.root.get_by_role("progressbar").count() == 1
    page.page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.content.model.cells.get(1).outputs.length > 0"
    )
    (output,) = page.outputs()[1]
    said = "".join(output["text"])  # what there is, then what the cell prints
    assert said.startswith("Training stopped: ") and said.endswith("steps.\ndict True\n")
    assert page.run_cell("print(returned)") == "True\n", "the cell did not wait for the end"
    page.screenshot("live-run-stopped")
    assert page.complaints() == []


def test_stop_breaks_off_an_endless_step(open_notebook: OpenNotebook) -> None:
    page = open_notebook(["from course.live import live_run", LONG_STEP])
    page.run_all()
    panel = page.panel()
    panel.look()
    panel.click("Stop")
    panel.look_until(lambda look: "Training stopped: no steps." in look.text)
    assert page.complaints() == []
