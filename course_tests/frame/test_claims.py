"""The margins' own tests: what a claim accepts, what calibrating changes, how far is far enough."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from course_tests import claims
from course_tests.calibrate import distance


def test_a_claim_is_about_the_mean_and_nan_is_never_right() -> None:
    claims.claim("in", [0.1, 0.5], least=0.3, most=0.3)
    for values in ([0.1, 0.4], [0.4, 0.5], [0.3, np.nan], [-np.inf]):
        with pytest.raises(AssertionError, match="out: "):
            claims.claim("out", values, least=0.3, most=0.4)


def test_calibrating_moves_the_seeds_and_writes_down_instead_of_judging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert claims.seeds(10, 3) == range(10, 13)
    monkeypatch.setenv(claims.SHIFT, "1000")
    monkeypatch.setenv(claims.LOG, str(tmp_path / "log"))
    assert claims.seeds(10, 3) == range(1010, 1013)
    claims.claim("far out", [5.0], most=0.0)
    record = json.loads((tmp_path / "log").read_text())
    assert record["what"] == "far out" and record["values"] == [5.0] and record["most"] == 0.0


def test_the_distance_is_in_standard_errors_of_what_the_test_compares() -> None:
    run = [-1.0, 1.0, 0.0, 0.0]
    error = (4 / 7) ** 0.5 / 2  # two such runs have the same mean: the values' spread counts
    assert distance([run, run], -3.0, 1.5) == pytest.approx(1.5 / error)
    other = [value + 4 for value in run]  # seeds of one run have something in common
    assert distance([run, other], -np.inf, 5.0) == pytest.approx(3 / 8**0.5)
    assert distance([[1.0], [2.0], [3.0]], -1.0, np.inf) == pytest.approx(3)
    assert distance([np.ones(5), np.ones(5)], 0.0, np.inf) == np.inf
    assert distance([np.ones(5)], 2.0, np.inf) == -np.inf
    assert not distance([[1.0, np.nan], [1.0, 1.0]], 0.0, np.inf) >= 3
