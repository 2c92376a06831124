"""Captures, cancellations and refunds: crashes, lost answers, what is left to refund.

Source: docs/payment-correctness.md, sections 4 and 9; docs/api/native.md, section 4.
"""

from contextlib import suppress

import pytest

from bridge import clock
from bridge.bodies.payment import Cancellation, Capture, Confirmation, NewPayment, NewRefund
from bridge.core.operations import payment_operator
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import sweep
from bridge.errors import BridgeError, Conflict, ProviderUnavailable
from bridge.models.outbox import Cursor
from bridge.models.payment import Payment, PaymentResult
from bridge.store.payments import outbox_items, payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run, together
from tests.core.payment_state.conftest import CRASH_POINTS, Later

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
PART = NewRefund(amount_cents=500)
DAY = 24 * 3600


def paid(method: str = "pm_card_visa", **more: object) -> Payment:
    new = NewPayment.model_validate({"total_cents": 2000, "currency": "USD"} | more)
    made = create_payment.create_payment_intent(USER, new, run_context()).payment
    asked = Confirmation(payment_method_id=method)
    return change_payment.confirm(USER, made.id, asked, run_context()).payment


def authorized() -> Payment:
    return paid(capture_method="manual")


def refund(payment: Payment, asked: NewRefund = PART, key: str | None = None) -> PaymentResult:
    return change_payment.refund(USER, payment.id, asked, run_context(key))


def stored(payment: Payment) -> Payment:
    found = payment_items.get(payment.id)
    assert found
    return found


def given_back(simulator: StripeSimulator) -> int:
    """Cents that went back to the payer, without the release of a partial capture."""
    return sum(
        each.amount
        for each in simulator.world.refunds.values()
        if each.status != "failed" and not each.reversal
    )


def assert_agrees(payment: Payment, simulator: StripeSimulator) -> None:
    """Our row agrees with the provider, no attempt is active, the timeline is whole."""
    found, refunds = stored(payment), payment_items.refunds(payment.id)
    assert found.active_attempt is None
    assert found.refunded_cents == given_back(simulator)
    assert found.refundable_cents == found.captured_cents - found.refunded_cents
    given = [each for each in refunds if each.status != "failed"]
    assert sum(each.amount_cents for each in given) == found.refunded_cents
    assert found.refunds_pending == sum(each.status == "pending" for each in refunds)
    assert payment_operator.inspect_payment(payment.id).timeline_is_whole


def test_refund_of_a_part_and_then_of_the_rest(stripe_simulator: StripeSimulator) -> None:
    payment = paid()
    first = refund(payment, NewRefund(amount_cents=500, reason="damaged"))
    assert (
        first.requested_refund.status,
        first.requested_refund.amount_cents,
        first.requested_refund.reason,
    ) == (
        "succeeded",
        500,
        "damaged",
    )
    assert stored(payment).displayed_status == "partially_refunded"
    assert_agrees(payment, stripe_simulator)
    rest = refund(payment, NewRefund())
    assert rest.requested_refund.amount_cents == 1500
    assert stored(payment).displayed_status == "refunded"
    assert_agrees(payment, stripe_simulator)
    with pytest.raises(Conflict) as refused:
        refund(payment, NewRefund())
    assert refused.value.code == "amount_exceeds_available"
    assert len(stripe_simulator.refunds()) == 2


