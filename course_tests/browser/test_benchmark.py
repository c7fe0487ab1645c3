"""The benchmark of live figures still measures what it says; its times are for people to judge."""

from __future__ import annotations

import pytest

from course_tests.benchmarks.live_latency import measure, report


@pytest.mark.slow
@pytest.mark.usefixtures("no_lab")
def test_the_benchmark_runs_and_our_figure_never_goes_blank_or_stale(
    chromium: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ways, step = measure(1, heavy=True)
    theirs, ours = ways
    assert len(theirs.latency) == len(ours.latency) == 20
    assert ours.blank == 0 and ours.jumps == 0 and ours.last_is_right
    assert step >= 30
    report(ways, step, heavy=True)
    assert "goal 1/7" in capsys.readouterr().out
