"""The only reader of the time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bridge import clock


@pytest.fixture(autouse=True)
def clock_on_time() -> Iterator[None]:
    clock.set_offset(0)
    yield
    clock.set_offset(0)


def test_now_is_the_time_in_utc() -> None:
    before = datetime.now(UTC)
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


def test_seconds_are_whole_seconds_since_1970() -> None:
    before = int(datetime.now(UTC).timestamp())
    seconds = clock.seconds()
    assert isinstance(seconds, int)
    assert before <= seconds <= int(datetime.now(UTC).timestamp())


@pytest.mark.parametrize("offset_s", [3600, -60, 0.5])
def test_set_offset_moves_now_and_seconds(offset_s: float) -> None:
    clock.set_offset(offset_s)
    before = datetime.now(UTC)
    now, seconds = clock.now(), clock.seconds()
    moved = timedelta(seconds=offset_s)
    assert before + moved <= now <= datetime.now(UTC) + moved
    assert int(now.timestamp()) <= seconds <= int((datetime.now(UTC) + moved).timestamp())


def test_set_offset_replaces_the_offset_before() -> None:
    clock.set_offset(3600)
    clock.set_offset(60)
    assert clock.now() < datetime.now(UTC) + timedelta(seconds=61)
