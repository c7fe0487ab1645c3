"""One call, one verdict: copies are made, measured and trained; the rules say what it means."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.optim import Optimizer

from course.arguments import real, reject, whole
from course.doctor import jacobians, rules
from course.doctor.evidence import Evidence
from course.doctor.notes import notes
from course.doctor.patient import Patient, batches_of, is_batch, tensors, undisturbed
from course.doctor.rules import rate, wiring
from course.doctor.verdict import NOT_EXAMINED, Finding, Verdict
from course.doctor.words import number

EVERYTHING = ("everything else: the training step could not be run",)


def examine(
    model: nn.Module,
    data: Any,
    *,
    loss: Callable[[Any, Any], Tensor],
    optimizer: Optimizer | None = None,
    steps: int = 60,
    forward: Callable[[nn.Module, Any], tuple[Any, Any]] | None = None,
    clip: float | None = None,
) -> Verdict:
    """What is wrong with a network, if anything: one root, its consequences, what to try.

    data: a batch or a loader of batches. Of a batch (x, y) the model gets x, of (x1, x2, y) x1 and
    x2, of x alone x, which is its own target. A loader shows more: pass the one you train with.
    loss: of (outputs, targets), a scalar; a torch.nn loss or any function.
    optimizer: as it is in your training; its class, rates and other settings are used on a copy.
    Without one, Adam at 0.001 is tried, and nothing is said of the rate.
    steps: trial steps on a copy; up to four times as many where it does not learn at once.
    forward: for other batches or calls, (model, batch) -> (outputs, targets).
    clip: the length to which your loop clips the gradient, if it does.

    The model is examined as it is handed over, in its mode and on its device. Nothing of it is
    changed: weights, buffers, gradients, mode, hooks, random numbers; also not by an error. What a
    network raises is part of the verdict. ValueError for arguments that are no model, data, loss.
    """
    if not isinstance(model, nn.Module):
        raise reject("model", model, "a torch.nn.Module")
    if not callable(loss):
        raise reject("loss", loss, "a function of (outputs, targets)")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise reject("optimizer", optimizer, "a torch.optim.Optimizer, or None")
    whole("steps", steps, least=1)
    if clip is not None:
        real("clip", clip, above=0)
    if not is_batch(data) and not isinstance(data, Iterable):
        raise reject("data", data, "a batch of tensors, or a loader of batches")
    with undisturbed(data):
        try:
            batches = batches_of(data, steps)
        except ValueError:
            raise
        except Exception as error:
            return _failed("the loader", error)
        if not batches:
            return _unknown("the loader gave no batch")
        if not any(x.numel() for batch in batches for x in tensors(batch)) and any(
            True for batch in batches for _ in tensors(batch)
        ):
            return _unknown("the batches hold no example")
        if isinstance(model, torch.jit.ScriptModule):
            return _unknown("a scripted model can't be copied: give the module it was made of")
        if any(p.is_meta for p in model.parameters()):
            return _unknown("parameters are on the meta device: they have no numbers")
        try:
            patient = Patient(model, batches, loss, forward, optimizer, clip)
        except RuntimeError as error:
            return _unknown(str(error))
        if not any(True for _ in model.parameters()) and not any(wiring.hidden_modules(model)):
            return _unknown("the model has no parameters: there is nothing to train")
        try:
            _build_lazy_layers(patient)
            evidence = Evidence(patient, steps)
        except Exception as error:
            return _verdict_on_error(patient, error)
        return _verdict(evidence)


def _build_lazy_layers(patient: Patient) -> None:
    if any(isinstance(p, UninitializedParameter) for p in patient.model.parameters()):
        with torch.no_grad():
            patient.forward(patient.model, patient.batches[0])


def _verdict(evidence: Evidence) -> Verdict:
    findings: list[Finding] = []
    failed: list[str] = []

    def answer(question: Callable[[Evidence], Any]) -> Any:
        """None where the question itself fails: that is not the network's fault, and is said."""
        try:
            return question(evidence)
        except Exception as error:
            name = question.__name__.strip("_").replace("_", " ")
            failed.append(f"{name} ({_said(error)[:120]})")
            return None

    def ask(rule: rules.Rule) -> None:
        finding = answer(rule)
        findings.extend([finding] if finding else [])

    for rule in rules.CERTAIN:
        ask(rule)
    try:
        learns = evidence.learns
    except Exception as error:
        if findings:
            return _ill(*findings)
        return _failed("a trial step", error)
    if not learns:
        for rule in rules.SYMPTOMS:
            if not (findings and rule in rules.BY_TRIAL):
                ask(rule)
    about = answer(notes) or []
    status = "ill" if findings else "healthy" if learns else "not sure"
    if status == "not sure" and not evidence.patient.given:
        factor = answer(rate.better)
        if factor is not None:
            status = "healthy"
            about.append(
                f"Adam at 0.001 did not learn within the trial, at {0.001 * factor:g} it did"
            )
    measured = answer(_measured) or []
    if status == "not sure":
        measured += answer(_further_tests) or []
    if findings and findings[0].illness == "collapsed representation":
        measured += answer(jacobians.in_words) or []
    return Verdict(
        status,
        root=findings[0] if findings else None,
        consequences=tuple(findings[1:]),
        evidence=tuple(measured),
        notes=tuple(about),
        not_examined=(*NOT_EXAMINED, *_missing(evidence), *failed),
        layers=evidence.layers,
        losses=tuple(evidence.trial.losses),
    )


