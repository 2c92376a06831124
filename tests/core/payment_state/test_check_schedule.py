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


@pytest.mark.parametrize(("after", "due"), [(0, MINUTE), (HOUR, HOUR + 15 * MINUTE)])
def test_rule8_final_payment_stays_due_while_the_provider_contradicts_us(
    after: int, due: int
) -> None:
    final = payment(status="succeeded", is_contradicted=True)
    assert check_schedule.next_check(final, CHANGED + after) == CHANGED + due


@pytest.mark.parametrize(
    ("after", "due"), [(0, 1), (1, 3), (3, 7), (7, 14), (14, 30), (29, 30), (30, None), (99, None)]
)
def test_rule16_young_refund_is_watched_for_30_days(after: int, due: int | None) -> None:
    refunded = payment(status="succeeded", captured_cents=2000, refunded_cents=500)
    found = check_schedule.next_check(refunded, CHANGED + after * DAY)
    assert found == (None if due is None else CHANGED + due * DAY)


@pytest.mark.parametrize(("state", "is_watched"), [("open", True), ("won", False), ("lost", False)])
def test_rule16_open_dispute_is_watched_every_week(
    state: Any,
    is_watched: bool,
) -> None:
    disputed = payment(status="succeeded", dispute={"id": "dp_1", "state": state})
    found = check_schedule.next_check(disputed, CHANGED + 100 * DAY)
    assert found == (CHANGED + 107 * DAY if is_watched else None)


def test_rule16_dispute_and_refund_are_watched_by_whichever_is_sooner() -> None:
    more = {
        "captured_cents": 2000,
        "refunded_cents": 500,
        "dispute": {"id": "dp_1", "state": "open"},
    }
    both = payment(status="succeeded", **more)
    assert check_schedule.next_check(both, CHANGED) == CHANGED + DAY
    assert check_schedule.next_check(both, CHANGED + 8 * DAY) == CHANGED + 14 * DAY
    assert check_schedule.next_check(both, CHANGED + 15 * DAY) == CHANGED + 22 * DAY


@pytest.mark.parametrize(
    ("more", "after", "due"),
    [
        ({}, 0, MINUTE),
        ({}, 10 * DAY, 10 * DAY + HOUR),
        ({"status": "succeeded", "refunded_cents": 5}, 30 * DAY, 30 * DAY + HOUR),
        ({"status": "succeeded"}, 0, HOUR),
    ],
)
def test_failed_check_is_tried_again_within_the_hour(
    more: dict[str, Any], after: int, due: int
) -> None:
    assert check_schedule.next_try(payment(**more), CHANGED + after) == CHANGED + due


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
    assert stored(payment.id).is_contradicted
    stripe_simulator.fault("fetch", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        change_payment.sync(USER, payment.id, run_context())
    assert stored(payment.id).due_at
