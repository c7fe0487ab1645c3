"""What is worth knowing of a network, and no illness."""

from __future__ import annotations

from itertools import islice

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from course.doctor.evidence import LEARNS, PATIENCE, Evidence
from course.doctor.rules.data import bad_batches, one_example
from course.doctor.rules.purpose import (
    by_mistake,
    drawn_and_frozen,
    has_twin,
    in_optimizer,
    why_drawn,
)
from course.doctor.rules.wiring import one_under_batch_norm
from course.doctor.words import listed


def notes(evidence: Evidence) -> list[str]:
    """Sentences: what is frozen on purpose and why it looks so, modes, schedules, overfitting."""
    model = evidence.patient.model
    named = dict(model.named_parameters())
    says = _frozen(evidence)
    unused = [n for n, p in named.items() if p.requires_grad and n not in evidence.gradients]
    if unused:
        says.append(f"no gradient came to {listed(unused)}: unused in this pass, or cut off")
    if evidence.patient.optimizer is not None:
        mine = in_optimizer(evidence.patient)
        out = [n for n in evidence.gradients if id(named[n]) not in mine]
        if out and not by_mistake(evidence, named, out):
            says.append(f"{listed(out)} are not in the optimizer, on purpose as it seems: trained")
    if not evidence.patient.training and any(map(_depends_on_mode, model.modules())):
        says.append(
            "the model came in evaluation mode, and was examined so: training needs train()"
        )
    for bad, _ in islice(bad_batches(evidence), 1):
        says.append(f"{bad}; where that is so and nothing is found, loss and gradient are finite")
    alone = one_under_batch_norm(evidence.patient)
    if alone is not None:
        says.append(f"{alone.evidence}, over its places; in evaluation it will be another network")
    if one_example(evidence):
        says.append("all batches hold one and the same example: it is learned by heart")
    if not evidence.whole:
        says.append("the loss has more than one entry: its mean was taken; backward() would refuse")
    if evidence.trial.scheduled:
        says.append("a schedule is at work: the trial let the rate rise to its initial one")
    trial = evidence.trial
    if evidence.learns and len(trial.history) > PATIENCE + 1:
        says.append("it learns slowly: the loss falls steadily; a larger rate may be worth a try")
    if evidence.held_out and trial.share(trial.now) > 5 * LEARNS and trial.share(trial.held) < 0:
        says.append("what it learns does not carry over to batches held out yet: it overfits")
    return says


def _frozen(evidence: Evidence) -> list[str]:
    named = dict(evidence.patient.model.named_parameters())
    frozen = [name for name, p in named.items() if not p.requires_grad]
    wide = [name for name in frozen if named[name].dim() >= 2]
    if not frozen:
        return []
    if not wide:
        return [f"{listed(frozen)} are frozen, on purpose as it seems: no weight matrix is"]
    if any(has_twin(named, name, frozen) for name in wide):
        return [f"{listed(frozen)} are frozen, on purpose as it seems: they follow others"]
    drawn = drawn_and_frozen(evidence)
    if not drawn:
        return [
            f"{listed(frozen)} are frozen, on purpose as it seems: their weights look trained "
            "(shuffled entries have a smaller largest singular value)"
        ]
    why = why_drawn(evidence, drawn)
    if why is None or not evidence.learns:
        return []
    return [
        f"{listed(drawn)} are frozen and look as they were drawn, on purpose as it seems: {why}, "
        "and the network learns; if trained weights were to be loaded, they were not"
    ]


def _depends_on_mode(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm | _DropoutNd)
