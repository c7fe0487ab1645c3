"""Rules about the wiring: which parameters a gradient reaches, and which move; modes; batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from course import measures
from course.doctor import patient as patients
from course.doctor.evidence import Evidence
from course.doctor.patient import Patient
from course.doctor.rules.purpose import by_mistake, drawn_and_frozen, in_optimizer, why_drawn
from course.doctor.verdict import Finding
from course.doctor.words import listed as in_words
from course.doctor.words import number


def listed(evidence: Evidence) -> Finding | None:
    """Modules in a Python list, tuple or dict that run, can be trained, and are not registered.

    On purpose, and no finding: modules that are registered elsewhere, too; frozen ones, or those
    that run without gradients (a teacher); those whose parameters the optimizer has.
    """
    model = evidence.model
    hidden = dict(hidden_modules(model))
    if not hidden:
        return None
    ran: set[str] = set()

    def note(name: str, output: Any) -> None:
        if any(x.requires_grad for x in patients.tensors(output)):
            ran.add(name)

    handles = [
        module.register_forward_hook(lambda *call, name=name: note(name, call[2]))
        for name, module in hidden.items()
    ]
    try:
        with measures.untouched_buffers(model):
            evidence.patient.forward(model, evidence.trained[0])
    finally:
        for handle in handles:
            handle.remove()
    known = dict(hidden_modules(evidence.patient.model))
    mine = in_optimizer(evidence.patient)
    places = [
        name for name in ran
        if any(p.requires_grad for p in known[name].parameters())
        and not any(id(p) in mine for p in known[name].parameters())
    ]  # fmt: skip
    if not places:
        return None
    places.sort(key=list(hidden).index)
    count = sum(p.numel() for name in places for p in known[name].parameters())
    says = f"{in_words(places)} run, and their {count} weights are not among model.parameters()"
    return Finding("layers in a list", tuple(places), says)


def hidden_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Modules with parameters that lie in lists, tuples or dicts and are registered nowhere."""
    registered = set(model.modules())
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_") and name in vars(nn.Module()):
                continue
            for key, part in _parts(value):
                if part not in registered and any(True for _ in part.parameters()):
                    yield f"{path}.{name}[{key}]".lstrip("."), part


def _parts(value: Any) -> Iterable[tuple[Any, nn.Module]]:
    if isinstance(value, dict):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        return []
    return [(key, part) for key, part in items if isinstance(part, nn.Module)]


def detached(evidence: Evidence) -> Finding | None:
    """Parameters that can be trained and change the loss when they are changed, without gradient.

    On purpose, and a note only: they look trained (see `by_mistake`); or the optimizer was not
    given them either and the network learns (a generator, while the discriminator is trained).
    """
    named = dict(evidence.model.named_parameters())
    silent = [
        name for name, p in named.items() if p.requires_grad and name not in evidence.gradients
    ]
    places = [name for name in silent[:40] if _matters(evidence, [name])] if silent else []
    if not places:
        return None
    if evidence.gradients and not by_mistake(evidence, named, places):
        return None
    mine, own = in_optimizer(evidence.patient), dict(evidence.patient.model.named_parameters())
    if mine and not any(id(own[name]) in mine for name in places) and evidence.learns:
        return None
    total = sum(p.requires_grad for p in named.values())
    says = (
        f"no gradient comes to {len(places)} of {total} parameters ({in_words(places)}), though "
        "the loss depends on them"
    )
    return Finding("detached", tuple(places), says)


def _matters(evidence: Evidence, names: list[str]) -> bool:
    """Whether the loss changes when these parameters do."""
    model, patient = evidence.model, evidence.patient
    named = dict(model.named_parameters())
    batch = evidence.trained[0]
    with torch.no_grad(), measures.untouched_buffers(model):
        torch.manual_seed(0)
        with patient.still():
            before = patient.value(model, batch).detach()
        kept = {name: named[name].clone() for name in names}
        for name in names:
            p = named[name]
            p.add_(torch.randn_like(p) * (p.float().std(correction=0) + 0.1).to(p.dtype))
        torch.manual_seed(0)
        with patient.still():
            after = patient.value(model, batch).detach()
        for name, value in kept.items():
            named[name].copy_(value)
    return bool(before != after)


