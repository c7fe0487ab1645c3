"""Which files of tests come first: those that share a browser or a site, then the longest.

With several processes a long file that comes last would leave the others idle. `seconds.csv` says
how long each file took in some run; a file that is not in it is short. The files that share one
JupyterLab go to one process: to start it for each would take longer than most of its tests.
`seconds.csv` is written anew by

    python -m pytest -n auto ... --junitxml=times.xml
    python -m course_tests.order times.xml
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from course_tests.repository import ROOT

FILE = Path(__file__).with_name("seconds.csv")
LAB = "course_tests/browser"  # one JupyterLab and its kernels
SHARING = (LAB, "course_tests/site")
LEAST = 2.0  # seconds: what is shorter fills the gaps at the end


def stored() -> dict[str, float]:
    """{file: seconds} as `FILE` has it; files relative to the repository's root."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return {row["file"]: float(row["seconds"]) for row in csv.DictReader(file)}


def place(name: str, seconds: dict[str, float]) -> tuple[int, float]:
    """The key by which the file `name` is sorted among the others."""
    folder = name.rpartition("/")[0]
    together = SHARING.index(folder) if folder in SHARING else len(SHARING)
    return together, -seconds.get(name, 0.0)


def unit(nodeid: str) -> str:
    """What goes to a process as a whole: the file of the test `nodeid`, or the folder LAB."""
    file = nodeid.partition("::")[0]
    return LAB if file.rpartition("/")[0] == LAB else file


def measured(report: Path) -> dict[str, float]:
    """{file: seconds}, the longest first, of a report that pytest wrote with --junitxml."""
    total: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.attrib["classname"]
        path = name.removesuffix(".ipynb").replace(".", "/")
        path += ".ipynb" if name.endswith(".ipynb") else ".py"
        total[path] += float(case.attrib["time"])
    return {path: seconds for path, seconds in total.most_common() if seconds >= LEAST}


def main(reports: list[str]) -> None:
    """Write `FILE` anew from one report."""
    if len(reports) != 1:
        raise SystemExit(str(__doc__))
    seconds = measured(Path(reports[0]))
    missing = [path for path in seconds if not (ROOT / path).is_file()]
    if missing:
        raise SystemExit(f"{reports[0]}: no such files: {', '.join(missing)}")
    rows = [f"{path},{value:.0f}" for path, value in seconds.items()]
    FILE.write_text("\n".join(["file,seconds", *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
