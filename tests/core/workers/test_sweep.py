"""The sweep checks what is due. Source: docs/payment-correctness.md, section 8."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.payments import change_payment, create_payment
from bridge.core.rules import scheduling
from bridge.core.workers import sweep
from bridge.models.model import values_of
from bridge.models.payment import ActiveAttempt, Payment
from bridge.models.run_context import RunContext
from bridge.store import dynamodb, keys
from bridge.store.jobs import due_items
from bridge.store.payments import event_counter_items, outbox_items, payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, run_context, sweep_run
from tests.store.conftest import Wire

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]
Subscriber = Callable[[], list[dict[str, Any]]]
Setting = Callable[[str, str], None]
VISA = Confirmation(payment_method_id="pm_card_visa")
DAY = 24 * 3600


def created() -> Payment:
    new = NewPayment(total_cents=2000, currency="USD")
    return create_payment.create_payment_intent(USER, new, run_context()).payment


def stored(payment: Payment) -> Payment:
    found = payment_items.get(payment.id)
    assert found
    return found


def with_seconds(seconds: float) -> RunContext:
    return RunContext(cause="sweep", ends_at=clock.now() + timedelta(seconds=seconds))


def test_payment_is_not_checked_before_it_is_due(later: Later) -> None:
    created()
    assert sweep.sweep(sweep_run()).checked == 0
    later(61)
    assert sweep.sweep(sweep_run()).checked == 1
    assert sweep.sweep(sweep_run()).checked == 0


def test_run_without_time_counts_the_payments_it_leaves(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    for _ in range(3):
        created()
    later(100)
    asked = len(stripe_simulator.requests)
    swept = sweep.sweep(with_seconds(scheduling.SPARE_S - 1))
    assert (swept.checked, swept.left, swept.failed) == (0, 3, 0)
    assert 30 <= swept.oldest_due_seconds <= 50
    assert len(stripe_simulator.requests) == asked
    swept = sweep.sweep(with_seconds(scheduling.SPARE_S + 20))
    assert (swept.checked, swept.left) == (3, 0)


def test_rule14_counted_events_are_checked_when_due(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = change_payment.confirm(USER, created().id, VISA, run_context()).payment
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id), 500)
    event_counter_items.count(payment.id, clock.seconds() + 60)
    assert sweep.sweep(sweep_run()).checked == 0
    later(100)
    swept = sweep.sweep(sweep_run())
    assert (swept.checked, swept.failed, swept.left) == (1, 0, 0)
    assert 35 <= swept.oldest_due_seconds <= 45
    assert stored(payment).displayed_status == "partially_refunded"
    assert sweep.sweep(sweep_run()).checked == 0


def test_counted_event_whose_check_fails_is_counted_as_failed(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    event_counter_items.count(payment.id, clock.seconds())
    stripe_simulator.fault("fetch", "500_before", times=None)
    swept = sweep.sweep(sweep_run())
    assert (swept.checked, swept.failed) == (0, 1)
    counter = event_counter_items.get(payment.id)
    assert counter
    assert counter.failing_since
    assert counter.due_at == counter.failing_since + 5


def test_run_without_time_reads_no_row(later: Later) -> None:
    for _ in range(60):
        created()
    later(70)
    with ExitStack() as undo:
        wire = Wire(undo, dynamodb.client())
        wire.watch("GetItem")
        swept = sweep.sweep(with_seconds(5))
    assert wire.requests == []
    assert (swept.checked, swept.left) == (0, 60)


def test_shard_that_cannot_be_read_takes_no_number_away(
    later: Later,
    setting: Setting,
    capsys: pytest.CaptureFixture[str],
) -> None:
    payments = [created() for _ in range(20)]
    later(100)
    broken = keys.due_partition(payments[0].id)
    on_it = sum(keys.due_partition(each.id) == broken for each in payments)
    setting("POWERTOOLS_METRICS_DISABLED", "false")
    capsys.readouterr()
    throttled = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}
    with ExitStack() as undo:
        wire = Wire(undo, dynamodb.client())
        wire.listen(
            "Query",
            lambda request: (
                wire.response(request, 400, throttled) if broken in str(request.body) else None
            ),
        )
        swept = sweep.sweep(sweep_run())
    assert (swept.checked, swept.failed) == (len(payments) - on_it, 1)
    metrics = capsys.readouterr().out
    assert "oldest_due_seconds" in metrics
    assert "sweep_failures" in metrics


def test_failed_status_check_is_counted_and_deferred(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    later(100)
    stripe_simulator.fault("fetch", "500_before", times=None)
    swept = sweep.sweep(sweep_run())
    assert (swept.checked, swept.failed) == (1, 1)
    assert (stored(payment).due_at or 0) > clock.seconds()
    assert sweep.sweep(sweep_run()).checked == 0


def test_rows_that_the_lagging_index_still_lists_are_skipped(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()  # not due yet, although the index will list it
    asked = len(stripe_simulator.requests)
    late = [
        dynamodb.key_of(keys.payment(each)) | dynamodb.typed({"due_pk": "D#0", "due_at": 1})
        for each in (payment.id, "pay_gone")
    ]
    with ExitStack() as undo:
        wire = Wire(undo, dynamodb.client())
        wire.answer("Query", 200, {"Items": late, "Count": 2}, times=None)
        swept = sweep.sweep(sweep_run())
        assert len(wire.requests) == len(due_items.shards())
    assert values_of(swept) == dict.fromkeys(sweep.Swept.__struct_fields__, 0)
    assert len(stripe_simulator.requests) == asked


def test_due_events_are_delivered_after_the_payments_are_checked(
    later: Later, subscriber: Subscriber, crash: Crash
) -> None:
    payment = created()
    seen = outbox_items.get_cursor(payment.id)
    outbox_items.move(seen, replace(seen, due_at=clock.seconds()))
    later(100)
    crash.at, crash.meanwhile = "fetched", lambda _: delivered.append(len(subscriber()))
    delivered: list[int] = []
    swept = sweep.sweep(sweep_run())
    assert (swept.checked, swept.events, swept.failed) == (1, 1, 0)
    assert 95 <= swept.oldest_due_seconds <= 105
    assert (delivered, len(subscriber())) == ([0], 1)
    assert sweep.sweep(sweep_run()).events == 0


def test_due_events_are_left_when_the_time_is_over(later: Later, subscriber: Subscriber) -> None:
    payment = created()
    seen = outbox_items.get_cursor(payment.id)
    outbox_items.move(seen, replace(seen, due_at=clock.seconds()))
    later(10)
    swept = sweep.sweep(with_seconds(scheduling.SPARE_S - 1))
    assert (swept.events, swept.left, subscriber()) == (0, 1, [])
    assert outbox_items.get_cursor(payment.id).due_at is not None


def test_overdue_job_is_measured_and_not_touched() -> None:
    item = {"due_pk": keys.due_partition("job_1"), "due_at": clock.seconds() - 1000}
    dynamodb.write(dynamodb.put(keys.job("job_1"), item))
    swept = sweep.sweep(sweep_run())
    assert 1000 <= swept.oldest_due_seconds <= 1005
    assert (swept.checked, swept.failed, swept.left) == (0, 0, 0)
    assert dynamodb.get(keys.job("job_1"))


@pytest.mark.parametrize(("leases", "stuck"), [(4, False), (5, True)])
def test_attempt_older_than_four_leases_is_counted_for_the_alarm(
    leases: int,
    stuck: bool,
    later: Later,
    stripe_simulator: StripeSimulator,
    setting: Setting,
    capsys: pytest.CaptureFixture[str],
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    stripe_simulator.fault("fetch", "500_before", times=None)
    change_payment.confirm(USER, payment.id, VISA, run_context())
    attempt = stored(payment).locked_attempt
    later(leases * (attempt.until - attempt.at) - 2)
    setting("POWERTOOLS_METRICS_DISABLED", "false")
    capsys.readouterr()
    assert sweep.sweep(sweep_run()).stuck_attempts == stuck
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [line["stuck_attempts"] for line in metrics if "stuck_attempts" in line] == [[stuck]]
    assert any("oldest_due_seconds" in line for line in metrics)


@pytest.mark.parametrize(
    ("operation", "age", "stuck"),
    [
        ("confirm", 4 * 90, False),
        ("confirm", 4 * 90 + 1, True),
        ("create", 22 * 3600, False),  # status checks stop after 20 hours
        ("create", 22 * 3600 + 1, True),
        (None, 10**6, False),
    ],
)
def test_creation_is_stuck_two_hours_after_its_status_checks_stop(
    operation: str | None, age: int, *, stuck: bool
) -> None:
    amounts = {"total_cents": 2000, "was_cents": 2000, "from_status": "new"}
    lock = {"number": 1, "key": "1.1", "request_hash": "h", "at": 1000, "until": 1090} | amounts
    attempt = msgspec.convert(lock | {"operation": operation}, ActiveAttempt) if operation else None
    payment = replace(created(), active_attempt=attempt)
    assert sweep.is_stuck(payment, 1000 + age) == stuck


@pytest.mark.parametrize("days", [1, 3])
def test_unpaid_payment_is_canceled_after_abandon_days(
    days: int, later: Later, setting: Setting
) -> None:
    setting("ABANDON_DAYS", str(days))
    payment = created()
    later(days * DAY - 60)
    sweep.sweep(sweep_run())
    assert stored(payment).status == "created"
    later(DAY)
    sweep.sweep(sweep_run())
    assert (stored(payment).status, stored(payment).due_at) == ("canceled", None)


def test_failed_payment_with_open_intent_is_canceled_after_abandon_days(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_before")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    later(200)
    sweep.sweep(sweep_run())
    assert (stored(payment).status, stored(payment).is_open) == ("failed", True)
    later(8 * DAY)
    sweep.sweep(sweep_run())
    assert stored(payment).status == "canceled"
    assert stripe_simulator.intents()[0]["status"] == "canceled"
