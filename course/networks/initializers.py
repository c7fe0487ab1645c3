"""Laws for the initial weights. A law draws one matrix W, shape (fan_in, fan_out), for y = x W + b.

Every law is called ``law(fan_in, fan_out, generator)`` and returns float64 on the generator's
device; layers round it to their own type, so a float32 network starts as the rounded float64 one.
Set a law's other arguments with functools.partial: ``partial(orthogonal, gain=0.9)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from course import arguments
from course.networks.draws import factors, gaussians, uniforms

Law = Callable[..., Tensor]


def _normal(fan_in: int, fan_out: int, generator: Generator, deviation: float = 1.0) -> Tensor:
    return deviation * gaussians(fan_in, fan_out, generator)[0]


def _uniform(fan_in: int, fan_out: int, generator: Generator, bound: float) -> Tensor:
    return bound * (2 * uniforms(fan_in, fan_out, generator)[0] - 1)


def _gain(gain: float) -> float:
    return arguments.real("gain", gain, least=0)


def _fan(fan_in: int) -> int:
    return arguments.whole("fan_in", fan_in, least=1)


def lecun_normal(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """W_ij ~ N(0, gain^2 / fan_in): a linear layer keeps the variance of its signal.

    LeCun, Bottou, Orr and Mueller, "Efficient BackProp" (1998), section 4.6.
    """
    return _normal(fan_in, fan_out, generator, _gain(gain) / math.sqrt(_fan(fan_in)))


def lecun_uniform(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """W_ij ~ U(-a, a), a = gain sqrt(3 / fan_in): variance gain^2 / fan_in.

    LeCun, Bottou, Orr and Mueller, "Efficient BackProp" (1998), section 4.6.
    """
    return _uniform(fan_in, fan_out, generator, _gain(gain) * math.sqrt(3 / _fan(fan_in)))


def glorot_normal(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """W_ij ~ N(0, 2 gain^2 / (fan_in + fan_out)): between keeping signals and keeping gradients.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks"
    (2010), eq. 12. Also called Xavier.
    """
    deviation = _gain(gain) * math.sqrt(2 / (_fan(fan_in) + fan_out))
    return _normal(fan_in, fan_out, generator, deviation)


def glorot_uniform(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """W_ij ~ U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)).

    Glorot and Bengio (2010), eq. 16, the "normalized initialization".
    """
    bound = _gain(gain) * math.sqrt(6 / (_fan(fan_in) + fan_out))
    return _uniform(fan_in, fan_out, generator, bound)


def he_normal(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """W_ij ~ N(0, 2 gain^2 / fan_in): makes up for the half of the signal that ReLU cuts away.

    He, Zhang, Ren and Sun, "Delving deep into rectifiers" (2015), eq. 10.
    """
    return _normal(fan_in, fan_out, generator, _gain(gain) * math.sqrt(2 / _fan(fan_in)))


def he_uniform(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """W_ij ~ U(-a, a), a = gain sqrt(6 / fan_in): variance 2 gain^2 / fan_in.

    He, Zhang, Ren and Sun (2015), eq. 10, with the uniform distribution.
    """
    return _uniform(fan_in, fan_out, generator, _gain(gain) * math.sqrt(6 / _fan(fan_in)))


def torch_default(fan_in: int, fan_out: int, generator: Generator) -> Tensor:
    """W_ij ~ U(-a, a), a = 1 / sqrt(fan_in): what torch.nn.Linear does. Variance 1 / (3 fan_in).

    Written there as ``kaiming_uniform_(weight, a=sqrt(5))``. Too small to keep a signal: a linear
    layer divides its variance by 3. Biases follow the same law, see `torch_default_bias`.
    """
    return _uniform(fan_in, fan_out, generator, 1 / math.sqrt(_fan(fan_in)))


def torch_default_bias(fan_in: int, fan_out: int, generator: Generator) -> Tensor:
    """b_j ~ U(-a, a), a = 1 / sqrt(fan_in), shape (1, fan_out): the biases of torch.nn.Linear."""
    return _uniform(1, fan_out, generator, 1 / math.sqrt(_fan(fan_in)))


def normal_bias(
    fan_in: int, fan_out: int, generator: Generator, *, variance: float = 1.0
) -> Tensor:
    """b_j ~ N(0, variance), shape (1, fan_out): the sigma_b^2 of mean field theory.

    Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli, "Exponential expressivity" (2016), eq. 1.
    """
    deviation = math.sqrt(arguments.real("variance", variance, least=0))
    return _normal(1, fan_out, generator, deviation)


def orthogonal(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """All singular values equal `gain`: W = gain Q, Q uniform (Haar) among orthogonal matrices.

    A rectangular W has orthonormal columns (fan_in >= fan_out) or rows, times gain. Q is the QR
    factor of a Gaussian matrix, each column times the sign of R's diagonal; without the signs Q
    would not be uniform (Mezzadri, "How to generate random matrices from the classical compact
    groups", 2007). In deep networks: Saxe, McClelland and Ganguli (2014), section 3.
    """
    long, short = max(fan_in, fan_out), min(fan_in, fan_out)
    q, r = torch.linalg.qr(_normal(long, short, generator))
    q = _gain(gain) * q * torch.where(r.diagonal() < 0, -1.0, 1.0)
    return q if fan_in >= fan_out else q.T.contiguous()


def folded(
    fan_in: int,
    fan_out: int,
    generator: Generator,
    *,
    fold: int = 1,
    base: str | Law = "lecun_normal",
) -> Tensor:
    """A draw of `base` with half of its rows copied over the other half, `fold` times over.

    Row i + fan_in/2 repeats row i, so inputs i and i + fan_in/2 are only seen as their sum: the
    rank falls from n to n / 2^fold while every entry keeps its variance. fan_in must be divisible
    by 2^fold. After Orhan, "Why is it hard to train deep neural networks? Degeneracy, not vanishing
    gradients, is the key" (2018), where fold 0 is the plain Gaussian matrix.
    """
    parts = 2 ** arguments.whole("fold", fold, most=30)
    if fan_in % parts:
        raise arguments.reject("fan_in", fan_in, f"divisible by 2^fold = {parts}")
    drawn = law(base)(fan_in, fan_out, generator)
    return drawn[: fan_in // parts].repeat(parts, 1) if parts > 1 else drawn


def mixed(
    fan_in: int,
    fan_out: int,
    generator: Generator,
    *,
    orthogonality: float = 0.5,
    gain: float = 1.0,
) -> Tensor:
    """From Gaussian (orthogonality 0) to orthogonal (1) with the singular vectors and scale fixed.

    G = U S V^T is a Gaussian draw; W = c U S^(1 - orthogonality) V^T, with c such that the mean
    square of the singular values is that of `lecun_normal`, gain^2 max(fan_in, fan_out) / fan_in,
    at every mix. So only the spread of the singular values changes: the degeneracy, not the scale.
    At 1 it is the nearest orthogonal matrix to G (uniform, as U V^T is).
    Compare Orhan and Pitkow, "Skip connections eliminate singularities" (2018).
    """
    t = arguments.real("orthogonality", orthogonality, least=0, most=1)
    draw = factors if t else gaussians  # G itself: no need to take it apart
    return mixture(draw(fan_in, fan_out, generator), t, _gain(gain))


def mixture(draw: tuple[Tensor, ...], orthogonality: float, gain: float) -> Tensor:
    """The equation of `mixed`, for a draw or any number: (..., fan_in, fan_out).

    draw: (U, S, V^T), as of `draws.factors`; for orthogonality 0 also (G,), as of `gaussians`.
    """
    fan_in, fan_out = draw[0].shape[-2], draw[-1].shape[-1]
    size = gain * math.sqrt(max(fan_in, fan_out) / _fan(fan_in))
    if len(draw) == 1:
        norms = torch.linalg.matrix_norm(draw[0], keepdim=True)
        return draw[0] * (size * math.sqrt(min(fan_in, fan_out)) / norms)
    u, s, vt = draw
    s = s ** (1 - orthogonality)
    return (u * (size * s / s.square().mean(-1, keepdim=True).sqrt())[..., None, :]) @ vt


def identity(fan_in: int, fan_out: int, generator: Generator, *, gain: float = 1.0) -> Tensor:
    """gain times the identity; a rectangular W passes the first units on and leaves the rest 0.

    Le, Jaitly and Hinton, "A simple way to initialize recurrent networks of rectified linear
    units" (2015).
    """
    return _gain(gain) * torch.eye(fan_in, fan_out, device=generator.device, dtype=torch.float64)


def zero(fan_in: int, fan_out: int, generator: Generator) -> Tensor:
    """W = 0. In a residual branch: the identity at the start (Zhang, Dauphin and Ma 2019)."""
    return torch.zeros(fan_in, fan_out, device=generator.device, dtype=torch.float64)


def _mirror(name: str, width: int) -> int:
    if width % 2:
        raise arguments.reject(name, width, "even: half of the units mirror the other half")
    return width // 2


def mirrored(
    fan_in: int, fan_out: int, generator: Generator, *, base: str | Law = orthogonal
) -> Tensor:
    """W = [[V, -V], [-V, V]], V of `base`, shape (fan_in/2, fan_out/2): looks linear under ReLU.

    If the units before are [relu(u), relu(-u)], their difference is u itself, so the units after
    are [u V, -u V]: mirrored again, and linear in u. Both fans must be even.
    Balduzzi, Frean, Leary, Lewis, Ma and McWilliams, "The shattered gradients problem" (2017),
    section 4; in the layout y = x W. See `mirrored_first` and `mirrored_last` for the two ends.
    """
    v = law(base)(_mirror("fan_in", fan_in), _mirror("fan_out", fan_out), generator)
    return torch.cat([torch.cat([v, -v], 1), torch.cat([-v, v], 1)], 0)


def mirrored_first(
    fan_in: int, fan_out: int, generator: Generator, *, base: str | Law = orthogonal
) -> Tensor:
    """W = [U, -U], U of `base`, shape (fan_in, fan_out/2): the first layer before `mirrored` ones.

    Its units are [x U, -x U], so ReLU keeps x U whole. fan_out must be even.
    """
    u = law(base)(fan_in, _mirror("fan_out", fan_out), generator)
    return torch.cat([u, -u], 1)


def mirrored_last(
    fan_in: int, fan_out: int, generator: Generator, *, base: str | Law = orthogonal
) -> Tensor:
    """W = [[V], [-V]], V of `base`, shape (fan_in/2, fan_out): the last layer after `mirrored`.

    It reads u V from [relu(u), relu(-u)]. fan_in must be even.
    """
    v = law(base)(_mirror("fan_in", fan_in), fan_out, generator)
    return torch.cat([v, -v], 0)


LAWS: dict[str, Law] = {
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "torch_default": torch_default,
    "orthogonal": orthogonal,
    "folded": folded,
    "mixed": mixed,
    "identity": identity,
    "zero": zero,
    "mirrored": mirrored,
    "mirrored_first": mirrored_first,
    "mirrored_last": mirrored_last,
}


def law(init: Any) -> Law:
    """The law named `init`, or `init` itself if it can be called; otherwise ValueError."""
    return init if callable(init) else LAWS[arguments.one_of("init", init, LAWS)]


def replicate(
    init: str | Law,
    fan_in: int,
    fan_out: int,
    generators: Sequence[Generator],
    *,
    rows: int | None = None,
) -> Tensor:
    """One draw of `init` per generator, stacked: shape (R, rows, fan_out), float64.

    rows is fan_in for weights (the default) and 1 for the laws of biases. Raises ValueError where
    the law returns another shape or numbers that are not finite.
    """
    arguments.whole("fan_in", fan_in, least=1)
    arguments.whole("fan_out", fan_out, least=1)
    listed = list(generators) if isinstance(generators, Sequence) else []
    if not listed or not all(isinstance(each, Generator) for each in listed):
        allowed = "a list of torch generators, one per replica: seeding.generators(seeds, purpose)"
        raise arguments.reject("generators", generators, allowed)
    drawn = torch.stack([law(init)(fan_in, fan_out, generator) for generator in generators])
    expected = (len(generators), fan_in if rows is None else rows, fan_out)
    if drawn.shape != expected or not drawn.isfinite().all():
        raise arguments.reject("init", init, f"a law that draws {expected[1:]} finite numbers")
    return drawn
