"""One write of a payment: T2, or "nothing changed".

Source: docs/payment-correctness.md, section 4.
"""

import json
from collections.abc import Callable

import msgspec
import pytest

from bridge import clock
from bridge.bodies.payment import NewPayment
from bridge.core.payment_state import attempts, commit, merge, synchronize
from bridge.core.payments import create_payment
from bridge.core.rules import idempotency
from bridge.core.workers import sweep
from bridge.models.payment import AttemptOutcome, Payment
from bridge.models.provider import Failure, ProviderPayment, ProviderRefund
from bridge.models.queue_message import WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
from bridge.store.dedupe import idempotency_items, webhook_items
from bridge.store.payments import payment_items, payment_writes
from bridge.store.wallet import method_items
from local.stripe.simulator import StripeSimulator
from tests import records
from tests.conftest import USER, Crash, run_context, sweep_run
from tests.core.payment_state.conftest import Later, assert_settled, created, stored

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def test_attempt_of_yesterday_does_not_close_the_record_of_todays_request(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    new = NewPayment(total_cents=500, currency="EUR")
    stripe_simulator.fault("create_payment", "500_before", times=None)
    first = create_payment.create_payment_intent(USER, new, run_context("k")).payment
    later(25 * 3600)
    stripe_simulator.faults.clear()
    second = create_payment.create_payment_intent(USER, new, run_context("k")).payment
    sweep.sweep(sweep_run())
    assert stored(first.id).status == "failed"
    third = create_payment.create_payment_intent(USER, new, run_context("k"))
    assert third.payment.id == second.id != first.id
    assert third.replayed


def test_creation_overtaken_by_a_status_check_still_returns_its_secret(crash: Crash) -> None:
    crash.at = "answered"
    crash.meanwhile = lambda payment_id: synchronize.synchronize(stored(payment_id), run_context())
    payment = created()
    assert payment.status == "created"
    assert payment.client_secret
    assert_settled(payment.id)


def provider_state(payment: Payment, **more: object) -> ProviderPayment:
    known = {"provider_payment_id": payment.provider_payment_id, "raw_status": "x"}
    amounts = {"total_cents": payment.total_cents, "currency": payment.currency}
    body = known | amounts | {"status": payment.status, "is_open": payment.is_open} | more
    return msgspec.convert(body, ProviderPayment)


@pytest.fixture
def metrics(
    setting: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> Callable[[], set[str]]:
    """The names of the metrics that were sent since the last call."""
    setting("POWERTOOLS_METRICS_DISABLED", "false")

    def read() -> set[str]:
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        sent = [each["_aws"] for each in map(json.loads, lines) if "_aws" in each]
        return {each["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for each in sent}

    return read


def test_rule6_write_without_a_change_raises_the_version_and_makes_no_entry() -> None:
    seen = stored(created().id)
    written = commit.write(seen, provider_state(seen), None, run_context())
    assert (written.version, written.sequence) == (seen.version + 1, seen.sequence)
    assert written.writer != seen.writer
    assert stored(seen.id) == written
    assert len(payment_items.timeline(seen.id)) == seen.sequence


def test_write_of_a_change_makes_one_chained_entry() -> None:
    seen = stored(created().id)
    written = commit.write(seen, provider_state(seen, status="processing"), None, sweep_run())
    assert (written.status, written.version) == ("processing", seen.version + 1)
    entry = payment_items.timeline(seen.id)[-1]
    assert (entry.sequence, entry.hash) == (written.sequence, written.last_hash)
    assert (entry.from_status, entry.to_status) == ("created", "processing")
    assert (entry.cause, entry.previous_hash) == ("sweep", seen.last_hash)
    assert_settled(seen.id)


@pytest.mark.parametrize("status", ["created", "processing"])
def test_rule14_write_remembers_the_event_of_its_run_with_or_without_a_change(status: str) -> None:
    seen = stored(created().id)
    event = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.updated")
    run = RunContext(cause="webhook", ends_at=run_context().ends_at, event=event)
    commit.write(seen, provider_state(seen, status=status), None, run)
    assert webhook_items.list_unseen([event], clock.seconds()) == []


def test_write_of_a_change_is_logged_with_ids_and_states(caplog: pytest.LogCaptureFixture) -> None:
    seen = stored(created().id)
    caplog.clear()
    with caplog.at_level("INFO"):
        commit.write(seen, provider_state(seen, status="processing"), None, sweep_run())
    (line,) = [vars(each) for each in caplog.records if each.getMessage() == "payment changed"]
    assert (line["payment_id"], line["provider"]) == (seen.id, "stripe")
    assert (line["from_status"], line["to_status"]) == ("created", "processing")
    assert (line["cause"], line["operation"], line["outcome"]) == ("sweep", None, None)


def test_write_of_a_paid_payment_saves_its_method() -> None:
    seen = stored(created().id)
    method = {"token": "pm_1", "type": "card"}
    commit.write(seen, provider_state(seen, status="succeeded", saved=method), None, run_context())
    assert method_items.find_saved("stripe", "pm_1")


def test_rule5_write_from_an_older_version_raises_version_conflict() -> None:
    seen = stored(created().id)
    newer = commit.write(seen, provider_state(seen, status="succeeded"), None, run_context())
    for status in ("canceled", "created"):  # a change, and no change
        with pytest.raises(dynamodb.VersionConflict):
            commit.write(seen, provider_state(seen, status=status), None, run_context())
    assert stored(seen.id) == newer


def locked_with_key(seen: Payment, place: str, run: RunContext) -> Payment:
    """Take the lock for a cancel, with the record of the client's key."""
    assert run.client_key
    record = idempotency.new_record(place, run.client_key, seen.id)
    row = attempts.lock_for(seen, "cancel", "hash", run, record=record)
    return payment_writes.lock(seen, row, record)


def test_write_of_an_ended_attempt_releases_the_lock_and_stores_the_response() -> None:
    seen, run = stored(created().id), run_context("key-1")
    place = idempotency_items.of_payment(seen.id, "key-1")
    locked = locked_with_key(seen, place, run)
    done = AttemptOutcome(attempt=locked.attempts, kind="done")
    written = commit.write(locked, provider_state(seen, status="canceled"), done, run)
    assert (written.status, written.active_attempt) == ("canceled", None)
    closed = idempotency_items.get(place, clock.seconds())
    assert closed
    assert closed.state == "done"
    assert msgspec.json.decode(closed.stored_response, type=Payment).status == "canceled"
    assert_settled(seen.id)


def test_write_of_a_refused_attempt_frees_the_key_and_is_due_now() -> None:
    seen, run = stored(created().id), run_context("key-1")
    place = idempotency_items.of_payment(seen.id, "key-1")
    locked = locked_with_key(seen, place, run)
    refused = AttemptOutcome(attempt=locked.attempts, kind="refused")
    written = commit.write(locked, None, refused, run)
    assert (written.status, written.active_attempt) == ("created", None)
    assert written.due_at
    assert written.due_at <= clock.seconds()  # rule 8: our row may be out of date
    assert idempotency_items.get(place, clock.seconds()) is None


def test_write_that_does_not_end_the_attempt_leaves_the_record_open() -> None:
    seen, run = stored(created().id), run_context("key-1")
    place = idempotency_items.of_payment(seen.id, "key-1")
    locked = locked_with_key(seen, place, run)
    found = provider_state(seen, status="requires_action")
    written = commit.write(locked, found, None, sweep_run())
    assert (written.status, written.active_attempt) == ("requires_action", locked.active_attempt)
    record = idempotency_items.get(place, clock.seconds())
    assert record
    assert record.state == "open"


DECLINE = Failure(code="card_declined", message="no")


def test_rule19_record_of_a_declined_attempt_says_so() -> None:
    seen, run = stored(created().id), run_context("key-1")
    place = idempotency_items.of_payment(seen.id, "key-1")
    locked = locked_with_key(seen, place, run)
    declined = AttemptOutcome(attempt=locked.attempts, kind="done", failure=DECLINE)
    commit.write(locked, provider_state(seen), declined, run)
    record = idempotency_items.get(place, clock.seconds())
    assert record
    assert (record.state, record.declined) == ("done", True)
    response = msgspec.json.decode(record.stored_response, type=Payment)
    assert response.failure == DECLINE


@pytest.mark.parametrize(
    ("operation", "status", "is_declined"),
    [
        ("confirm", "failed", True),
        ("confirm", "created", False),  # the trace of an earlier attempt
        ("capture", "failed", True),
        ("cancel", "failed", False),
    ],
)
def test_rule19_payment_that_has_failed_declines_a_confirm_or_capture(
    operation: str, status: str, is_declined: bool
) -> None:
    attempt = records.attempt(operation=operation)
    payment = records.payment(provider_payment_id="pi_1")
    found = provider_state(payment, status=status, failure=DECLINE)
    assert commit.decline_of(attempt, None, found) == (DECLINE if is_declined else None)


def test_write_of_an_illegal_transition_keeps_the_state_and_is_counted(
    metrics: Callable[[], set[str]],
) -> None:
    seen = stored(created().id)
    paid = commit.write(seen, provider_state(seen, status="succeeded"), None, run_context())
    metrics()
    written = commit.write(paid, provider_state(paid, status="failed"), None, run_context())
    assert written.status == "succeeded"
    assert written.due_at
    assert metrics() == {"illegal_transition"}
    commit.write(written, provider_state(paid, status=None), None, run_context())
    assert metrics() == {"unknown_provider_status"}


def test_write_of_money_on_a_canceled_payment_is_taken_and_counted(
    metrics: Callable[[], set[str]],
) -> None:
    seen = stored(created().id)
    gone = commit.write(seen, provider_state(seen, status="canceled"), None, run_context())
    metrics()
    written = commit.write(gone, provider_state(gone, status="succeeded"), None, run_context())
    assert written.status == "succeeded"
    assert metrics() == {"canceled_but_paid"}


def test_write_of_a_provider_id_that_is_taken_keeps_both_rows_and_is_counted(
    metrics: Callable[[], set[str]],
) -> None:
    first, second = stored(created().id), stored(created().id)
    metrics()
    same = provider_state(first, status="processing")
    written = commit.write(second, same, None, run_context())
    assert written.provider_payment_id == first.provider_payment_id
    assert payment_items.id_at_provider(str(first.provider_payment_id)) == first.id
    assert metrics() == {"provider_id_taken"}


def test_failed_refund_that_is_listed_again_is_not_written_again() -> None:
    seen = stored(created().id)
    failed = ProviderRefund(
        provider_refund_id="re_1",
        refund_id=None,
        amount_cents=500,
        currency="USD",
        status="failed",
        created_at=clock.now(),
    )
    state = provider_state(seen, status="succeeded", captured_cents=2000, refunds=(failed,))
    first = commit.write(seen, state, None, run_context())
    second = commit.write(first, state, None, run_context())
    assert (second.sequence, second.version) == (first.sequence, first.version + 1)
    assert [each.status for each in payment_items.refunds(seen.id)] == ["failed"]


def test_write_takes_40_refunds_at_once_and_is_due_now_for_the_rest() -> None:
    seen = stored(created().id)
    at = clock.now()
    refunds = tuple(
        ProviderRefund(
            provider_refund_id=f"re_{number}",
            refund_id=None,
            amount_cents=1,
            currency="USD",
            status="succeeded",
            created_at=at,
        )
        for number in range(merge.REFUNDS_AT_ONCE + 1)
    )
    paid = {"status": "succeeded", "captured_cents": 2000, "refunded_cents": len(refunds)}
    state = provider_state(seen, refunds=refunds, **paid)
    first = commit.write(seen, state, None, run_context())
    assert len(payment_items.refunds(seen.id)) == merge.REFUNDS_AT_ONCE
    assert first.sequence == seen.sequence + merge.REFUNDS_AT_ONCE
    assert first.due_at
    assert first.due_at <= clock.seconds()
    second = commit.write(first, state, None, run_context())
    assert len(payment_items.refunds(seen.id)) == len(refunds)
    assert second.due_at
    assert second.due_at > clock.seconds() + 3600  # only watched (rule 16)
