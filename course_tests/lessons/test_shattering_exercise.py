"""The exercises of notebook 07c: they know right, wrong and not yet."""

from __future__ import annotations

import pytest

from course.lessons.shattering import exercise


def test_the_check_of_layer_norm(capsys: pytest.CaptureFixture[str]) -> None:
    exercise.check_layer_norm(lambda h: ...)
    assert "not yet" in capsys.readouterr().out
    exercise.check_layer_norm(exercise.solve_layer_norm)
    assert "right in all 3 cases" in capsys.readouterr().out
    exercise.check_layer_norm(lambda h: (h - h.mean(axis=0)) / h.std(axis=0))
    assert "That is batch norm" in capsys.readouterr().out


def test_a_repair_is_judged_by_what_the_network_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert not exercise.check_repair(lambda depth: ...)
    assert "not yet" in capsys.readouterr().out
    assert not exercise.check_repair(lambda depth: -1.0)
    assert exercise.check_repair(lambda depth: depth**-0.5)
    assert "Repaired at both depths" in capsys.readouterr().out
    assert not exercise.check_repair(lambda depth: 1.0)
    assert "one factor for all depths" in capsys.readouterr().out
    assert not exercise.check_repair(lambda depth: 1 / depth)
    assert "wanted are" in capsys.readouterr().out
