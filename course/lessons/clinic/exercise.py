"""What a student commits to, what is true, the mends, and the score of student and doctor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from torch import nn

from course import doctor
from course.arguments import one_of
from course.handbook import Table
from course.lessons.clinic import science
from course.selfcheck import Verdict, answers, check_function, holds, marked

Letter = Literal["A", "B", "C", "D", "E", "F", "G"]
"""A patient."""

DIAGNOSES = (
    "healthy", "vanishing gradients", "exploding gradients", "exploding through batch norm",
    "dead units", "saturated units", "collapsed representation", "rate too large",
    "rate too small", "softmax before cross-entropy", "labels do not belong to inputs",
    "gradients pile up", "layers in a list",
)  # fmt: skip
"""What a patient may have; the doctor's own names."""

REMEDIES = (
    "nothing", "smaller rate", "larger rate", "clip the gradient", "He's weights",
    "draw the weights anew", "leaky ReLU", "batch norm", "skips", "drop the softmax",
    "match inputs and labels", "zero_grad", "nn.ModuleList",
)  # fmt: skip
"""What to try first."""

TRUTH = {
    "A": ("vanishing gradients", ("He's weights", "batch norm")),
    "B": ("dead units", ("draw the weights anew", "He's weights")),
    "C": ("healthy", ("nothing",)),
    "D": ("softmax before cross-entropy", ("drop the softmax",)),
    "E": ("exploding through batch norm", ("skips",)),
    "F": ("labels do not belong to inputs", ("match inputs and labels",)),
    "G": ("collapsed representation", ("skips",)),
}
"""{patient: (diagnosis, first remedies that were seen to mend it)}."""

DOCTORS = {
    "healthy": "nothing", "vanishing gradients": "He's weights",
    "dead units": "draw the weights anew", "softmax before cross-entropy": "drop the softmax",
    "exploding through batch norm": "skips", "collapsed representation": "skips",
    "labels do not belong to inputs": "match inputs and labels",
}  # fmt: skip
"""The first remedy of `doctor.ILLNESSES`, in the words of `REMEDIES`."""

NOT_FOUR, NOT_ALL = "is not four parts", "has parameters that its optimizer does not know"
GOALS = {"A": 2.1, "B": 1.0, "D": 0.8, "E": 1.9, "F": 0.8, "G": 1.9}
"""Mean loss of the last ten steps below which a patient counts as mended."""

_committed: dict[str, tuple[str, str]] = {}  # in this session, also where nothing is put on file


def commit(patient: str, diagnosis: Any, remedy: Any) -> None:
    """Lock a diagnosis and a first remedy for a patient, and print them; the first ones stay.

    diagnosis: one of `DIAGNOSES`; remedy: one of `REMEDIES`. They are put on file as predictions
    are. With ... in place of either it is "not yet".
    """
    one_of("patient", patient, TRUTH)
    before = committed(patient)
    if before is not None:
        print(f"Patient {patient}: {before[0]}; first {before[1]}. This is locked.")
        return
    if any(answer is None or answer is ... for answer in (diagnosis, remedy)):
        print(f"Patient {patient}: not yet. Write two of the names above in place of the ...")
        return
    for answer, allowed in ((diagnosis, DIAGNOSES), (remedy, REMEDIES)):
        if not isinstance(answer, str) or answer not in allowed:
            print(f"Patient {patient}: {answer!r} is not on the list: {', '.join(allowed)}.")
            return
    _committed[patient] = (diagnosis, remedy)
    for part, answer, allowed in zip(
        ("diagnosis", "remedy"), _committed[patient], (DIAGNOSES, REMEDIES), strict=True
    ):
        try:
            answers.append(_question(patient, part), "before", allowed.index(answer), answer)
        except OSError as error:
            print(f"(It could not be put on file: {error})")
    print(f"Patient {patient}: {diagnosis}; first {remedy}. Locked: go on, and ask the doctor.")


def committed(patient: str) -> tuple[str, str] | None:
    """The diagnosis and remedy to which the student committed, None before that."""
    if patient in _committed:
        return _committed[patient]
    records = [answers.find(_question(patient, part), "before") for part in ("diagnosis", "remedy")]
    texts = [record.text for record in records if record is not None]
    return (texts[0], texts[1]) if len(texts) == 2 else None


def _question(patient: str, part: str) -> str:
    return f"13-{patient.lower()}-{part}"


def lists() -> Table:
    """What there is to commit to."""
    return Table(("", "names"), (("diagnosis", "; ".join(DIAGNOSES)),
                                 ("remedy", "; ".join(REMEDIES))))  # fmt: skip


def laboratory() -> Table:
    """What was measured of all patients, number by number, each within the bounds it is held to."""
    rows = []
    for letter in science.PATIENTS:
        lab = science.laboratory(letter)
        assert np.isfinite(lab.last).all() and lab.moved <= lab.parameters
        assert (lab.last.mean() < 0.5) == (TRUTH[letter][0] == "healthy"), (letter, lab.last)
        low, high = lab.answers
        rows.append((
            letter, marked(f"{lab.first.mean():.2f}"), marked(f"{lab.last.mean():.2f}"),
            marked(f"{lab.by_heart:.2f}"), marked(f"{low:.2g} to {high:.2g}"),
            marked(f"{lab.moved} of {lab.parameters}"), marked(f"{100 * lab.neighbours:.0f} %"),
        ))  # fmt: skip
    return Table(
        ("patient", "loss, steps 1 to 10", "loss, steps 51 to 60", "loss of one batch by heart",
         "answers then", "parameters that moved", "neighbours that agree"), tuple(rows),
    )  # fmt: skip


