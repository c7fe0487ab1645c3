"""What is measured once, for all rules: one pass, its layers and gradients, the trial steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from course import measures
from course.doctor import patient as patients
from course.doctor.patient import Patient
from course.doctor.tracing import Trace, Tracing
from course.doctor.trials import AS_GIVEN, Change, Trial
from course.doctor.verdict import LayerRecord

LEARNS = 0.1
"""Share of the way from the best constant answer to the least loss from which on a network learns.

Calibrated on the development side of `course_tests/doctor/cases`: healthy networks pass it within
the trial, sick ones don't.
"""
PATIENCE = 4
"""How many times as many steps a trial gets that has not learned in its first steps."""

BELOW = 0.005
"""Share from which on answers depend on the inputs: no constant gets below 0."""

SOON = 5
"""A network that is slow, not ill, learns within so many times the steps of the trial."""


class Evidence:
    """The measurements of a patient. steps: of the trial as given, before patience is needed.

    Everything after the first pass is measured when a rule asks for it.
    """

    def __init__(self, patient: Patient, steps: int) -> None:
        self.patient, self.steps = patient, steps
        self.trained, self.held_out = _divide(patient)
        self._what_if: dict[Change, Trial] = {}
        model, _ = patient.fresh()
        self.model = model
        self.names = {p: name for name, p in model.named_parameters()}
        self.trace, self.loss, self.gradients, self.table = self._first_pass(model)

    def _first_pass(
        self, model: nn.Module
    ) -> tuple[Trace, float, dict[str, float], list[dict[str, Any]]]:
        """What went into the loss, the loss, lengths of gradients by parameter, layers."""
        trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
        batch = self.trained[0]
        wanted = ("sd", "norm", "nonfinite", "cosine")
        with measures.untouched_buffers(model):
            torch.manual_seed(0)
            with Tracing() as tracing, measures.Probe(model, measure=wanted, samples=64) as probe:
                outputs, targets = self.patient.forward(model, batch)
                tracing.in_loss = True
                value = self.patient.loss(outputs, targets)
                slopes: Sequence[Tensor | None] = [None] * len(trainable)
                if value.requires_grad and trainable:
                    slopes = self.patient.slopes(value.mean(), list(trainable.values()))
            self.whole = value.dim() == 0 or value.numel() == 1
            self.outputs, self.targets = patients.apply(outputs, lambda x: x.detach()), targets
            try:
                table = probe.table()
            except RuntimeError:  # none of the layers is called as a module
                table = []
        lengths = {
            name: patients.length(slope) for name, slope in zip(trainable, slopes, strict=True)
            if slope is not None
        }  # fmt: skip
        return tracing.trace, float(value.detach().float().mean()), lengths, table

    @cached_property
    def layers(self) -> tuple[LayerRecord, ...]:
        """A record for each layer that ran, in order."""
        records = []
        for row in self.table:
            units = math.prod(row["shape"][1:]) or 1
            records.append(LayerRecord(
                row["layer"], row["kind"], float(row["norm"][0]) / units**0.5,
                float(row["sd"][0]), float(row["cosine"][0]), float(row["saturated"][0]),
                float(row["dead"][0]), float(row["gradient"][0]),
            ))  # fmt: skip
        return tuple(records)

    @cached_property
    def weighted(self) -> tuple[LayerRecord, ...]:
        """The records of layers with a weight matrix, input first."""
        modules = dict(self.model.named_modules())
        return tuple(
            layer for layer in self.layers
            if any(p.dim() >= 2 for p in _own(modules.get(layer.name.split(" (")[0])))
        )  # fmt: skip

    @cached_property
    def trial(self) -> Trial:
        """The training as given, patiently where it does not learn at once."""
        return self._wait(Trial(self.patient, self.trained, self.held_out).advance(self.steps))

    def _wait(self, trial: Trial) -> Trial:
        """The trial, with more steps where it has not learned, up to `PATIENCE` times as many."""
        while not (trial.share(trial.now) >= LEARNS or trial.broke):
            if len(trial.history) > PATIENCE:
                break
            trial.advance(self.steps)
        return trial

    @property
    def learns(self) -> bool:
        """Whether the training as given gets below the best constant answer, or will soon."""
        return self.trial.broke is None and (
            self.trial.share(self.trial.now) >= LEARNS or self.slow
        )

    @cached_property
    def slow(self) -> bool:
        """Whether a loss just below that of the best constant answer falls fast enough to learn.

        It is below by over `BELOW`, and in the second half of the trial it still falls, in each
        part of it, at a pace that reaches `LEARNS` within `SOON` times the trial's steps. Such a
        fall may be chance: in as many steps again it goes on at half that pace or more.
        """
        trial = self.trial
        if trial.broke is not None or len(trial.history) <= PATIENCE:
            return False
        steps = len(trial.losses)
        shares = [trial.share(loss) for _, loss in trial.history[-3:]]
        pace = (shares[-1] - shares[0]) / (trial.history[-1][0] - trial.history[-3][0])
        falls = shares[0] < shares[1] < shares[2]
        if not (falls and shares[-1] > BELOW and shares[-1] + pace * SOON * steps >= LEARNS):
            return False
        trial.advance(steps)
        return trial.share(trial.now) >= min(LEARNS, shares[-1] + pace * steps / 2)

    def what_if(self, **changes: Any) -> Trial:
        """A trial of `steps` steps with something changed; see `Change`."""
        change = Change(**changes)
        if change == AS_GIVEN:
            return self.trial
        if change not in self._what_if:
            same = not (change.standardized or change.targets or change.only_first_batch)
            traces = self.trial.traces if same else None
            trial = Trial(self.patient, self.trained, self.held_out, change, traces)
            self._what_if[change] = trial.advance(self.steps)
        return self._what_if[change]

    @cached_property
    def lasting_dead(self) -> dict[str, float]:
        """Share of units by layer that give 0 for every example of up to 8 batches together."""
        batches = self.trained[:8]
        try:
            batch = batches[0] if len(batches) == 1 else _pooled(batches)
        except (RuntimeError, TypeError):
            batch = batches[0]
        with self.patient.still(), measures.untouched_buffers(self.model):
            torch.manual_seed(0)
            with measures.Probe(self.model, measure=("mean",), samples=1024) as probe:
                self.patient.forward(self.model, batch)
            rows = probe.table()
        return {row["layer"]: float(row["dead"][0]) for row in rows}

    def gradient_length(self, batch: Any, names: set[str]) -> float:
        """Length of the gradient of one pass over these parameters together."""
        chosen = [p for n, p in self.model.named_parameters() if n in names and p.requires_grad]
        with measures.untouched_buffers(self.model):
            value = self.patient.value(self.model, batch)
            slopes = self.patient.slopes(value, chosen) if chosen else []
        return math.hypot(*(patients.length(slope) for slope in slopes if slope is not None))

    def gain(self, patient: bool = False, **changes: Any) -> float:
        """How much further that trial comes than the one as given: a difference of shares.

        patient: whether it may take as many steps as the one as given.
        """
        other = self._wait(self.what_if(**changes)) if patient else self.what_if(**changes)
        now, given = other.share(other.now), self.trial.share(self.trial.now)
        if self.trial.broke:
            given = min(given, 0.0)
        return -math.inf if other.broke else now - max(given, 0.0)

    @cached_property
    def inputs(self) -> Tensor | None:
        """The first input of all batches, (N, ...), if their shapes fit; at most 2,000 examples."""
        parts = [next(patients.tensors(batch), None) for batch in self.patient.batches]
        return _joined(parts)

    @cached_property
    def one_input(self) -> bool:
        """Whether a batch is (x, y) and the model takes x."""
        if self.patient.custom_forward or isinstance(self.patient.batches[0], dict):
            return False
        return len(patients.pair(self.patient.batches[0])[0]) == 1

    @cached_property
    def labels(self) -> Tensor | None:
        """Whole-number labels (N,) of the same examples; None if there are none."""
        try:
            parts = [patients.pair(batch)[1] for batch in self.patient.batches]
        except ValueError:
            parts = []
        if not parts or not all(isinstance(y, Tensor) and 0 < y.numel() == len(y) for y in parts):
            return None
        labels = _joined([y.flatten() for y in parts])
        if labels is None or labels.is_complex() or len(labels.unique()) > max(2, len(labels) // 4):
            return None
        return labels.long() if bool((labels == labels.long()).all()) else None


def _own(module: nn.Module | None) -> list[nn.Parameter]:
    return [] if module is None else list(module.parameters())


def _rows(rows: Tensor, x: Tensor) -> Tensor:
    return x[rows]


def _pooled(batches: Sequence[Any]) -> Any:
    """One batch of all examples; an error where they don't fit together."""
    parts = [list(patients.tensors(batch)) for batch in batches]
    wide = iter([torch.cat(list(same)) for same in zip(*parts, strict=True)])
    return patients.apply(batches[0], lambda x: next(wide))


