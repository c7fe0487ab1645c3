"""Rules about units: alike from the start, dead, saturated, or no longer apart."""

from __future__ import annotations

import math

from torch import Tensor, nn

from course import measures
from course.doctor import patient as patients
from course.doctor.evidence import Evidence
from course.doctor.verdict import Finding
from course.doctor.words import listed, number

CUT = ("relu", "relu6")
"""Activations whose units are dead where they give 0."""

DEAD = 0.9
"""Share of units that give 0 for every example of several batches, from which on a layer is dead.
Healthy ReLU layers at the start have under 0.1 over 500 examples; in training up to a half die."""

FLAT = 0.8
"""Share of (example, unit) pairs on the flat part of a sigmoid or tanh. With weights of variance
1/n a tanh has 0.03 there, with ten times larger ones 0.83 (slope under 5 % of the greatest)."""

ALIKE = 0.97
"""Mean cosine between examples in the last layers of a collapsed network: a random ReLU network
has 0.97 after about 30 layers (the map of Cho and Saul, 2009), and no longer trains there."""


def symmetric(evidence: Evidence) -> Finding | None:
    """All rows of a weight are equal at the start, and still are after the trial steps.

    A last layer or a branch that starts at 0 gets different gradients in each row, and is no case
    of it; factors by channel, (C, 1, 1), have no rows. Of a table of embeddings the columns are
    meant. Nothing is said where nothing moves.
    """
    trial = evidence.trial
    if len(trial.losses) < 5 or not trial.way():
        return None
    places = []
    for name, p in trial.model.named_parameters():
        if p.dim() < 2 or not p.requires_grad or name not in evidence.gradients:
            continue
        gates = _gates(trial.model, name)
        old, new = trial.before[name].flatten(1), p.detach().flatten(1)
        if isinstance(_owner(trial.model, name), nn.Embedding | nn.EmbeddingBag):
            old, new = old.mT, new.mT  # its units are columns
        if len(old) // gates < 2 or len(old) % gates or (p.dim() > 2 and old.shape[1] == 1):
            continue
        way = new.double() - old.double()
        moved = float(way.abs().max()) > 1e-6 * max(float(old.abs().max()), 1e-30)
        if moved and not _rows_alike(way, gates, 0.1):
            continue  # alike still, for the steps are small, and not for long
        if _rows_alike(old, gates, 1e-6) and _rows_alike(new, gates, 1e-3):
            places.append(name)
    if not places:
        return None
    says = f"all rows of {listed(places)} are equal, before and after {len(trial.losses)} steps"
    return Finding("symmetric start", tuple(places), says)


def constant(evidence: Evidence) -> Finding | None:
    """A layer of torch's whose weights all begin with one number that is not 0, in a network that
    does not learn: dropout tells its units apart, and nothing else does. Parameters of other
    modules may mean something else by it (rates of decay)."""
    trial = evidence.trial
    places = [
        name for name, p in trial.model.named_parameters()
        if p.dim() >= 2 and p.requires_grad and name in evidence.gradients and len(p) > 1
        and type(_owner(trial.model, name)).__module__.startswith("torch.nn")
        and bool((trial.before[name] == trial.before[name].flatten()[0]).all())
        and bool(trial.before[name].any())
    ]  # fmt: skip
    if not places:
        return None
    says = f"all weights of {listed(places)} begin with the same number"
    return Finding("symmetric start", tuple(places), says)


def _gates(model: nn.Module, name: str) -> int:
    """How many blocks of rows a weight has that differ in their role: gates, or q, k and v."""
    owner = _owner(model, name)
    if isinstance(owner, nn.LSTM | nn.LSTMCell):
        return 4
    if isinstance(owner, nn.GRU | nn.GRUCell | nn.MultiheadAttention):
        return 3 if not name.endswith("out_proj.weight") else 1
    return 1


def _owner(model: nn.Module, name: str) -> nn.Module:
    return model.get_submodule(name.rpartition(".")[0])


def _rows_alike(weight: Tensor, gates: int, tolerance: float) -> bool:
    blocks = weight.double().reshape(gates, -1, weight.shape[1])
    largest = float(blocks.abs().max())
    return float((blocks - blocks[:, :1]).abs().max()) <= tolerance * max(largest, 1e-30)


