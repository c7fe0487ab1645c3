"""A training is drawn as often as it may be, and not more often."""

from __future__ import annotations

import pytest

from course.live.pace import PERIOD, SHARE, UNSEEN, Pace

STEP = 0.01


def pictures(seconds: float, *costs: float) -> list[tuple[float, float]]:
    """When pictures of a training of so many seconds began and ended; they cost this, in turn."""
    now, pace, drawn = 100.0, Pace(100.0), []
    while now < 100 + seconds:
        now += STEP
        if now > pace.due:
            after = now + costs[len(drawn) % len(costs)]
            pace.draw(now, after)
            drawn.append((now - 100, after - 100))
            now = after
    return drawn


@pytest.mark.parametrize("costs", [(0.002,), (0.06,), (0.2,), (0.3, 0.05), (0.05, 0.05, 0.4)])
def test_pictures_take_their_share_of_the_time_and_no_more(costs: tuple[float, ...]) -> None:
    drawn, spent = pictures(60, *costs), 0.0
    assert drawn[0][0] == pytest.approx(PERIOD, abs=2 * STEP)
    mean = sum(costs) / len(costs)
    for before, after in drawn:
        spent += after - before
        late = before > PERIOD + 2 * STEP  # the first one has no choice
        assert not late or spent <= SHARE * after + max(costs) - min(costs) + 1e-9
    assert len(drawn) >= 0.8 * min(60 * SHARE / mean, 60 / (PERIOD + STEP + mean)) - 1


def test_a_pause_is_not_saved_up() -> None:
    pace = Pace(0.0)
    pace.draw(0.25, 0.35)
    due = pace.due
    pace.wait(50.0)
    assert pace.due == due + 50
    pace.draw(54.0, 54.1)
    assert pace.due == pytest.approx(50 + 0.3 / SHARE)


def test_where_nobody_watches_pictures_are_few() -> None:
    pace = Pace(0.0, UNSEEN)
    assert pace.due == PERIOD
    pace.draw(0.25, 0.35)
    assert pace.due == pytest.approx(2 * 0.1 / UNSEEN)
