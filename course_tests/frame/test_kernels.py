"""Kernels and processes that are forked: nothing of one is in the next."""

from __future__ import annotations

import os

import pytest
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel

from course_tests import kernels

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux forks kernels")


def said(kernel: RunningKernel, code: str) -> str:
    """What `code` prints."""
    asked, text = kernel.execute_cell_input(code), ""
    while True:
        message = kernel.get_message("iopub", timeout=60)
        if message["parent_header"].get("msg_id") != asked:
            continue
        content = message["content"]
        if content.get("execution_state") == "idle":
            return text
        text += content.get("text", "")


def test_a_forked_kernel_is_a_fresh_one_and_ends() -> None:
    kernels.install()
    asked = (
        "import os, sys; print('torch' in sys.modules, 'course' in sys.modules, 'x' in globals())"
    )
    for _ in range(2):
        kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
        process = kernel.km.provisioner.process
        assert isinstance(process, kernels.Kernel) and process.poll() is None
        assert said(kernel, f"{asked}; x = 1").strip() == "True False False"
        kernel.stop()
        assert process.wait() == 0 and process.poll() == 0


def test_a_forked_kernel_has_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that of the process which forks it, nor that of the kernel before."""
    kernels.install()
    assert "COURSE_WAIT" in os.environ  # the process that forks has it, too: see environment.py
    asked = "import os; print(*(os.environ.get(f'COURSE_{k}', '-') for k in ('WAIT', 'NEW')))"
    for new, expected in (("1", "- 1"), (None, "- -")):
        with monkeypatch.context() as now:
            now.delenv("COURSE_WAIT")
            if new:
                now.setenv("COURSE_NEW", new)
            kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
        assert said(kernel, asked).strip() == expected
        kernel.stop()


@pytest.mark.parametrize(
    ("end", "status"),
    [("", 0), ("1 / 0", 1), ("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", -9)],
)
def test_a_forked_python_says_what_it_does_and_how_it_ends(end: str, status: int) -> None:
    code = """
import os, sys
print('torch' in sys.modules, 'course' in sys.modules, 'x' in globals(), *sys.argv, flush=True)
print(os.environ.get("COURSE_NEW"), __name__, file=sys.stderr, flush=True)
x = 1
"""
    done = kernels.python(code + end, "a", 2, COURSE_NEW="new")
    assert (done.returncode, done.stdout) == (status, "True False False -c a 2\n")
    assert done.stderr.startswith("new __main__\n")
    assert ("ZeroDivisionError" in done.stderr) is (status == 1)
    assert kernels.python("import os; print(os.environ.get('COURSE_NEW'))").stdout == "None\n"