def dead(evidence: Evidence) -> Finding | None:
    """ReLU layers in which at least `DEAD` of the units give 0 for every example of several
    batches. A tanh or a branch that starts at 0 is alive: its slope is not 0."""
    shares = [layer.dead for layer in evidence.layers if not math.isnan(layer.dead)]
    if not shares or max(shares) < DEAD:
        return None
    lasting = evidence.lasting_dead
    flat = {row["layer"] for row in evidence.table if row["activation"] in CUT}
    places = [name for name, share in lasting.items() if share >= DEAD and name in flat]
    if not places:
        return None
    says = f"{lasting[places[0]]:.0%} of the units of {places[0]} give 0 for every example"
    if len(places) > 1:
        says += f"; {len(places)} layers are so"
    return Finding("dead units", tuple(places), says)


def saturated(evidence: Evidence) -> Finding | None:
    """Sigmoid or tanh layers with at least `FLAT` of all pairs where the slope is nearly 0."""
    bent = {
        row["layer"] for row in evidence.table
        if row["activation"] in ("sigmoid", "tanh", "hard-tanh")
    }  # fmt: skip
    layers = [one for one in evidence.layers if one.name in bent and one.saturated >= FLAT]
    if not layers:
        return None
    names = tuple(layer.name for layer in layers)
    says = f"{layers[0].saturated:.0%} of the units of {names[0]} are flat, over all examples"
    if len(names) > 1:
        says += f"; {len(names)} layers are so"
    return Finding("saturated units", names, says)


def attention(evidence: Evidence) -> Finding | None:
    """Positions of a sequence that were apart carry one vector, up to 1 %, in the last layers.

    Distance to the mean over the positions, |X - mean| / |X|: above 0.1 somewhere, under 0.01 at
    the end. Dong et al., "Attention is not all you need" (2021).
    """
    if not evidence.trace.attention:
        return None
    apart = _distances(evidence)
    near = [name for name, distance in apart if distance < 0.01]
    if len(apart) < 3 or not near or max(distance for _, distance in apart) < 0.1:
        return None
    if apart[-1][1] >= 0.01 and apart[-2][1] >= 0.01:
        return None
    says = (
        f"positions are {number(apart[0][1])} apart (distance to their mean over their length) in "
        f"{apart[0][0]}, and {number(apart[-1][1])} in {apart[-1][0]}"
    )
    return Finding("attention at rank one", tuple(near), says)


def _distances(evidence: Evidence) -> list[tuple[str, float]]:
    """By layer with an output (B, T, D), T > 3: the distance of positions from their mean."""
    found: list[tuple[str, float]] = []

    def note(name: str, output: object) -> None:
        x = next(patients.tensors(output), None)
        if x is not None and x.dim() == 3 and x.shape[1] > 3:
            values = x.detach().double()
            length = float(values.norm())
            off = float((values - values.mean(1, keepdim=True)).norm())
            found.append((name, off / length if length else 0.0))

    handles = [
        module.register_forward_hook(lambda *call, name=name: note(name, call[2]))
        for name, module in evidence.model.named_modules()
        if name
    ]
    try:
        with evidence.patient.still(), measures.untouched_buffers(evidence.model):
            evidence.patient.forward(evidence.model, evidence.trained[0])
    finally:
        for handle in handles:
            handle.remove()
    return found


def collapsed(evidence: Evidence) -> Finding | None:
    """In a deep network all examples look alike in the last layers, while gradients are fair."""
    layers = evidence.weighted[:-1]
    if len(layers) < 8 or not layers[-1].cosine > ALIKE:
        return None
    first = next((one for one in layers if one.cosine > ALIKE), layers[-1])
    if first is layers[0]:
        return None
    names = tuple(one.name for one in layers[layers.index(first) :])
    says = (
        f"the mean cosine between examples rises from {layers[0].cosine:.3f} in {layers[0].name} "
        f"to {layers[-1].cosine:.3f} in {layers[-1].name}; no rate between 1/1000 and 1000 times "
        "the given one helps"
    )
    return Finding("collapsed representation", names, says)