def frozen(evidence: Evidence) -> Finding | None:
    """Frozen weight matrices that are still as they were drawn.

    On purpose, and a note only: frozen ones that look trained, or like a trainable one (the target
    network of a pair), biases and norms alone. A matrix with a side under 4 is not judged. See
    `frozen_after_all` for drawn ones beside others that look trained, or that the optimizer was not
    given either (random features). Where all parameters are frozen, nothing can be on purpose.
    """
    named = dict(evidence.model.named_parameters())
    if named and not any(p.requires_grad for p in named.values()):
        if any(hidden_modules(evidence.model)):
            return None
        says = "no parameter of the model requires a gradient: nothing can be trained"
        return Finding("frozen by mistake", tuple(named), says)
    places = drawn_and_frozen(evidence)
    return None if why_drawn(evidence, places) else _frozen(evidence, places)


def frozen_after_all(evidence: Evidence) -> Finding | None:
    """The same where something speaks for a purpose, in a network that does not learn, stays
    finite, and has nothing else."""
    if evidence.trial.broke is not None:
        return None
    return _frozen(evidence, drawn_and_frozen(evidence))


def _frozen(evidence: Evidence, places: Sequence[str]) -> Finding | None:
    if not places or not any(_matters(evidence, [name]) for name in places[:10]):
        return None
    says = (
        f"{in_words(places)} don't require gradients, and their entries are in no order: as drawn"
    )
    return Finding("frozen by mistake", tuple(places), says)


def left_out(evidence: Evidence) -> Finding | None:
    """Parameters that get a gradient, and are not in the optimizer.

    On purpose, and a note only: they look trained, or they are biases and norms alone.
    """
    patient = evidence.patient
    if patient.optimizer is None:
        return None
    mine = in_optimizer(patient)
    named = dict(patient.model.named_parameters())
    places = [n for n, p in named.items() if n in evidence.gradients and id(p) not in mine]
    if not places:
        return None
    if len(places) < len(evidence.gradients) and not by_mistake(evidence, named, places):
        return None
    says = f"the optimizer has not {in_words(places)}, which get gradients"
    return Finding("not in the optimizer", tuple(places), says)


def evaluation_mode(evidence: Evidence) -> Finding | None:
    """Batch norms in evaluation mode with the statistics of the start: mean 0, variance 1."""
    places = [
        name
        for name, module in evidence.patient.model.named_modules()
        if isinstance(module, _BatchNorm) and not module.training
        and module.running_mean is not None and module.running_var is not None
        and not module.running_mean.any() and bool((module.running_var == 1).all())
    ]  # fmt: skip
    if not places:
        return None
    says = f"{in_words(places)} are in evaluation mode, with running mean 0 and variance 1"
    return Finding("evaluation mode", tuple(places), says)


def batch_of_one(evidence: Evidence) -> Finding | None:
    """All batches hold one example, a batch norm takes its statistics from it, and the network
    does not learn: over the places of a picture such statistics are those of instance norm. Where
    there is only one place, torch refuses, and the verdict on that error names the same."""
    return one_under_batch_norm(evidence.patient)


def one_under_batch_norm(patient: Patient) -> Finding | None:
    """The same of a patient that can't even run."""
    first = [next(patients.tensors(batch), None) for batch in patient.batches]
    if not first or any(x is None or x.dim() < 1 or len(x) > 1 for x in first):
        return None
    places = [
        name for name, module in patient.model.named_modules()
        if isinstance(module, _BatchNorm) and module.training
    ]  # fmt: skip
    if not places:
        return None
    says = f"{in_words(places)} take mean and variance from a batch of one example"
    return Finding("batch of one under batch norm", tuple(places), says)


PILED = 10.0
"""p.grad over the largest gradient of a pass, from which on it is a sum of many passes: batches'
gradients differ by less, and so do those of one step earlier."""


def piled_up(evidence: Evidence) -> Finding | None:
    """p.grad of the model as given is over ten times as long as the gradient of any pass now."""
    earlier = evidence.patient.earlier
    if not earlier:
        return None
    before = sum(value**2 for value in earlier.values()) ** 0.5
    lengths = [evidence.gradient_length(batch, set(earlier)) for batch in evidence.trained[:4]]
    now = max(lengths)
    if not 0 < PILED * now < before:
        return None
    says = (
        f"p.grad is {number(before)} long, the gradient of one pass {number(now)}: the sum of "
        f"about {number(before / now)} passes"
    )
    return Finding("gradients pile up", ("p.grad",), says)
