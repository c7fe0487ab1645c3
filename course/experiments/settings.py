"""The plain settings of an experiment: what a page such as `degradation.py` fills in.

Nothing here needs torch, so that listing the experiments and checking settings is quick.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from course.arguments import one_of, real, reject, whole
from course.arguments import seeds as check_seeds

DATA = ("digits", "mnist", "fashion-mnist", "cifar10", "cifar100")
NETWORKS = ("plain", "resnet", "highway", "diracnet", "van", "van0", "looks-linear")


def _setting(default: Any, about: str) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True)
class Grid:
    """A grid of networks x depths x seeds, all trained in the same way.

    `depths`, `seeds` and `networks` are tuples; `seeds` may be given as a number n, which means
    the seeds 0 to n - 1. A bad value raises ValueError with its name, value and what is allowed.
    """

    data: str = _setting("digits", "the data set")
    networks: tuple[str, ...] = _setting(("plain", "resnet"), "the architectures to compare")
    depths: tuple[int, ...] = _setting((2, 5, 10, 20, 30, 50), "numbers of hidden blocks")
    seeds: tuple[int, ...] = _setting((0, 1, 2), "one seed per replica (a number n: 0 to n - 1)")
    width: int = _setting(50, "units per hidden layer")
    epochs: int = _setting(10, "passes over the training set")
    batch: int = _setting(100, "examples per step")
    rate: float = _setting(0.03, "learning rate at the start")
    momentum: float = _setting(0.9, "momentum of SGD")
    decay_from: float = _setting(
        1.0, "share of training after which the rate falls to 0 (1: never)"
    )
    gate_bias: float = _setting(-4.0, "Highway's gate bias at the start")
    alpha: str = _setting("unit", "a VAN's alphas: one for each unit, or block")
    subset: int | None = _setting(None, "training examples to use (all, if not given)")
    evaluate_every: int = _setting(1, "epochs from one row of the table to the next")

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        one_of("data", self.data, DATA)
        put("networks", _several("networks", self.networks))
        for network in self.networks:
            one_of("networks", network, NETWORKS)
        put("depths", tuple(whole("depths", d, least=1) for d in _several("depths", self.depths)))
        given: Any = self.seeds
        if isinstance(given, int):
            given = range(whole("seeds", given, least=1))
        put("seeds", check_seeds(given))
        for name in ("width", "epochs", "evaluate_every"):
            put(name, whole(name, getattr(self, name), least=1))
        put("batch", whole("batch", self.batch, least=2))
        put("rate", real("rate", self.rate, above=0.0))
        put("momentum", real("momentum", self.momentum, least=0.0, most=0.999))
        put("decay_from", real("decay_from", self.decay_from, least=0.0, most=1.0))
        put("gate_bias", real("gate_bias", self.gate_bias))
        one_of("alpha", self.alpha, ("unit", "block"))
        if self.subset is not None:
            put("subset", whole("subset", self.subset, least=self.batch))

    def change(self, **changes: Any) -> Grid:
        """The same settings but for `changes`; a None leaves the setting as it is."""
        known = [f.name for f in fields(self)]
        for name in changes:
            one_of("setting", name, known)
        return replace(self, **{k: v for k, v in changes.items() if v is not None})

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain numbers, strings and lists, ready for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def _several(name: str, value: Any) -> tuple[Any, ...]:
    allowed = "one or more different values"
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise reject(name, value, allowed)
    values = tuple(value)
    if not values or len(set(values)) != len(values):
        raise reject(name, value, allowed)
    return values
