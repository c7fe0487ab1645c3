"""The strongest curvatures of a loss, of all directions there are: what no random slice shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from course import measures, seeding
from course.arguments import whole
from course.data import Dataset
from course.lessons.loss_landscapes.science import SAMPLES
from course.measures import Direction
from course.networks import Network


def extremes(
    net: Network, examples: Dataset, *, iterations: int = 40
) -> tuple[np.ndarray, list[Direction]]:
    """Smallest and largest eigenvalue of the Hessian of the loss, (R, 2), and their directions.

    Over all weights and biases, by Lanczos' method: `iterations` products of the Hessian with a
    vector, each by two backward passes (Pearlmutter, "Fast exact multiplication by the Hessian",
    1994), every vector made orthogonal to those before. The values lie inside the true extremes
    and close to them: a negative value proves that the loss bends downward along the direction that
    comes with it. Kinks of ReLU have no part in it. The directions have length 1 in each replica.
    """
    whole("iterations", iterations, least=2)
    x, y = examples.x_train[:SAMPLES], examples.y_train[:SAMPLES]
    parameters = list(net.parameters())
    with measures.as_in_training(net):
        loss = measures.losses(net(x), y.expand(net.replicas, -1), "cross_entropy").sum()
        gradients = torch.autograd.grad(loss, parameters, create_graph=True)
        flat = torch.cat([g.flatten(1) for g in gradients], 1)  # (R, parameters)

        def product(v: Tensor) -> Tensor:
            rows = torch.autograd.grad(flat, parameters, v.to(flat), retain_graph=True)
            return torch.cat([row.flatten(1) for row in rows], 1).double()

        streams = seeding.generators(net.seeds, "Lanczos")
        start = [torch.randn(flat.shape[1], generator=g, dtype=torch.float64) for g in streams]
        values, vectors = _lanczos(product, torch.stack(start), iterations)
    sizes = [p[0].numel() for p in parameters]
    directions: list[Direction] = []
    for end in vectors.unbind(1):
        pieces = zip(net.named_parameters(), end.split(sizes, 1), strict=True)
        directions.append({name: v.reshape(p.shape).to(p).detach() for (name, p), v in pieces})
    return values.numpy(), directions


def _lanczos(
    product: Callable[[Tensor], Tensor], start: Tensor, iterations: int
) -> tuple[Tensor, Tensor]:
    """Extreme Ritz values (R, 2) and vectors (R, 2, P) of a symmetric `product`; start (R, P)."""
    basis = [start / start.norm(dim=1, keepdim=True)]
    images = []
    for _ in range(iterations):
        image = product(basis[-1])
        images.append(image)
        for _ in range(2):  # once more, against rounding
            for q in basis:
                image = image - (image * q).sum(1, keepdim=True) * q
        size = image.norm(dim=1, keepdim=True)
        basis.append(image / torch.where(size > 0, size, 1.0))
    q, h = torch.stack(basis[:-1], 1), torch.stack(images, 1)  # (R, k, P)
    projected = q @ h.mT
    values, mixes = torch.linalg.eigh((projected + projected.mT) / 2)
    ends = [0, -1]
    return values[:, ends], mixes.mT[:, ends] @ q
