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
INTERRUPT = """() =>
    jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"""
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
    assert said.startswith("Training stopped: ") and said.endswith("for the end.\ndict True\n")
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


def test_cells_below_a_stopped_run_say_what_is_missing(open_notebook: OpenNotebook) -> None:
    page = open_notebook(["from course.live import live_run", LONG_STEP, "some = stuck.result()"])
    page.start()
    panel = page.panel()
    panel.look()
    panel.click("Stop")
    page.wait_for_end()
    ((output,),) = page.outputs()[2:]
    assert output["ename"] == "BrokenOff" and len(output["traceback"]) == 2
    assert output["traceback"][0].startswith("Training stopped: no steps. There is nothing")
    page.screenshot("live-run-nothing")
    assert page.run_cell("more = some + 1").startswith("`some` is not there yet: a training")
    assert page.run_cell("print(more)").startswith("`more` is not there yet: a training")
    assert page.run_cell("print(other)") == "name 'other' is not defined"
    assert page.run_cell("some = 1\nmore = some + 1\nprint(more)") == "2\n"


def test_an_interrupt_is_two_lines_and_ends_the_run(open_notebook: OpenNotebook) -> None:
    page = open_notebook([TRAIN, BLOCKED])
    page.start()
    page.panel().look_until(lambda look: "running" in look.text and "resnet: loss" in look.text)
    while not page.page.evaluate("() => window.ended"):  # between two cells it is not heard
        page.page.evaluate(INTERRUPT)
        page.page.wait_for_timeout(300)
    ((output,),) = page.outputs()[1:]
    assert output["traceback"][0] == "Interrupted; the training is stopped."
    assert len(output["traceback"]) == 2
    page.panel().look_until(lambda look: "Training stopped" in look.text)
    assert page.run_cell("print(records)").startswith("`records` is not there yet")
    page.screenshot("live-run-interrupted")
    assert "for the end.\ndict True\n" in page.run_cell(BLOCKED)
