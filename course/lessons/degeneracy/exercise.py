"""Checks of notebook 06, degeneracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.lessons.degeneracy import repair
from course.selfcheck import check, check_function

Build = Callable[[Tensor], Any]


def solve_fold(W: Tensor) -> Tensor:
    upper = W[: len(W) // 2]
    return torch.cat([upper, upper])


def solve_orthogonal(G: Tensor) -> Tensor:
    Q, R = torch.linalg.qr(G)
    return Q * R.diagonal().sign()


def check_starts(fold: Callable[[Tensor], Any], orthogonal: Callable[[Tensor], Any]) -> None:
    """What the student builds: a matrix folded once, and an orthogonal one out of a Gaussian."""
    stream = torch.Generator().manual_seed(6)
    matrices = [torch.randn(n, n, generator=stream, dtype=torch.float64) for n in (2, 4, 6)]
    slips: list[tuple[Build, str]] = [
        (lambda W: W.T[: len(W) // 2].repeat(2, 1).T, "Those are columns. Rows belong to inputs."),
        (lambda W: W[: len(W) // 2].repeat_interleave(2, 0), "Copy the whole upper half at once."),
        (lambda W: W[len(W) // 2 :].repeat(2, 1), "That repeats the lower half: keep the upper."),
        (lambda W: W[: len(W) // 2], "That is the upper half alone. It is wanted twice."),
    ]
    cases = [((W,), solve_fold(W)) for W in matrices]
    check_function("fold", fold, cases, mistakes=slips, solution=solve_fold)
    wrong: list[tuple[Build, str]] = [
        (lambda G: torch.linalg.qr(G).Q, "Orthogonal it is. Now the signs: R has a diagonal."),
        (lambda G: torch.linalg.qr(G).R, "That is R. The orthogonal factor is Q."),
        (_signs_of_rows, "The signs belong to the columns of Q: no transposing is needed."),
    ]
    cases = [((G,), solve_orthogonal(G)) for G in matrices]
    check_function("orthogonal", orthogonal, cases, mistakes=wrong, solution=solve_orthogonal)


def _signs_of_rows(G: Tensor) -> Tensor:
    Q, R = torch.linalg.qr(G)
    return R.diagonal().sign()[:, None] * Q


def solve_mended(W: Tensor) -> Tensor:
    U, _, V = torch.linalg.svd(W)
    return U @ V  # the same directions, all singular values 1


def check_mended(sick_layers: Any, mended: Callable[[Tensor], Any]) -> None:
    """The repair: which layers are to blame, and matrices that stretch evenly in their place.

    Of what `mended` gives the singular values are compared; then the whole network is trained.
    """

    def stretched(W: Tensor) -> Any:
        matrix = mended(W)
        fine = isinstance(matrix, Tensor) and matrix.shape == W.shape
        return torch.linalg.svdvals(matrix.detach().double()) if fine else matrix

    matrices = repair.patient()
    ill = [matrices[layer - 1] for layer in repair.SICK]
    found = check("sick_layers", sick_layers, list(repair.SICK))
    even = check_function(
        "mended", stretched if callable(mended) else mended,
        [((W,), torch.ones(len(W))) for W in ill], tolerance=1e-3,
        solution=solve_mended,
    )  # fmt: skip
    if found and even:
        before = repair.loss_of_the_patient()
        for layer, W in zip(repair.SICK, ill, strict=True):
            matrices[layer - 1] = torch.as_tensor(mended(W.clone())).detach().float()
        loss = repair.loss_after_training(matrices).mean()
        print(f"After 300 steps: loss {loss:.2f}. With the sick layers it was {before:.2f}.")
