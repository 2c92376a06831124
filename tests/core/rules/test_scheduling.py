"""When to try again, and whether there is time. Source: docs/data-model.md, sections 6 and 7."""

from datetime import timedelta

import pytest

from bridge import clock
from bridge.core.rules import scheduling
from bridge.models.run_context import RunContext

SINCE = 1_800_000_000
MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, MINUTE),
        (MINUTE - 1, MINUTE),
        (MINUTE, 2 * MINUTE),
        (4 * MINUTE, 5 * MINUTE),
        (5 * MINUTE, 15 * MINUTE),
        (15 * MINUTE, 15 * MINUTE + HOUR),
        (10 * HOUR, 11 * HOUR),
    ],
)
def test_next_try_is_after_1_2_5_and_15_minutes_then_hourly(age: int, expected: int) -> None:
    assert scheduling.next_try(SINCE, SINCE + age) == SINCE + expected


def test_next_try_takes_other_ages_and_at_most_the_given_interval() -> None:
    assert scheduling.next_try(SINCE, SINCE, (10, 20)) == SINCE + 10
    assert scheduling.next_try(SINCE, SINCE + 10, (10, 20)) == SINCE + 20
    assert scheduling.next_try(SINCE, SINCE, (500,), at_least_every_s=60) == SINCE + 60
    assert scheduling.next_try(SINCE, SINCE, (), at_least_every_s=60) == SINCE + 60


def run_of(seconds: float) -> RunContext:
    return RunContext(cause="sweep", ends_at=clock.now() + timedelta(seconds=seconds))


def test_has_time_needs_12_seconds_by_default() -> None:
    assert scheduling.has_time(run_of(scheduling.SPARE_S + 60))
    assert not scheduling.has_time(run_of(scheduling.SPARE_S))  # some of it has passed by now
    assert not scheduling.has_time(run_of(-1))


def test_has_time_needs_the_given_seconds() -> None:
    assert scheduling.has_time(run_of(scheduling.SPARE_S), spare_s=0)
    assert not scheduling.has_time(run_of(30), spare_s=31)
