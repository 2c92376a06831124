"""Attempts: decide, lock, send, record the outcome.

Source: docs/payment-correctness.md, sections 2 and 3.
"""

from contextlib import ExitStack

import pytest
from msgspec import structs
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from bridge import clock
from bridge.bodies.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewRefund,
    PaymentChange,
)
from bridge.core.payment_state import attempts
from bridge.core.payments import change_payment, operations
from bridge.core.workers import sweep
from bridge.errors import (
    BridgeError,
    Conflict,
    PaymentDeclined,
    ProviderUnavailable,
    WrongState,
)
from bridge.models.payment import Operation
from bridge.models.refund import Refund
from bridge.store import dynamodb
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, run_context, sweep_run
from tests.core.payment_state.conftest import (
    VISA,
    Later,
    assert_settled,
    created,
    stored,
    sweep_each_minute,
)
from tests.store.conftest import Wire

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def test_confirm_charges_once_and_returns_succeeded(stripe_simulator: StripeSimulator) -> None:
    payment = created()
    confirmed = change_payment.confirm(USER, payment.id, VISA, run_context()).payment
    assert confirmed.displayed_status == "succeeded"
    assert confirmed.completed_at
    assert confirmed.captured_cents == confirmed.refundable_cents == 2000
    assert len(stripe_simulator.charges()) == 1
    assert_settled(payment.id)


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "truncated_body"])
def test_confirm_with_lost_answer_is_processing_and_due(
    kind: str, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", kind)
    result = change_payment.confirm(USER, payment.id, VISA, run_context())
    assert result.retry_after
    assert result.payment.displayed_status == "processing"
    assert stored(payment.id).due_at
    assert len(stripe_simulator.charges()) == 1
    later(60)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "succeeded"
    assert_settled(payment.id)
    assert len(stripe_simulator.charges()) == 1


def test_confirm_that_never_arrived_is_not_sent_after_the_lease(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_before")
    assert change_payment.confirm(USER, payment.id, VISA, run_context("k")).retry_after
    again = change_payment.confirm(USER, payment.id, VISA, run_context("k"))
    assert again.retry_after
    other = Confirmation(payment_method_id="pm_card_mastercard")
    with pytest.raises(Conflict) as refused:
        change_payment.confirm(USER, payment.id, other, run_context())
    assert refused.value.code == "payment_in_progress"
    assert refused.value.retry_after
    sweep_each_minute(later, 3)
    found = stored(payment.id)
    assert found.status == "failed"
    assert found.failure
    assert found.failure.code == "not_sent"
    confirmed = change_payment.confirm(USER, payment.id, VISA, run_context("k")).payment
    assert confirmed.status == "succeeded"
    assert confirmed.attempts == 3
    assert len(stripe_simulator.charges()) == 1


def test_confirm_surely_not_sent_releases_the_lock(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    stripe_simulator.stop()
    try:
        with pytest.raises(ProviderUnavailable):
            change_payment.confirm(USER, payment.id, VISA, run_context("k"))
    finally:
        stripe_simulator.start()
    assert stored(payment.id).active_attempt is None
    assert stored(payment.id).status == "created"
    assert (
        change_payment.confirm(USER, payment.id, VISA, run_context("k")).payment.status
        == "succeeded"
    )


def test_declined_confirm_is_replayed_and_can_be_tried_again(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    lost_card = Confirmation(payment_method_id="pm_card_visa_chargeDeclinedLostCard")
    for _ in range(2):  # the second is the replay of the first
        with pytest.raises(PaymentDeclined) as declined:
            change_payment.confirm(USER, payment.id, lost_card, run_context("k"))
        assert declined.value.decline_code == "lost_card"
    assert declined.value.replayed
    assert stored(payment.id).status == "failed"
    assert len(stripe_simulator.declines()) == 1
    assert (
        change_payment.confirm(USER, payment.id, VISA, run_context()).payment.status == "succeeded"
    )
    assert_settled(payment.id)


def test_rule19_every_request_of_a_key_gets_the_same_answer(
    stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    """The card is declined; before our worker has written that, the payer pays in the browser."""
    payment = created()
    asked = Confirmation(payment_method_id="pm_card_visa_chargeDeclined")

    def meanwhile(_: str) -> None:
        stripe_simulator.browser_confirm(
            str(payment.provider_payment_id), str(payment.client_secret), "pm_card_visa"
        )
        change_payment.sync(USER, payment.id, run_context())

    crash.at, crash.meanwhile = "answered", meanwhile
    results = [change_payment.confirm(USER, payment.id, asked, run_context("k")) for _ in range(2)]
    assert [each.payment.status for each in results] == ["succeeded", "succeeded"]
    assert [each.replayed for each in results] == [False, True]
    assert len(stripe_simulator.charges()) == 1


def test_rule19_decline_stays_a_402_although_the_payer_has_paid_meanwhile(
    stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    """Only own fields were written meanwhile, so our worker ends the attempt by its own answer."""
    payment = created()
    asked = Confirmation(payment_method_id="pm_card_visa_chargeDeclinedLostCard")

    def meanwhile(_: str) -> None:
        change_payment.update(USER, payment.id, PaymentChange(concept="a"), run_context())
        stripe_simulator.browser_confirm(
            str(payment.provider_payment_id), str(payment.client_secret), "pm_card_visa"
        )

    crash.at, crash.meanwhile = "answered", meanwhile
    for replayed in (False, True):
        with pytest.raises(PaymentDeclined) as declined:
            change_payment.confirm(USER, payment.id, asked, run_context("k"))
        assert (declined.value.replayed, declined.value.decline_code) == (replayed, "lost_card")
    assert stored(payment.id).status == "succeeded"
    assert_settled(payment.id)


def test_rule19_decline_that_could_not_be_written_is_a_202_until_it_is(
    stripe_simulator: StripeSimulator, crash: Crash, later: Later
) -> None:
    payment = created()
    asked = Confirmation(payment_method_id="pm_card_visa_chargeDeclined")
    with ExitStack() as undo:
        wire = Wire(undo, dynamodb.client())
        crash.at = "committing"
        crash.meanwhile = lambda _: wire.cancel("ThrottlingError", times=dynamodb.TRIES)
        result = change_payment.confirm(USER, payment.id, asked, run_context("k"))
    assert result.retry_after
    assert stored(payment.id).active_attempt
    sweep_each_minute(later, 2)
    for _ in range(2):
        with pytest.raises(PaymentDeclined):
            change_payment.confirm(USER, payment.id, asked, run_context("k"))
    assert len(stripe_simulator.declines()) == 1


def test_rule19_declined_capture_is_a_402_like_a_declined_confirm(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created(capture_method="manual")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    stripe_simulator.dashboard("decline_captures", str(payment.provider_payment_id))
    for replayed in (False, True):
        with pytest.raises(PaymentDeclined) as declined:
            change_payment.capture(USER, payment.id, Capture(), run_context("k"))
        assert declined.value.replayed is replayed
    assert stored(payment.id).status == "requires_capture"
    assert_settled(payment.id)


def test_capture_of_an_authorization_that_has_expired_returns_409_and_finds_the_end(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created(capture_method="manual")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    stripe_simulator.dashboard("expire", str(payment.provider_payment_id))
    with pytest.raises(WrongState) as refused:
        change_payment.capture(USER, payment.id, Capture(), run_context())
    assert refused.value.code == "payment_not_capturable"
    assert stored(payment.id).status == "canceled"
    assert_settled(payment.id)


def test_confirm_after_payment_in_the_browser_has_completed_at(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    assert payment.provider_payment_id
    assert payment.client_secret
    stripe_simulator.browser_confirm(
        payment.provider_payment_id, payment.client_secret, "pm_card_visa"
    )
    confirmed = change_payment.confirm(USER, payment.id, VISA, run_context()).payment
    assert confirmed.status == "succeeded"
    assert confirmed.completed_at
    assert len(stripe_simulator.charges()) == 1


def test_update_refused_by_the_objects_state_synchronizes_at_once(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    stripe_simulator.browser_confirm(
        str(payment.provider_payment_id), str(payment.client_secret), "pm_card_visa"
    )
    with pytest.raises(BridgeError) as refused:
        change_payment.update(USER, payment.id, PaymentChange(total_cents=3000), run_context())
    assert refused.value.code == "payment_not_updatable"
    assert stored(payment.id).status == "succeeded"


def test_unknown_outcome_stays_unknown_while_another_exception_is_handled(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    try:
        raise OSError("refused") from NewConnectionError(HTTPConnection("127.0.0.1"), "refused")
    except OSError:
        result = change_payment.confirm(USER, payment.id, VISA, run_context())
    assert result.retry_after
    assert stored(payment.id).active_attempt


def test_request_hash_is_equal_only_for_the_same_operation_body_and_key() -> None:
    same = {attempts.request_hash("confirm", each) for each in ("visa", "visa")}
    others = {
        attempts.request_hash("cancel", "visa"),
        attempts.request_hash("confirm", ""),
        attempts.request_hash("confirm", "visa", "key"),
    }
    assert len(same) == 1
    assert len(same | others) == 4


@pytest.mark.parametrize(("is_repeatable", "hashes"), [(False, 1), (True, 2)])
def test_request_hash_of_a_plan_contains_the_key_only_if_it_is_repeatable(
    is_repeatable: bool, hashes: int
) -> None:
    plan = operations.plan_cancel("duplicate", run_context())
    plan = structs.replace(plan, is_repeatable=is_repeatable)
    assert len({plan.request_hash(run_context(key)) for key in ("key-1", "key-2")}) == hashes


def test_request_hash_of_a_plan_that_is_not_repeatable_contains_no_key() -> None:
    plan = operations.plan_cancel("duplicate", run_context())
    assert plan.request_hash(run_context("key-1")) == attempts.request_hash("cancel", plan.request)


def test_lock_for_freezes_number_key_amount_and_lease() -> None:
    payment = created()
    run = run_context()
    pending = {"total_cents": 3000, "setup_future_usage": "off_session", "description": "new"}
    locked = attempts.lock_for(
        payment, "update", "hash", run, pending_changes=pending, method="digest"
    )
    attempt = locked.locked_attempt
    assert (attempt.number, attempt.key) == (2, f"{payment.uid}.2")
    assert attempt.total_cents == 3000
    assert attempt.before == {"total_cents": 2000, "setup_future_usage": None, "method": None}
    assert attempt.method == "digest"
    assert (attempt.from_status, attempt.request_hash) == ("created", "hash")
    assert attempt.until == int(run.ends_at.timestamp()) + 60 + 5  # Stripe's horizon, clocks
    assert locked.due_at == int(run.ends_at.timestamp())
    assert stored(payment.id) == structs.replace(payment, client_secret=None)


def test_lock_for_a_refund_reserves_its_amount() -> None:
    payment = created()
    paid = change_payment.confirm(USER, payment.id, VISA, run_context()).payment
    at = clock.now()
    refund = Refund(
        id="ref_1",
        payment_id=paid.id,
        amount_cents=500,
        currency="USD",
        created_at=at,
        updated_at=at,
    )
    locked = attempts.lock_for(paid, "refund", "hash", run_context(), refund=refund)
    assert (locked.refundable_cents, locked.refunds_pending) == (1500, 1)


@pytest.mark.parametrize(("operation", "is_running"), [("update", True), ("create", False)])
def test_is_running_while_the_lease_runs_but_never_for_a_creation(
    operation: Operation, is_running: bool, later: Later
) -> None:
    payment = created()
    locked = attempts.lock_for(payment, operation, "hash", run_context())
    assert not attempts.is_running(payment)
    assert attempts.is_running(locked) == is_running
    later(89)
    assert attempts.is_running(locked) == is_running
    later(2)
    assert not attempts.is_running(locked)


def test_execute_returns_409_for_another_request_and_202_for_the_same(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_before")
    first = change_payment.confirm(USER, payment.id, VISA, run_context())
    same = change_payment.confirm(USER, payment.id, VISA, run_context())
    assert (first.retry_after, same.retry_after) == (90, 90)
    assert same.payment.active_attempt == first.payment.active_attempt
    with pytest.raises(Conflict) as refused:
        change_payment.cancel(USER, payment.id, Cancellation(), run_context())
    assert (refused.value.code, refused.value.retry_after) == ("payment_in_progress", 90)
    assert stripe_simulator.log.counts["confirm"] == 1


def test_confirm_after_the_lease_of_a_lost_answer_returns_what_the_status_check_finds(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    assert change_payment.confirm(USER, payment.id, VISA, run_context("k")).retry_after
    later(100)
    result = change_payment.confirm(USER, payment.id, VISA, run_context("k"))
    assert (result.payment.status, result.replayed) == ("succeeded", True)
    assert len(stripe_simulator.charges()) == 1
    assert_settled(payment.id)


def test_lost_attempt_stays_the_answer_after_its_lease_if_the_status_check_fails(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    """Section 2: 202 for the same request and for the same client key, else 409."""
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    first = change_payment.confirm(USER, payment.id, VISA, run_context("k")).payment
    later(100)
    stripe_simulator.fault("fetch", "503", times=None)
    other = Confirmation(payment_method_id="pm_card_mastercard")
    for request, run in ((VISA, run_context("another key")), (other, run_context("k"))):
        result = change_payment.confirm(USER, payment.id, request, run)
        assert result.retry_after == 1
        assert result.payment.active_attempt == first.active_attempt
    with pytest.raises(Conflict) as refused:
        change_payment.confirm(USER, payment.id, other, run_context("another key"))
    assert (refused.value.code, refused.value.retry_after) == ("payment_in_progress", 1)


def test_same_request_with_another_key_is_the_active_attempt_but_another_refund(
    stripe_simulator: StripeSimulator,
) -> None:
    """Two equal refunds may both be meant."""
    payment = created()
    stripe_simulator.fault("confirm", "drop_before")
    for key in ("key-1", "key-2"):
        assert change_payment.confirm(USER, payment.id, VISA, run_context(key)).retry_after
    paid = change_payment.confirm(USER, created().id, VISA, run_context()).payment
    stripe_simulator.fault("refund", "drop_before")
    ten = NewRefund(amount_cents=1000)
    assert change_payment.refund(USER, paid.id, ten, run_context("key-1")).retry_after
    with pytest.raises(Conflict) as refused:
        change_payment.refund(USER, paid.id, ten, run_context("key-2"))
    assert refused.value.code == "payment_in_progress"


def test_refund_with_unknown_outcome_is_returned_as_pending(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    paid = change_payment.confirm(USER, created().id, VISA, run_context()).payment
    stripe_simulator.fault("refund", "drop_after")
    result = change_payment.refund(USER, paid.id, NewRefund(amount_cents=500), run_context())
    assert result.retry_after == 90
    assert (result.requested_refund.status, result.requested_refund.amount_cents) == (
        "pending",
        500,
    )
    sweep_each_minute(later, 1)
    assert [each.id for each in payment_items.refunds(paid.id)] == [result.requested_refund.id]
    assert_settled(paid.id)


def test_refund_is_returned_as_it_is_stored() -> None:
    paid = change_payment.confirm(USER, created().id, VISA, run_context()).payment
    result = change_payment.refund(USER, paid.id, NewRefund(amount_cents=500), run_context())
    assert [result.requested_refund] == payment_items.refunds(paid.id)


def test_confirm_without_a_key_that_another_worker_has_ended_returns_the_payment(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    crash.at = "answered"
    crash.meanwhile = lambda payment_id: change_payment.sync(USER, payment_id, run_context())
    result = change_payment.confirm(USER, payment.id, VISA, run_context())
    assert (result.payment.status, result.retry_after) == ("succeeded", None)
    assert len(stripe_simulator.charges()) == 1
    assert_settled(payment.id)


def test_rule11_refusal_releases_the_lock_if_the_row_was_written_meanwhile(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "429")
    crash.at = "answered"
    crash.meanwhile = lambda payment_id: change_payment.sync(USER, payment_id, run_context())
    with pytest.raises(ProviderUnavailable):
        change_payment.confirm(USER, payment.id, VISA, run_context())
    assert (stored(payment.id).status, stored(payment.id).active_attempt) == ("created", None)
    assert_settled(payment.id)


def test_execute_does_not_call_the_provider_if_the_row_changed_before_the_lock(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    crash.at = "locking"
    crash.meanwhile = lambda payment_id: change_payment.cancel(
        USER, payment_id, Cancellation(), run_context()
    )
    with pytest.raises(Conflict) as refused:
        change_payment.confirm(USER, payment.id, VISA, run_context())
    assert refused.value.code == "payment_not_confirmable"
    assert stripe_simulator.log.counts["confirm"] == 0
    assert_settled(payment.id)


def test_read_again_gives_the_client_secret_to_api_runs_only() -> None:
    payment = created()
    assert attempts.read_again(payment, run_context())[0].client_secret == payment.client_secret
    assert attempts.read_again(payment, sweep_run())[0].client_secret is None
