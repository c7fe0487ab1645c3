"""The plain settings of an experiment: what a page such as `degradation.py` fills in.

Nothing here needs torch, so that listing the experiments and checking settings is quick.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

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
    test_subset: int | None = _setting(None, "test examples to use (all, if not given)")
    evaluate_every: int = _setting(1, "epochs from one row of the table to the next")

    depth_counts: ClassVar[str] = "hidden blocks"

    def put(self, name: str, value: Any) -> None:
        """Set a field, while the settings are checked: afterwards they do not change."""
        object.__setattr__(self, name, value)

    def __post_init__(self) -> None:
        put = self.put
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
        if self.test_subset is not None:
            put("test_subset", whole("test_subset", self.test_subset, least=2))

    def change(self, **changes: Any) -> Grid:
        """The same settings but for `changes`; a None leaves the setting as it is."""
        known = [f.name for f in fields(self)]
        for name in changes:
            one_of("setting", name, known)
        return replace(self, **{k: v for k, v in changes.items() if v is not None})

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain numbers, strings and lists, ready for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class ConvGrid(Grid):
    """A grid of convolutional networks of depth 8 n + 2. `width`: channels of their first block.

    `decay_from` counts only where there are no `drops`.
    """

    depth_counts: ClassVar[str] = "layers"
    drops: tuple[float, ...] = _setting(
        (), "shares of training after which the rate is divided by ten (none: decay-from counts)"
    )
    weight_decay: float = _setting(0.0, "this times each weight is added to its gradient")
    padding: int = _setting(
        4, "pixels by which a training picture is shifted at most, and it may be mirrored (0: none)"
    )
    multiplier: float = _setting(-1.0, "a VAN's lambda at the start")
    ratio: float = _setting(0.1, "a VAN's eta' over eta")
    leave_at: int | None = _setting(
        None, "step near which a VAN's skips leave (not given: its eta is the learning rate)"
    )
    precision: str = _setting("auto", "auto: bfloat16 products on a GPU; or float32")

    def __post_init__(self) -> None:
        super().__post_init__()
        for network in self.networks:
            one_of("networks", network, [name for name in NETWORKS if name != "looks-linear"])
        for depth in self.depths:
            if depth < 10 or depth % 8 != 2:
                raise reject("depths", depth, "8 n + 2: 10, 18, 26, 34, ...")
        drops = tuple(real("drops", share, least=0.0, most=1.0) for share in self.drops)
        if list(drops) != sorted(set(drops)):
            raise reject("drops", drops, "shares of training in rising order")
        self.put("drops", drops)
        self.put("weight_decay", real("weight_decay", self.weight_decay, least=0.0))
        self.put("padding", whole("padding", self.padding))
        self.put("multiplier", real("multiplier", self.multiplier, most=0.0))
        self.put("ratio", real("ratio", self.ratio, above=0.0))
        if self.leave_at is not None:
            self.put("leave_at", whole("leave_at", self.leave_at, least=1))
            real("-multiplier, with leave_at,", -self.multiplier, above=0.0)
        one_of("precision", self.precision, ("auto", "float32"))


def _several(name: str, value: Any) -> tuple[Any, ...]:
    allowed = "one or more different values"
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise reject(name, value, allowed)
    values = tuple(value)
    if not values or len(set(values)) != len(values):
        raise reject(name, value, allowed)
    return values
