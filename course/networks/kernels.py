"""Batch norm as one operation each way: kernels.c, where there is a C compiler."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

LEAST = 8  # units: what a processor computes at once
STABLE = "2.10"  # torch's interface for C may not change any more from here on
PATIENCE = 60  # seconds for the compiler, which takes one or two
# By torch's name for what the processor can do. (The widest vectors are no faster here.)
VECTORS = {"AVX2": ["-mavx2", "-mfma"], "AVX512": ["-mavx2", "-mfma"]}


def batch_norm(
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    running_mean: Tensor,
    running_variance: Tensor,
    momentum: float,
    epsilon: float,
) -> Tensor | None:
    """What `BatchNorm` returns while it trains; None where there is no kernel for it.

    x: (R, batch, width), everything else (R, 1, width). The running averages are changed.
    """
    fits = (
        x.device.type == "cpu" and x.shape[2] >= LEAST and torch.float32 == x.dtype == scale.dtype
    )
    transformed = torch._C._are_functorch_transforms_active()  # by torch.func.vmap, say
    if not fits or transformed or kernels() is None:
        return None
    running = running_mean, running_variance
    return _BatchNorm.apply(x.contiguous(), scale, shift, *running, momentum, epsilon)


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, scale: Tensor, shift: Tensor, running_mean: Tensor,
        running_variance: Tensor, momentum: float, epsilon: float,
    ) -> Tensor:  # fmt: skip
        ctx.epsilon = epsilon
        read = x, scale, shift, running_mean, running_variance, momentum, epsilon, False
        y, mean, inverse = kernels().normalize(
            *read, torch.empty_like(x), torch.empty_like(scale), torch.empty_like(scale)
        )
        ctx.save_for_backward(x, scale, mean, inverse)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, mean, inverse = ctx.saved_tensors
        if torch.is_grad_enabled():  # the slopes are to be differentiated, too
            return *_slopes(x, scale, dy, ctx.epsilon), None, None, None, None
        read = dy.contiguous(), x, x, scale, mean, inverse, False
        slopes = kernels().normalize_backward(
            *read, torch.empty_like(x), torch.empty_like(scale), torch.empty_like(scale)
        )
        return *slopes, None, None, None, None


def _slopes(x: Tensor, scale: Tensor, dy: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """dC/dx, dC/dscale and dC/dshift, by the formula of kernels.c."""
    inverse = torch.rsqrt(x.var(1, unbiased=False, keepdim=True) + epsilon)
    normal = (x - x.mean(1, keepdim=True)) * inverse
    dscale, dshift = (dy * normal).sum(1, keepdim=True), dy.sum(1, keepdim=True)
    dx = scale * inverse * (dy - (dshift + normal * dscale) / x.shape[1])
    return dx, dscale, dshift


@cache
def kernels() -> Any:
    """torch's operations `normalize` and `normalize_backward`; None where they cannot be had.

    They are compiled once for each torch and kind of processor, and kept where Python keeps what it
    compiles. None without a compiler (`cc`, or what the environment variable CC names), on Windows,
    with a torch older than its stable interface for C, where nothing may be written beside the
    source, and where the environment variable COURSE_KERNELS is 0.
    """
    old = torch.torch_version.TorchVersion(torch.__version__) < STABLE
    if os.environ.get("COURSE_KERNELS") == "0" or os.name != "posix" or old:
        return None
    try:
        torch.ops.load_library(_library())
        return torch.ops.course if _right(torch.ops.course) else None
    except Exception:  # whatever a compiler, a disk or another torch has against it
        return None


def _right(ours: Any) -> bool:
    """Whether `normalize` computes what torch does, to rounding."""
    x = torch.linspace(-1, 2, 2 * 5 * LEAST).square().view(2, 5, LEAST)
    zeros = torch.zeros(2, 1, LEAST)
    rows = [zeros + 3, zeros - 1, zeros.clone(), zeros + 1]
    memory = [torch.empty_like(x), zeros.clone(), zeros.clone()]
    y = ours.normalize(x, *rows, 0.1, 1e-5, False, *memory)[0]
    variance, mean = torch.var_mean(x, 1, unbiased=False, keepdim=True)
    return torch.allclose(y, 3 * (x - mean) * torch.rsqrt(variance + 1e-5) - 1, atol=1e-4)


def _library() -> Path:
    """The compiled file, made now if it is not there."""
    source, libraries = Path(__file__).with_name("kernels.c"), Path(torch.__file__).parent / "lib"
    compiler = os.environ.get("CC") or "cc"
    vectors = VECTORS.get(torch.backends.cpu.get_cpu_capability(), [])
    options = ["-O3", "-shared", "-fPIC", *vectors]
    found = [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-ltorch_cpu", "-lm"]
    found += [] if sys.platform == "darwin" else ["-Wl,--no-undefined"]
    made_of = compiler, options, found, torch.__version__, platform.machine(), source.read_text()
    name = f"kernels-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]}.so"
    path = source.parent / "__pycache__" / name  # as what Python compiles
    if not path.exists():
        command = shutil.which(compiler)
        if command is None:
            raise FileNotFoundError(compiler)
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / name
            words = [command, *options, str(source), "-o", str(part), *found]
            subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE)
            part.replace(path)
    return path
