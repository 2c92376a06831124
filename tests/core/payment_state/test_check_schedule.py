"""When the next status check is due. Source: docs/payment-correctness.md, section 8."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.payment_state import check_schedule
from bridge.core.payments import change_payment
from bridge.errors import UnknownOutcome
from bridge.models.payment import Payment
from local.stripe.simulator import StripeSimulator
from tests import records
from tests.conftest import USER, run_context
from tests.core.payment_state.conftest import VISA, Later, created, stored, sweep_each_minute

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
CHANGED = 1_800_000_000
MINUTE, HOUR, DAY = 60, 3600, 86400
UNTIL = CHANGED + 90


def payment(**more: Any) -> Payment:
    """A payment whose facts last changed at CHANGED."""
    return records.payment(datetime.fromtimestamp(CHANGED, UTC), **more)


def locked(**more: Any) -> Payment:
    """A payment whose attempt was locked at CHANGED."""
    attempt = records.attempt(at=CHANGED, until=UNTIL)
    return payment(active_attempt=attempt, **more)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (0, 5),
        (4, 5),
        (5, 30),
        (30, 90),  # a minute later
        (31, 91),  # just after the lease
        (60, 91),
        (90, 91),
        (91, 151),
        (5000, 5060),
    ],
)
def test_active_attempt_is_checked_after_5_and_30_seconds_then_each_minute(
    after: int, due: int
) -> None:
    assert check_schedule.next_check(locked(), CHANGED + after) == CHANGED + due


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (0, MINUTE),
        (MINUTE - 1, MINUTE),
        (MINUTE, 2 * MINUTE),
        (2 * MINUTE, 5 * MINUTE),
        (5 * MINUTE, 15 * MINUTE),
        (15 * MINUTE, HOUR),
        (HOUR, 6 * HOUR),
        (6 * HOUR, 30 * HOUR),
        (10 * DAY, 11 * DAY),
    ],
)
def test_pauses_grow_with_the_time_since_the_last_change(after: int, due: int) -> None:
    assert check_schedule.next_check(payment(), CHANGED + after) == CHANGED + due


@pytest.mark.parametrize(
    ("more", "is_due"),
    [
        ({"status": "succeeded"}, False),
        ({"status": "canceled"}, False),
        ({"status": "failed", "is_open": False}, False),
        ({"status": "failed", "is_open": True}, True),
        ({"status": "processing"}, True),
        ({"status": "succeeded", "refunds_pending": 1}, True),
    ],
)
def test_rule8_payment_is_due_while_something_can_change(
    more: dict[str, Any], is_due: bool
) -> None:
    assert (check_schedule.next_check(payment(**more), CHANGED) is not None) == is_due


def test_rule8_final_payment_stays_due_while_the_provider_contradicts_us() -> None:
    final = payment(status="succeeded")
    assert check_schedule.next_check(final, CHANGED, is_illegal=True) == CHANGED + MINUTE


def test_succeeded_payment_is_not_due_any_more(later: Later) -> None:
    payment = created()
    change_payment.confirm(USER, payment.id, VISA, run_context())
    sweep_each_minute(later, 5)
    assert stored(payment.id).due_at is None


def test_payment_that_the_provider_contradicts_stays_due(stripe_simulator: StripeSimulator) -> None:
    payment = created()
    change_payment.confirm(USER, payment.id, VISA, run_context())
    with stripe_simulator.world.lock:
        stripe_simulator.world.intents[str(payment.provider_payment_id)].status = "processing"
    assert change_payment.sync(USER, payment.id, run_context()).status == "succeeded"
    assert stored(payment.id).due_at
    stripe_simulator.fault("fetch", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        change_payment.sync(USER, payment.id, run_context())
    assert stored(payment.id).due_at
