"""`course doctor`: what is wrong with a network that a script builds."""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from course import files
from course.arguments import reject

ORDER = ("model", "data", "loss", "optimizer")
OTHERS = ("forward", "clip", "steps")


def case(source: str) -> dict[str, Any]:
    """The arguments of `doctor.examine` that a factory returns; source: "script.py:factory".

    The factory takes nothing, and returns a dict of the arguments (model, data, loss, optimizer,
    forward, clip, steps) or a tuple of the first three or four. The script runs as a module, not
    as a program. ValueError if there is no such file or function, if it raises, or returns
    something else.
    """
    path, _, name = source.rpartition(":")
    if not path or not Path(path).is_file():
        raise reject("source", source, "script.py:factory, with a script that is there")
    specification = importlib.util.spec_from_file_location("course_doctor_script", path)
    if specification is None or specification.loader is None:
        raise reject("script", path, "a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # its dataclasses and data loaders look there
    sys.path.insert(0, str(Path(path).resolve().parent))  # it may import its neighbours
    loader = specification.loader
    _run(path, lambda: loader.exec_module(module))
    factory = getattr(module, name, None)
    if not callable(factory):
        raise reject("factory", name, f"a function in {path}")
    result = _run(path, factory)
    if isinstance(result, tuple) and 3 <= len(result) <= len(ORDER):
        return dict(zip(ORDER, result, strict=False))
    if not isinstance(result, Mapping) or not set(ORDER[:3]) <= set(result):
        raise reject(
            f"what {name}() returns", type(result).__name__, "(model, data, loss, optimizer)"
        )
    if not set(result) <= {*ORDER, *OTHERS}:
        unknown = sorted(set(result) - {*ORDER, *OTHERS})
        raise reject(f"what {name}() returns", unknown, f"only {', '.join((*ORDER, *OTHERS))}")
    return dict(result)


def _run(path: str, function: Callable[[], Any]) -> Any:
    """What it returns; ValueError with the place in the script where it raises, or exits."""
    try:
        return function()
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        here = Path(path).resolve()
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == here]
        at = f", line {lines[-1]}" if lines else ""
        raise ValueError(f"{path}{at}: {type(error).__name__}: {error}") from error


@click.command(
    epilog="""
\b
Example, in train.py:
  def factory():
      model = Net()
      return model, loader, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())

\b
  course doctor train.py:factory
  course doctor train.py:factory --json

\b
Exit status: 0 healthy; 1 ill, or not sure; 2 the script can't be run, or returns something else
""",
)
@click.argument("source", metavar="SCRIPT.PY:FACTORY")
@click.option("--steps", type=click.IntRange(1), help="Trial steps on a copy (60).")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with the figure, too.")
def doctor(source: str, steps: int | None, as_json: bool, html: Path | None) -> None:
    """What is wrong with a network, where, on what evidence, what to try first.

    FACTORY is a function in SCRIPT.PY that builds what you train: it returns model, loader, loss
    and optimizer. Nothing is trained but copies, for a few dozen steps.
    """
    from course.doctor import examine

    given = case(source)
    model, data = given.pop("model"), given.pop("data")
    if steps is not None:
        given["steps"] = steps
    verdict = examine(model, data, **given)
    click.echo(json.dumps(verdict.to_dict(), indent=2) if as_json else str(verdict))
    if html is not None:
        head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Doctor</title>'
        files.write_whole(html, f"{head}<h1>Doctor</h1>{verdict._repr_html_()}</html>")
    sys.exit(0 if verdict.status == "healthy" else 1)