def test_refund_above_the_rest_is_refused_without_a_provider_call(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    refund(payment)
    asked = len(stripe_simulator.requests)
    with pytest.raises(Conflict) as refused:
        refund(payment, NewRefund(amount_cents=1501))
    assert refused.value.code == "amount_exceeds_available"
    assert len(stripe_simulator.requests) == asked


@pytest.mark.parametrize("point", CRASH_POINTS)
@pytest.mark.parametrize("rescue", ["retry", "sync", "sweep"])
def test_refund_killed_at_any_crash_point_ends_in_the_providers_state(
    point: str, rescue: str, crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = paid()
    crash.at = point
    with pytest.raises(Killed):
        refund(payment, PART, "key-1")
    later(200)
    if rescue == "sync":
        change_payment.sync(USER, payment.id, run_context())
    if rescue == "sweep":
        sweep.sweep(sweep_run())
    sent = point in ("answered", "committing", "committed")
    assert given_back(stripe_simulator) == (500 if sent else 0)
    if rescue != "retry":
        assert_agrees(payment, stripe_simulator)
    result = refund(payment, PART, "key-1")
    assert result.requested_refund.status == "succeeded"
    assert result.replayed == sent
    assert given_back(stripe_simulator) == 500
    assert_agrees(payment, stripe_simulator)
    assert refund(payment, PART, "key-1").requested_refund == result.requested_refund


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "truncated_body"])
def test_refund_with_lost_answer_is_pending_until_the_sweep_finds_it(
    kind: str, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = paid()
    stripe_simulator.fault("refund", kind)
    result = refund(payment)
    assert (result.requested_refund.status, result.requested_refund.provider_refund_id) == (
        "pending",
        None,
    )
    assert result.retry_after
    assert stored(payment).refundable_cents == 1500
    assert refund(payment).requested_refund.id == result.requested_refund.id, (
        "the same request is the same refund"
    )
    with pytest.raises(Conflict) as busy:
        refund(payment, NewRefund(amount_cents=1))
    assert busy.value.code == "payment_in_progress"
    later(30)
    sweep.sweep(sweep_run())
    (found,) = payment_items.refunds(payment.id)
    assert (found.id, found.status) == (result.requested_refund.id, "succeeded")
    assert_agrees(payment, stripe_simulator)


def test_refund_that_never_arrived_is_refundable_again_after_the_lease(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = paid()
    stripe_simulator.fault("refund", "drop_before")
    refund(payment, NewRefund(), "key-1")
    later(60)
    sweep.sweep(sweep_run())
    assert stored(payment).refundable_cents == 0, "it may still take effect"
    later(60)
    sweep.sweep(sweep_run())
    (found,) = payment_items.refunds(payment.id)
    assert found.status == "failed"
    assert_agrees(payment, stripe_simulator)
    again = refund(payment, NewRefund(), "key-1")
    assert (again.replayed, again.requested_refund.status) == (False, "succeeded")
    assert_agrees(payment, stripe_simulator)


def test_refund_with_another_key_is_another_refund(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    first, second = (refund(payment, PART, key).requested_refund for key in ("key-1", "key-2"))
    assert first.id != second.id
    assert given_back(stripe_simulator) == 1000
    assert refund(payment, PART, "key-1").requested_refund == first


def test_b17_refund_with_same_key_and_other_body_returns_409(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    refund(payment, PART, "key-1")
    other = run_context("key-1", fingerprint="another body")
    with pytest.raises(Conflict) as reused:
        change_payment.refund(USER, payment.id, NewRefund(amount_cents=600), other)
    assert reused.value.code == "idempotency_key_reused"
    assert given_back(stripe_simulator) == 500


def test_refund_surely_not_sent_reserves_nothing(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    stripe_simulator.fault("refund", "429")
    with pytest.raises(ProviderUnavailable):
        refund(payment, NewRefund(), "key-1")
    assert stored(payment).refundable_cents == 2000
    assert [each.status for each in payment_items.refunds(payment.id)] == ["failed"]
    assert refund(payment, NewRefund(), "key-1").requested_refund.status == "succeeded"


def test_refused_refund_synchronizes_what_the_dashboard_refunded(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id), 1800)
    with pytest.raises(BridgeError) as refused:
        refund(payment)
    assert (refused.value.status, refused.value.code) == (409, "amount_exceeds_available")
    assert stored(payment).refundable_cents == 200
    assert {each.status for each in payment_items.refunds(payment.id)} == {"failed", "succeeded"}
    assert_agrees(payment, stripe_simulator)


def test_refunds_of_the_dashboard_are_stored_once(stripe_simulator: StripeSimulator) -> None:
    payment = paid()
    refund(payment)
    for _ in range(2):
        stripe_simulator.dashboard("refund", str(payment.provider_payment_id), 300)
    for _ in range(2):
        change_payment.sync(USER, payment.id, run_context())
        known = payment_items.refunds(payment.id)
        assert sorted(each.amount_cents for each in known) == [300, 300, 500]
    assert_agrees(payment, stripe_simulator)


def test_pending_refund_keeps_the_payment_due_until_it_succeeds(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = paid("pm_card_pendingRefund")
    assert refund(payment, NewRefund()).requested_refund.status == "pending"
    assert stored(payment).displayed_status == "refunded"
    assert stored(payment).due_at
    for _ in range(4):
        later(60)
        sweep.sweep(sweep_run())
    assert [each.status for each in payment_items.refunds(payment.id)] == ["succeeded"]
    assert (stored(payment).due_at or 0) > clock.seconds() + DAY / 2  # only watched (rule 16)
    assert_agrees(payment, stripe_simulator)


def test_refund_that_fails_later_is_refundable_again(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = paid("pm_card_refundFail")
    refund(payment, NewRefund())
    later(120)
    change_payment.sync(USER, payment.id, run_context())
    assert [each.status for each in payment_items.refunds(payment.id)] == ["failed"]
    assert stored(payment).displayed_status == "succeeded"
    assert_agrees(payment, stripe_simulator)


def test_concurrent_refunds_never_exceed_the_captured_amount(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    results = together(12, lambda number: refund(payment, PART, f"key-{number}"))
    assert {type(each) for each in results} <= {PaymentResult, Conflict}
    for number in range(12):
        with suppress(Conflict):
            refund(payment, PART, f"key-{number}")
    assert given_back(stripe_simulator) == 2000
    assert_agrees(payment, stripe_simulator)


@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_visa_chargeDeclined"])
def test_refund_of_a_payment_that_has_not_succeeded_returns_409(
    method: str, stripe_simulator: StripeSimulator
) -> None:
    new = NewPayment(total_cents=2000, currency="USD")
    made = create_payment.create_payment_intent(USER, new, run_context()).payment
    with pytest.raises(Conflict) as refused:
        refund(made)
    assert refused.value.code == "payment_not_refundable"
    assert stripe_simulator.refunds() == []


@pytest.mark.parametrize(("outcome", "displayed"), [("won", "succeeded"), ("lost", "disputed")])
def test_dispute_is_displayed_until_it_is_won(
    outcome: str, displayed: str, stripe_simulator: StripeSimulator
) -> None:
    payment = paid()
    intent = str(payment.provider_payment_id)
    stripe_simulator.dashboard("dispute", intent)
    assert change_payment.sync(USER, payment.id, run_context()).displayed_status == "disputed"
    with pytest.raises(BridgeError) as refused:
        refund(payment)
    assert (refused.value.status, refused.value.code) == (409, "payment_not_refundable")
    stripe_simulator.dashboard("close_dispute", intent, outcome=outcome)
    assert change_payment.sync(USER, payment.id, run_context()).displayed_status == displayed


def events(payment: Payment) -> list[str]:
    """The names of the events that go to the bus."""
    entries = outbox_items.list_after(Cursor(payment_id=payment.id))
    return [event.name for entry in entries for event in entry.events]


def test_rule13_own_refund_keeps_the_open_dispute(stripe_simulator: StripeSimulator) -> None:
    payment = paid()
    stripe_simulator.dashboard("inquire", str(payment.provider_payment_id))
    assert change_payment.sync(USER, payment.id, run_context()).displayed_status == "disputed"
    refund(payment, NewRefund(amount_cents=100))
    assert stored(payment).dispute
    assert stored(payment).displayed_status == "disputed"
    assert events(payment)[-1] == "refund.succeeded"


def test_rule13_list_that_lags_behind_takes_no_refund_back(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    refund(payment)
    stripe_simulator.fault("list_refunds", "stale")
    assert change_payment.sync(USER, payment.id, run_context()).refunded_cents == 500
    later(4000)
    sweep.sweep(sweep_run())
    assert_agrees(payment, stripe_simulator)


def test_rule16_refund_that_fails_after_days_is_found_without_an_event(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.refunds_settle_after(5 * DAY)
    payment = paid("pm_card_refundFail")
    refund(payment)
    assert stored(payment).refunded_cents == 500
    for _ in range(8):
        later(DAY)
        sweep.sweep(sweep_run())
    assert [each["status"] for each in stripe_simulator.refunds()] == ["failed"]
    assert stored(payment).refunded_cents == 0
    assert_agrees(payment, stripe_simulator)


def test_rule16_dispute_that_is_won_after_weeks_is_found_without_an_event(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    stripe_simulator.dashboard("dispute", str(payment.provider_payment_id))
    assert change_payment.sync(USER, payment.id, run_context()).displayed_status == "disputed"
    later(20 * DAY)
    stripe_simulator.dashboard("close_dispute", str(payment.provider_payment_id), outcome="won")
    for _ in range(7):
        later(DAY)
        sweep.sweep(sweep_run())
    assert stored(payment).displayed_status == "succeeded"
    assert stored(payment).due_at is None


def test_payment_succeeds_once_for_subscribers(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    """A refund that is refused or fails and a dispute that is won have events of their own."""
    payment = paid("pm_card_refundFail")
    intent = str(payment.provider_payment_id)
    stripe_simulator.fault("refund", "429")
    with pytest.raises(ProviderUnavailable):
        refund(payment)
    refund(payment)
    later(120)
    change_payment.sync(USER, payment.id, run_context())
    stripe_simulator.dashboard("dispute", intent)
    change_payment.sync(USER, payment.id, run_context())
    stripe_simulator.dashboard("close_dispute", intent, outcome="won")
    change_payment.sync(USER, payment.id, run_context())
    assert events(payment) == [
        "payment.created",
        "payment.succeeded",
        "refund.failed",
        "payment.partially_refunded",
        "refund.succeeded",
        "refund.failed",
        "payment.disputed",
        "dispute.opened",
        "dispute.won",
    ]


def test_refund_after_a_dispute_that_was_won_makes_one_event(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    intent = str(payment.provider_payment_id)
    stripe_simulator.dashboard("dispute", intent)
    change_payment.sync(USER, payment.id, run_context())
    stripe_simulator.dashboard("close_dispute", intent, outcome="won")
    change_payment.sync(USER, payment.id, run_context())
    refund(payment, NewRefund(amount_cents=100))
    change_payment.sync(USER, payment.id, run_context())
    assert events(payment)[-3:] == ["dispute.won", "payment.partially_refunded", "refund.succeeded"]


def capture(payment: Payment, key: str | None = None) -> PaymentResult:
    return change_payment.capture(USER, payment.id, Capture(), run_context(key))


def cancel(payment: Payment, key: str | None = None) -> PaymentResult:
    return change_payment.cancel(USER, payment.id, Cancellation(), run_context(key))


ACTS = {"capture": capture, "cancel": cancel}
ENDS = {"capture": "succeeded", "cancel": "canceled"}


@pytest.mark.parametrize(("asked", "captured"), [(None, 2000), (1500, 1500)])
def test_capture_takes_the_given_amount_once(
    asked: int | None, captured: int, stripe_simulator: StripeSimulator
) -> None:
    payment = authorized()
    assert (payment.status, payment.captured_cents) == ("requires_capture", 0)
    body = Capture(amount_cents=asked)
    taken = change_payment.capture(USER, payment.id, body, run_context()).payment
    assert (taken.status, taken.captured_cents, taken.refundable_cents) == (
        "succeeded",
        captured,
        captured,
    )
    assert taken.displayed_status == "succeeded"
    assert taken.completed_at
    with pytest.raises(Conflict) as refused:
        change_payment.capture(USER, payment.id, body, run_context())
    assert refused.value.code == "payment_not_capturable"
    assert_agrees(payment, stripe_simulator)
    refund(payment, NewRefund())
    assert stored(payment).displayed_status == "refunded"
    assert change_payment.sync(USER, payment.id, run_context()).refunded_cents == captured
    assert_agrees(payment, stripe_simulator)


def test_capture_above_the_authorization_returns_409(stripe_simulator: StripeSimulator) -> None:
    payment = authorized()
    with pytest.raises(Conflict) as refused:
        change_payment.capture(USER, payment.id, Capture(amount_cents=2001), run_context())
    assert refused.value.code == "amount_exceeds_available"
    assert stored(payment).status == "requires_capture"


@pytest.mark.parametrize("point", CRASH_POINTS)
@pytest.mark.parametrize("rescue", ["retry", "sync", "sweep"])
@pytest.mark.parametrize("operation", ["capture", "cancel"])
def test_capture_or_cancel_killed_at_any_crash_point_ends_in_the_providers_state(
    operation: str,
    point: str,
    rescue: str,
    crash: Crash,
    later: Later,
    stripe_simulator: StripeSimulator,
) -> None:
    payment = authorized()

    crash.at = point
    with pytest.raises(Killed):
        ACTS[operation](payment, "key-1")
    later(200)
    if rescue == "sync":
        change_payment.sync(USER, payment.id, run_context())
    if rescue == "sweep":
        sweep.sweep(sweep_run())
    if rescue != "retry":
        sent = point in ("answered", "committing", "committed")
        assert stored(payment).status == (ENDS[operation] if sent else "requires_capture")
        assert_agrees(payment, stripe_simulator)
    assert ACTS[operation](payment, "key-1").payment.status == ENDS[operation]
    assert stored(payment).captured_cents == (2000 if operation == "capture" else 0)
    assert len(stripe_simulator.charges()) == 1
    assert_agrees(payment, stripe_simulator)


@pytest.mark.parametrize("operation", ["capture", "cancel"])
def test_capture_or_cancel_done_at_the_dashboard_is_an_answer(
    operation: str, stripe_simulator: StripeSimulator
) -> None:
    payment = authorized()
    stripe_simulator.dashboard(operation, str(payment.provider_payment_id))
    assert ACTS[operation](payment).payment.status == ENDS[operation]
    assert_agrees(payment, stripe_simulator)


@pytest.mark.parametrize("operation", ["capture", "cancel"])
def test_capture_or_cancel_after_the_opposite_at_the_dashboard_returns_409(
    operation: str, stripe_simulator: StripeSimulator
) -> None:
    payment = authorized()
    other = {"capture": "cancel", "cancel": "capture"}[operation]
    stripe_simulator.dashboard(other, str(payment.provider_payment_id))
    with pytest.raises(BridgeError) as refused:
        ACTS[operation](payment)
    assert refused.value.status == 409
    assert stored(payment).status == {"capture": "canceled", "cancel": "succeeded"}[operation]
    assert_agrees(payment, stripe_simulator)


def test_cancel_works_in_every_allowed_state_and_twice(
    stripe_simulator: StripeSimulator,
) -> None:
    new = NewPayment(total_cents=2000, currency="USD")
    made = create_payment.create_payment_intent(USER, new, run_context()).payment
    secure = paid("pm_card_threeDSecure2Required")
    for payment in (made, secure, authorized()):
        for _ in range(2):
            assert cancel(payment).payment.displayed_status == "canceled"
    calls = stripe_simulator.log.counts["cancel"]
    assert calls == 3
    with pytest.raises(Conflict) as refused:
        cancel(paid())
    assert refused.value.code == "payment_not_cancelable"


def test_concurrent_capture_and_cancel_end_as_one_of_them(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = authorized()

    together(6, lambda number: ACTS["capture" if number % 2 else "cancel"](payment))
    found = stored(payment)
    intent = stripe_simulator.intents()[0]
    assert found.status == intent["status"]
    assert found.status in ("succeeded", "canceled")
    assert_agrees(payment, stripe_simulator)