def _joined(parts: Sequence[Tensor | None], most: int = 2000) -> Tensor | None:
    some = [x.cpu() for x in parts if x is not None and x.dim() > 0]
    if not some or len(some) < len(parts) or len({x.shape[1:] for x in some}) > 1:
        return None
    return torch.cat(some)[:most]


def _divide(patient: Patient) -> tuple[list[Any], list[Any]]:
    """Batches to train on, and a few that are held out; a large single batch is divided."""
    batches = patient.batches
    if len(batches) >= 4:
        held = min(4, len(batches) // 4)
        return batches[:-held], batches[-held:]
    if len(batches) > 1 or patient.custom_forward:
        return batches, []
    sizes = {len(x) for x in patients.tensors(batches[0]) if x.dim() > 0}
    if len(sizes) != 1 or min(sizes) < 64:
        return batches, []
    n = sizes.pop()
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    some, others = order[n // 4 :], order[: n // 4]
    device = next(patients.tensors(batches[0])).device
    some, others = some.to(device), others.to(device)
    parts = [patients.apply(batches[0], partial(_rows, rows)) for rows in (some, others)]
    try:
        model, _ = patient.fresh()
        with torch.no_grad():
            for part in parts:
                patient.value(model, part)
    except Exception:  # the examples of the batch belong together
        return batches, []
    return parts[:1], parts[1:]
