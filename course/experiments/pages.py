"""The experiments by name: each a page of plain settings. Nothing here needs torch."""

from dataclasses import dataclass

from course.arguments import one_of
from course.experiments import cifar, degradation, figure1
from course.experiments.settings import Grid


@dataclass(frozen=True)
class Experiment:
    """A named page of settings, which `grid.run` trains."""

    name: str
    page: str
    settings: Grid

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.page.splitlines()[0]


EXPERIMENTS: dict[str, Experiment] = {
    name: Experiment(name, str(page.__doc__), page.SETTINGS)
    for name, page in {"degradation": degradation, "figure1": figure1, "cifar": cifar}.items()
}


def experiment(name: str) -> Experiment:
    """The experiment of that name, or ValueError that lists them."""
    return EXPERIMENTS[one_of("experiment", name, EXPERIMENTS)]