def _measured(evidence: Evidence) -> list[str]:
    """Sentences on whether the loss falls, parameters move, and gradients come."""
    trial = evidence.trial
    now = "is no longer finite" if trial.broke else f"is {number(trial.now)}"
    says = [f"the loss was {number(trial.start)} and {now} after {len(trial.losses)} trial steps"]
    if trial.baseline is not None:
        says.append(f"the best constant answer has a loss of {number(trial.baseline[0])}")
    if not math.isnan(trial.held):
        says.append(
            f"on batches held out the loss went from {number(trial.held_start)} to "
            f"{number(trial.held)}"
        )
    moved = trial.moved()
    count = sum(way > 0 for way in moved.values())
    says.append(f"{count} of {len(moved)} parameters moved")
    named = dict(trial.model.named_parameters())
    first = {n: way for n, way in trial.first.items() if named[n].dim() >= 2 and way < math.inf}
    if any(first.values()):
        low, high = (pick(first, key=first.__getitem__) for pick in (min, max))
        says.append(
            f"the first step moved matrices by {number(first[low])} ({low}) to "
            f"{number(first[high])} ({high}) of their length"
        )
    came = sum(length > 0 for length in evidence.gradients.values())
    says.append(f"a gradient comes to {came} of {len(moved)}")
    return says


def _further_tests(evidence: Evidence) -> list[str]:
    """What one batch alone and a rate of 0 show, where nothing was found."""
    alone, still = evidence.what_if(only_first_batch=True), evidence.what_if(rate=0.0)
    says = [
        f"trained on one batch alone the loss goes from {number(alone.start)} to "
        f"{number(alone.now)} in {len(alone.losses)} steps"
    ]
    if still.now != still.start:
        says.append(
            f"at a rate of 0 it goes from {number(still.start)} to {number(still.now)}: something "
            "else than the steps changes (buffers, a state)"
        )
    else:
        says.append("at a rate of 0 it stays where it is")
    return says


def _missing(evidence: Evidence) -> list[str]:
    """What could not be looked at in this case."""
    missing = list(evidence.patient.left)
    if not evidence.patient.given:
        missing.append("your optimizer and its rate: none was given")
    if len(evidence.patient.batches) < 3:
        missing.append("the order of the data: fewer than three batches were given")
    if not evidence.layers:
        missing.append("the layers: none is called as a module")
    if evidence.trial.baseline is None:
        missing.append(
            "whether the loss is below that of a constant answer: the loss is not torch's"
        )
    return missing


def _unknown(says: str) -> Verdict:
    return Verdict("not sure", evidence=(says,), not_examined=EVERYTHING)


def _failed(stage: str, error: Exception) -> Verdict:
    return _ill(Finding("does not run", (stage,), _said(error)))


def _ill(root: Finding, *consequences: Finding) -> Verdict:
    return Verdict("ill", root, consequences, not_examined=EVERYTHING)


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _verdict_on_error(patient: Patient, error: Exception) -> Verdict:
    """What the error of a first step means."""
    alone = wiring.one_under_batch_norm(patient)
    if alone is not None and "more than 1 value" in str(error):
        return _ill(alone)
    if "between 0 and 1" in str(error):
        says = f"binary_cross_entropy got numbers outside of 0 to 1 ({_said(error)})"
        return _ill(Finding("missing sigmoid or softmax", ("loss",), says))
    try:
        with torch.no_grad():
            outputs, targets = patient.forward(patient.model, patient.batches[0])
    except Exception:
        return _failed("the forward pass", error)
    try:
        value: Any = patient.loss(outputs, targets)
        if not isinstance(value, Tensor):
            return _failed("the loss", TypeError(f"it is no tensor but {type(value).__name__}"))
    except Exception:
        return _failed("the loss", error)
    return _failed("the backward pass", error)
