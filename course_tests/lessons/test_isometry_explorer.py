"""The explorer and the exercises of notebook 07b: they bear their extremes, and say what is so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from course.lessons.initialization import mean_field
from course.lessons.isometry import exercise, explorer, science
from course.lessons.products.science import along
from course_tests.corners import corners, visit


def drive(panel: Any, **values: list[Any]) -> set[str]:
    """What it says at every combination of these values, and after a new draw at the first."""
    texts, _ = visit(panel, corners(**values))
    panel.new_draw()
    texts.append(panel.text)
    panel.reset()
    assert not any("nan" in text for text in texts)
    return set(texts)


def test_the_jacobian_to_its_extremes() -> None:
    panel = explorer.jacobian()
    seen = drive(
        panel,
        activation=["identity", "hard-tanh", "relu"], weights=["orthogonal", "Gaussian"],
        length=[0.001, 10.0], depth=[1, 100],
    )  # fmt: skip
    assert len(seen) >= 24
    assert len(drive(panel, activation=["tanh"], scale=[0.5, 1.5], depth=[1, 100])) >= 4


def test_the_jacobian_in_words() -> None:
    relu = explorer.jacobian(depth=10).text
    assert "sigma_w = 1.4142, sigma_b = 0.0000. Depth 10." in relu and "are lost" in relu
    assert relu.endswith("closed form, for a wide critical network: 10.")
    linear = explorer.jacobian(activation="identity", depth=100, length=1.0).text
    assert "largest 1, smallest 1." in linear and "Spread 0;" in linear


@pytest.mark.parametrize("weights", science.WEIGHTS)
def test_draws_that_are_scaled_are_the_chain(weights: str) -> None:
    sizes: dict[str, Any] = {"depth": 5, "width": 8, "seeds": (3, 4)}
    x = science.start("tanh", 0.3, width=8, seeds=(3, 4))
    sigma_w, sigma_b = map(float, mean_field.critical_line(0.3, "tanh"))
    drawn = science.draws(weights, **sizes)
    found = science.drawn_jacobians(drawn, "tanh", (1.2 * sigma_w, sigma_b), x)
    chain = science.chain("tanh", weights, length=0.3, scale=1.2, **sizes)
    torch.testing.assert_close(found, science.layer_jacobians(chain, x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
@pytest.mark.parametrize("weights", science.WEIGHTS)
def test_the_spread_without_singular_values_is_theirs(weights: str, activation: str) -> None:
    x = science.start(activation, 0.3, width=16, seeds=(3, 4))
    drawn = science.draws(weights, depth=30, width=16, seeds=(3, 4))
    jacobians = science.drawn_jacobians(drawn, activation, (1.3, 0.1), x)
    found = science.spreads(jacobians, [1, 7, 30])
    expected = science.spread(along(jacobians, [1, 7, 30]))
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)
    nothing = science.spreads([torch.zeros(2, 4, 4, dtype=torch.float64)], [1])
    assert np.isnan(nothing).all()  # as of singular values that are all 0


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: explorer.jacobian(activation="elu"), "activation = 'elu'"),
        (lambda: explorer.jacobian(weights="round"), "weights = 'round'"),
        (lambda: explorer.jacobian(length=0.0), "length = 0"),
    ],
)
def test_bad_first_values_are_named(call: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()


def test_the_checks_know_right_and_not_yet(capsys: pytest.CaptureFixture[str]) -> None:
    for check in (exercise.check_quiet_signal, exercise.check_jacobian):
        check(lambda *arguments: ...)
        assert "not yet" in capsys.readouterr().out
    exercise.check_quiet_signal(exercise.solve_quiet_signal)
    assert "right in all 4 cases" in capsys.readouterr().out
    exercise.check_jacobian(exercise.solve_jacobian)
    said = capsys.readouterr().out
    assert "right in all 3 cases" in said and "q* = 0.1: spread 0." in said


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        (lambda weights, x: exercise.solve_jacobian(weights, x).T, "Transposed"),
        (lambda weights, x: np.linalg.multi_dot([np.eye(len(x)), *weights]), "Where are the"),
    ],
)
def test_known_slips_get_a_hint(slip: Any, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    exercise.check_jacobian(slip)
    assert hint in capsys.readouterr().out
