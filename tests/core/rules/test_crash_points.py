"""Named places where a worker may die. Source: docs/payment-correctness.md, section 10."""

import pytest

from bridge.core.rules import crash_points
from tests.conftest import Crash, Killed

pytestmark = pytest.mark.usefixtures("tables")


def test_reach_does_nothing_without_a_listener() -> None:
    crash_points.reach("locked", "pay_1")


def test_reach_kills_the_worker_at_the_chosen_point_only_once(crash: Crash) -> None:
    crash.at = "locked"
    crash_points.reach("locking", "pay_1")
    with pytest.raises(Killed):
        crash_points.reach("locked", "pay_1")
    crash_points.reach("locked", "pay_1")


def test_reach_gives_the_id_of_the_record_to_the_listener(crash: Crash) -> None:
    reached: list[str] = []
    crash.at, crash.meanwhile = "hidden", reached.append
    crash_points.reach("hidden", "pay_1")
    assert reached == ["pay_1"]
