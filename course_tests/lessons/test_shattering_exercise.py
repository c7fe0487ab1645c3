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
    for branch, words in (
        (lambda depth: ..., "not yet"),
        (lambda depth: -1.0, "from 0 to 10"),
        (lambda depth: depth**-0.5, "right in all 2 cases"),
        (lambda depth: 1.0, "One factor for all depths"),
        (lambda depth: 1 / depth, "'ignores its branches', expected 'is well'"),
    ):
        exercise.check_repair(branch)
        assert words in capsys.readouterr().out
