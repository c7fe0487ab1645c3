"""The rules in their order, from root to consequence: of two findings the earlier is the root.

A rule takes the `Evidence` and returns a `Finding` or None. `CERTAIN` speak whether or not the
network learns: they see the fault itself. `SYMPTOMS` speak only of a network that does not learn:
what they measure is no illness by itself (a ResNet has unequal gradients, and trains).
"""

from __future__ import annotations

from collections.abc import Callable

from course.doctor.evidence import Evidence
from course.doctor.rules import data, gradients, loss, rate, units, wiring
from course.doctor.verdict import Finding

Rule = Callable[[Evidence], Finding | None]

CERTAIN: tuple[Rule, ...] = (
    data.not_finite,
    data.constant,
    data.constant_label,
    data.same_batch,
    data.sorted_labels,
    wiring.listed,
    wiring.detached,
    wiring.frozen,
    wiring.left_out,
    wiring.evaluation_mode,
    loss.broadcast,
    loss.softmax_twice,
    loss.sigmoid_twice,
    loss.wrong_axis,
    loss.missing_squash,
    loss.out_of_reach,
    gradients.half_precision,
    gradients.not_finite,
    wiring.piled_up,
    units.symmetric,
    data.unrelated_labels,
)

SYMPTOMS: tuple[Rule, ...] = (
    wiring.batch_of_one,
    units.constant,
    data.badly_scaled,
    data.badly_scaled_target,
    units.dead,
    units.saturated,
    units.attention,
    gradients.exploding,
    gradients.through_batch_norm,
    gradients.vanishing,
    loss.cut_off,
    loss.beyond,
    rate.decayed,
    rate.clipped,
    rate.no_warm_up,
    rate.too_large,
    rate.too_small,
    gradients.through_time,
    units.collapsed,
    wiring.frozen_after_all,
    rate.broke,
)

BY_TRIAL = frozenset(SYMPTOMS) - {
    wiring.batch_of_one, units.constant, units.dead, units.saturated, units.attention,
    gradients.exploding, gradients.through_batch_norm, gradients.vanishing, loss.cut_off,
    loss.beyond,
}  # fmt: skip
"""Symptoms that cost trials: they are asked only where nothing was found before."""
