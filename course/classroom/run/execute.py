"""The executing step of nbgrader, hardened: the kernel in a sandbox, hidden tests outside of it.

Two classes that nbgrader's configuration names (see `folder.CONFIG`): nbgrader still restores the
cells, turns each graded cell's output into points, keeps them in the gradebook and makes the
feedback. What a student's code can do is to answer questions with data: no test, no expected value
and nothing of the grader exists in its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_code_cell, new_output
from nbgrader.preprocessors import Execute
from traitlets import Float, Integer, Unicode

from course.classroom.gradebook import Gradebook
from course.classroom.master import split
from course.classroom.run import hidden_tests, sandbox
from course.classroom.run.clock import Clock
from course.classroom.run.kernel_side import MIME

# Wall time and processor time of the kernels that this process has run, for the report.
kernel_seconds: list[tuple[float, float]] = []
# What an instructor should know of how the last submission ran; the same.
incidents: list[str] = []
TOLD = {
    "CellTimeoutError": "ran too long and was interrupted",
    "MemoryError": "wanted more memory than it may have",
    "BlockingIOError": "wanted more processes than it may have",
    "SystemExit": "called exit",
    "SyntaxError": "is not valid Python",
    "IndentationError": "is not valid Python",
    "TabError": "is not valid Python",
}
"""Errors of a student's cell that are worth a remark, in words."""
PATIENCE = 0.75
"""A cell ran too long if so much of its time was its own; every process waits a little."""


class SandboxedKernelManager(AsyncKernelManager):
    """Starts the kernel inside `sandbox.command`, connected by sockets in a folder of its own."""

    def __init__(self, **kwargs: Any) -> None:
        self.limits = kwargs.pop("limits", sandbox.Limits())
        self.work = str(Path(tempfile.mkdtemp(prefix="grade")).resolve())
        super().__init__(**kwargs)
        self.connection_file = f"{self.work}/k.json"
        self.transport = "ipc"
        self.ip = f"{self.work}/s"
        self.context.setsockopt(zmq.MAXMSGSIZE, 16 * 2**20)  # a larger message closes the line

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        inner = super().format_kernel_cmd(extra_arguments)
        return sandbox.command(inner, self.work, level=sandbox.isolation(), limits=self.limits)

    async def _async_start_kernel(self, **kwargs: Any) -> None:
        kwargs |= {"cwd": self.work, "env": sandbox.environment(self.work)}
        kwargs |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        await super()._async_start_kernel(**kwargs)

    start_kernel = run_sync(_async_start_kernel)  # type: ignore[assignment]

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        shutil.rmtree(self.work, ignore_errors=True)

    cleanup_resources = run_sync(_async_cleanup_resources)  # type: ignore[assignment]