@cache
def verdict(letter: str) -> doctor.Verdict:
    """What the doctor says of a patient, of seed 0."""
    model, examples, loss, optimizer = science.PATIENTS[letter](0)
    return doctor.examine(model, examples, loss=loss, optimizer=optimizer, steps=30)


def opinions(letters: Sequence[str]) -> Table:
    """The doctor's verdicts on these patients: what, on which evidence, what to try, and where."""
    rows = []
    for letter in letters:
        said = verdict(letter)
        root = said.root
        if root is None:
            rows.append((letter, said.status, marked(said.evidence[0]), "", ""))
        else:
            about = root.about
            remedy, evidence = about.remedies[0], marked(root.evidence)
            rows.append((letter, root.illness, evidence, remedy.do, about.lesson))
    return Table(("patient", "the doctor", "evidence", "try first", "notebook"), tuple(rows))


def scores() -> Table:
    """Doctor and student on the same patients: a point for the diagnosis, one for the remedy."""
    rows, sums = [], {"doctor": 0, "you": 0}
    for letter, (diagnosis, remedies) in TRUTH.items():
        said = verdict(letter)
        name = said.illness or said.status
        theirs, mine = (name, DOCTORS.get(name, "")), committed(letter)
        cells = []
        for who, answer in (("doctor", theirs), ("you", mine)):
            if answer is None:
                cells.append("not yet")
                continue
            points = (answer[0] == diagnosis) + (answer[1] in remedies)
            sums[who] += points
            cells.append(f"{points}: {answer[0]}; {answer[1] or 'no remedy'}")
        rows.append((letter, f"{diagnosis}; {' or '.join(remedies)}", *cells))
    whole = f"of {2 * len(TRUTH)}"
    yours = f"{sums['you']} {whole}" if any(map(committed, TRUTH)) else "not yet"
    rows.append(("in all", "", f"{sums['doctor']} {whole}", yours))
    return Table(("patient", "what it was", "doctor", "you"), tuple(rows))


def mend_a(model: Any, examples: Any, loss: Any, optimizer: Any) -> Any:
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return model, examples, loss, optimizer


def mend_b(model: Any, examples: Any, loss: Any, optimizer: Any) -> Any:
    science.draw(model)  # dead units stay dead at any rate: begin again, at the smaller one
    return model, examples, loss, optimizer


def mend_d(model: Any, examples: Any, loss: Any, optimizer: Any) -> Any:
    return model[:-1], examples, loss, optimizer  # cross-entropy has its own softmax


def mend_e(model: Any, examples: Any, loss: Any, optimizer: Any) -> Any:
    model = science.with_skips(model, each=3, factor=60**-0.5)  # 60 branches: 1/sqrt(60) each
    return model, examples, loss, optimizer


def mend_f(model: Any, examples: Any, loss: Any, optimizer: Any) -> Any:
    return model, [(x, y.roll(-1)) for x, y in examples], loss, optimizer


def mend_g(model: Any, examples: Any, loss: Any, optimizer: Any) -> Any:
    model = science.with_skips(model, each=2, factor=1 / 100)  # branches with large biases: less
    return model, examples, loss, optimizer


MENDS = {"A": mend_a, "B": mend_b, "D": mend_d, "E": mend_e, "F": mend_f, "G": mend_g}
"""{patient: a mend with which it learns}; the healthy one has none."""


def mended(letter: str, seeds: range = range(3)) -> science.Array:
    """The losses of a patient after its mend, (R, STEPS); of the healthy one as it came."""
    if letter not in MENDS:
        return science.untreated(letter, seeds)
    return science.losses(science.PATIENTS[letter], seeds, MENDS[letter])


def all_learn(after: dict[str, science.Array]) -> None:
    """State, for each patient that was mended, that its loss fell below its goal."""
    for letter, goal in GOALS.items():
        before = science.untreated(letter)[:, -10:].mean(1)
        now = after[letter][:, -10:].mean(1)
        holds(f"{letter}: loss of the last steps after the mend", now, "<", goal, "<", before,
              on_average=True)  # fmt: skip


def _after(mend: Callable[..., Any], letter: Letter) -> Any:
    """What becomes of a patient after the student's mend, in words."""
    parts = mend(*science.PATIENTS[letter](7))
    if parts is None or parts is ...:
        return parts
    if not isinstance(parts, tuple | list) or len(parts) != 4:
        return NOT_FOUR
    if any(part is ... or part is None for part in parts):
        return ...
    model, _, _, optimizer = patient = tuple(parts)
    known = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not {id(p) for p in model.parameters()} <= known:
        return NOT_ALL
    last = science.steps(patient, science.STEPS)[-10:].mean()
    return "learns" if last < GOALS[letter] else f"ends at a loss of {last:.2f}"


def check_mend(letter: Letter, mend: Callable[..., Any]) -> Verdict:
    """Whether a patient learns after the student's mend; prints how far its loss falls, or a hint.

    mend: takes model, batches, loss and optimizer, and returns the four.
    """
    slips: list[tuple[Callable[..., Any], str]] = [
        (lambda *parts: "", "Return model, examples, loss and optimizer."),
        (lambda model, *rest: (nn.Linear(2, 2), *rest), "Make the optimizer after the model."),
    ]
    return check_function(
        f"mend_{letter.lower()}", mend, [((letter,), "learns")], mistakes=slips,
        solution=MENDS[letter], trial=_after, gives="gives a patient that",
    )  # fmt: skip
