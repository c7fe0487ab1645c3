"""Experiments: each is one page of plain settings and one command.

    from course.experiments import EXPERIMENTS

    experiment = EXPERIMENTS["degradation"]            # .name, .summary, .page, .settings
    settings = experiment.settings.change(depths=(2, 10, 30), seeds=3, epochs=None)
    table = experiment.run(settings, out="results", device="auto", jobs=1)
    table.path                                         # results/degradation-digits.csv
    table.columns["train_accuracy"]                    # numpy; rows: network, depth, seed, epoch

`change` leaves a setting that is None as it is, so a command line can hand over whatever it was
given; the metadata "about" of each field explains it. Bad values raise ValueError before anything
is trained. `run` writes the table, and only a finished one; the picture is drawn from the table by
`course.plots.experiments`. Importing this package does not load torch: `run` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course.arguments import one_of
from course.experiments import degradation, figure1
from course.experiments.settings import Grid

if TYPE_CHECKING:
    from course.experiments.table import Table


@dataclass(frozen=True)
class Experiment:
    """A named page of settings that can be run."""

    name: str
    page: str
    settings: Grid

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.page.splitlines()[0]

    def run(
        self,
        settings: Grid | None = None,
        *,
        out: str | Path = "results",
        device: str = "auto",
        jobs: int = 1,
        part: tuple[int, int] = (1, 1),
        root: str | Path | None = None,
        progress: bool = True,
    ) -> Table | None:
        """Train the grid and write `out`/NAME-DATA.csv; see `course.experiments.grid.run`."""
        from course.experiments import grid

        return grid.run(
            self.name,
            settings or self.settings,
            out=out,
            device=device,
            jobs=jobs,
            part=part,
            root=root,
            progress=progress,
        )


EXPERIMENTS: dict[str, Experiment] = {
    name: Experiment(name, str(page.__doc__), page.SETTINGS)
    for name, page in {"degradation": degradation, "figure1": figure1}.items()
}


def experiment(name: str) -> Experiment:
    """The experiment of that name, or ValueError that lists them."""
    return EXPERIMENTS[one_of("experiment", name, EXPERIMENTS)]