class Judge(Execute):
    """nbgrader's Execute with limits on output, a kernel that may die, and hidden tests.

    `timeout`, of one cell, and `total_seconds` are those of a `Clock`: longer on a busy machine.
    """

    cell_output_kb = Integer(256, help="What one cell may print; the rest is cut.").tag(config=True)
    kernel_limits = Unicode("", help="memory_gb=..,cpu_seconds=..,file_mb=..,processes=..").tag(
        config=True
    )
    total_seconds = Float(240.0, help="Seconds for all cells of one notebook.").tag(config=True)
    iopub_timeout = Integer(30, help="Seconds for the output of a cell that has ended.").tag(
        config=True
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kernel_manager_class=SandboxedKernelManager, **kwargs)
        self.shutdown_kernel = "immediate"

    def create_kernel_manager(self) -> SandboxedKernelManager:
        limits = sandbox.Limits.parse(self.kernel_limits)
        self.km = SandboxedKernelManager(kernel_name="python3", limits=limits, config=self.config)
        return self.km

    def preprocess(self, nb: Any, resources: Any = None, km: Any = None) -> tuple[Any, Any]:
        self.gone = ""  # why the kernel is no longer there
        self.at = ""  # the cell that runs, as the instructor's remarks call it
        self.tests = self._tests(resources["nbgrader"])
        self.printed, self.used = 0, 0.0
        self.processes: list[int] = []  # this one, and the kernel with what it is wrapped in
        self.started = time.monotonic()
        try:
            return super().preprocess(nb, resources, km)
        finally:
            kernel_seconds.append((time.monotonic() - self.started, self.used))

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        if cell.cell_type != "code":
            return cell, resources
        if index == min(i for i, c in enumerate(self.nb.cells) if c.cell_type == "code"):
            self._run(new_code_cell(hidden_tests.prepare()), index)
        # By the id of the cell, from the gradebook: a student may have written the marks as well.
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        self.at = f"cell {name!r}" if name else "an added cell"
        tests = self.tests.pop(name, None)
        if tests is None:
            ran = self._run(new_code_cell(cell.source), index)
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
            return cell, resources

        def ask(expression: str, /, **values: Any) -> Any:
            return self._ask(index, expression, values)

        try:
            said = hidden_tests.run(tests, ask)
        except Exception as problem:
            _tell(f"the hidden tests of {self.at} are broken ({type(problem).__name__}: {problem})")
            raise
        if said is None:
            text = "Passed.\n"
            cell.outputs = [new_output("stream", name="stdout", text=text)]
        else:
            cell.outputs = [_not_yet(said)]
        return cell, resources

    def _tests(self, about: dict[str, str]) -> dict[str | None, str]:
        """Graded cell -> its hidden tests, as the instructor's master has them."""
        with Gradebook(about["db_url"]) as book:
            notebook = book.find_notebook(about["notebook"], about["assignment"])
            graded = {cell.name for cell in notebook.grade_cells if cell.cell_type == "code"}
            sources = {cell.name: cell.source for cell in notebook.source_cells}
        return {name: split(sources[name])[1] for name in graded}

    def _ask(self, index: int, expression: str, values: dict[str, Any]) -> Any:
        torch = bool(values.pop("torch", False))
        asked = hidden_tests.request(expression, values, torch)
        cell = self._run(new_code_cell(hidden_tests.question(asked)), index)
        if self.gone:
            raise hidden_tests.NotYet(self.gone)
        answers = [o.data[MIME] for o in cell.outputs if MIME in o.get("data", {})]
        if not answers:
            failed = [o for o in cell.outputs if o.output_type == "error"]
            why = f": {failed[0].ename}" if failed else ""
            raise hidden_tests.NotYet(f"{expression} gave no answer{why}.")
        return hidden_tests.reply(str(answers[-1]), expression)

    def _run(self, cell: Any, index: int) -> Any:
        """Runs `cell` in the kernel; what goes wrong with the kernel is an error in its output."""
        self.printed = 0
        if not self.processes:
            me = psutil.Process()
            self.processes = [me.pid, *(each.pid for each in me.children(recursive=True))]
            self.whole = Clock(self.processes)
        if not self.gone and self.whole.seconds > self.total_seconds:
            remark = f"the notebook ran longer than {self.total_seconds:g} s and was stopped"
            self._kill(remark.capitalize() + ".", remark)
        if self.gone:
            cell.outputs = [_not_yet(self.gone)]
            return cell
        kept, ended, how = self.nb.cells[index], "", ""
        self.clock = Clock(self.processes)
        try:
            cell = self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            how = "exit, memory or processor limit"
            ended = f"The kernel died in a cell above ({how})."
        except Exception as problem:  # no end of output, a torn message, a kernel that won't stop
            how = type(problem).__name__
            ended = f"The kernel had to be stopped in a cell above ({how})."
        finally:
            self.nb.cells[index] = kept
        if ended:
            self._kill(ended, f"{self.at} ended the kernel ({how})")
            cell.outputs = [*cell.outputs[:20], _not_yet(ended)]
        for output in cell.outputs:
            name = "MemoryError" if "MemoryError" in output.get("text", "") else output.get("ename")
            if name in TOLD:
                _tell(f"{self.at} {TOLD[name]}")
        return cell

    async def _async_handle_timeout(self, timeout: int, cell: Any = None) -> Any:
        if self.clock.seconds < PATIENCE * timeout:
            return None  # it gets as long again
        return await super()._async_handle_timeout(timeout, cell)

    async def _async_cleanup_kernel(self) -> None:
        self._note_time()
        await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)

    def _note_time(self) -> None:
        """Keeps the processor time of the kernel while it is still there to be asked."""
        children = psutil.Process().children(recursive=True)
        with contextlib.suppress(psutil.Error):
            self.used = max(self.used, sum(sum(c.cpu_times()[:2]) for c in children))

    def _kill(self, why: str, remark: str) -> None:
        self.gone = why
        _tell(remark)
        self._note_time()
        if self.km is not None:
            run_sync(self.km._async_shutdown_kernel)(now=True)

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Counts what a cell puts out; beyond the limit it is dropped and the cell interrupted."""
        kind = msg["msg_type"]
        if kind == "update_display_data" or kind.startswith("comm"):
            return None  # outputs that change others, and widgets, have no place in graded work
        if kind in ("stream", "display_data", "execute_result", "error"):
            before, most = self.printed, self.cell_output_kb * 1024
            content = msg["content"]
            content.pop("transient", None)
            answer = MIME in content.get("data", {})
            self.printed += 0 if answer else len(str(content.get("text") or content))
            if before <= most < self.printed:
                self.stopping = asyncio.ensure_future(self.km._async_interrupt_kernel())
                _tell(f"{self.at} printed more than {self.cell_output_kb} kB")
                note = f"\n[cut: a cell may print {self.cell_output_kb} kB]\n"
                cell.outputs.append(new_output("stream", name="stdout", text=note))
            if self.printed > most and kind != "error":
                return None
        return super().process_message(msg, cell, cell_index)


def _tell(remark: str) -> None:
    """Keeps a remark for the instructor, once."""
    if remark not in incidents:
        incidents.append(remark)


def _not_yet(message: str) -> Any:
    """An error output which holds `message` alone, no traceback and no line of a test."""
    return new_output("error", ename="Not yet", evalue=message, traceback=[message])
