"""Kernels of nbval that are forked: nothing of one notebook is in the next."""

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
