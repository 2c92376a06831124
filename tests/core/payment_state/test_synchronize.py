"""A payment's one truth: crash points, lost answers, the sweep. Source: design/convergence.md."""

from collections.abc import Callable

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from bridge.core.customers import user_customers
from bridge.core.operations import payment_operator
from bridge.core.payment_state import synchronize
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.workers import sweep
from bridge.errors import (
    BridgeError,
    Conflict,
    Forbidden,
    PaymentDeclined,
    ProviderUnavailable,
    UnknownOutcome,
)
from bridge.models.caller import Caller
from bridge.models.customer import NewCustomer
from bridge.models.page import Page
from bridge.models.payment import Confirmation, NewPayment, Payment, PaymentChange
from bridge.store import dynamodb, keys
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
VISA = Confirmation(payment_method_id="pm_card_visa")
Later = Callable[[float], None]


def created(**more: object) -> Payment:
    new = NewPayment.model_validate({"total_cents": 2000, "currency": "USD"} | more)
    return create_payment.create_payment_intent(USER, new, run_context()).payment


def stored(payment_id: str) -> Payment:
    payment = payment_items.get(payment_id)
    assert payment
    return payment


def sweep_until_quiet(later: Later, minutes: int = 10) -> None:
    for _ in range(minutes):
        later(60)
        sweep.sweep(sweep_run())


def assert_whole(payment_id: str) -> None:
    """No lock is left, and the timeline is an unbroken chain up to the row."""
    assert stored(payment_id).active_attempt is None
    assert payment_operator.inspect_payment(payment_id).timeline_is_whole


def test_a_confirm_charges_once_and_tells_it(stripe_simulator: StripeSimulator) -> None:
    payment = created()
    confirmed = change_payment.confirm(USER, payment.id, VISA, run_context()).payment
    assert confirmed.displayed_status == "succeeded"
    assert confirmed.completed_at
    assert confirmed.captured_cents == confirmed.refundable_cents == 2000
    assert len(stripe_simulator.charges()) == 1
    assert_whole(payment.id)


CONFIRM_STEPS = ["locking", "locked", "answered", "committing", "committed"]


@pytest.mark.parametrize("step", CONFIRM_STEPS)
@pytest.mark.parametrize("rescue", ["retry", "sync", "sweep"])
def test_a_confirm_killed_anywhere_ends_in_the_truth(
    step: str, rescue: str, crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    crash.at = step
    with pytest.raises(Killed):
        change_payment.confirm(USER, payment.id, VISA, run_context("key-1"))
    later(200)
    if rescue == "sync":
        change_payment.sync(USER, payment.id, run_context())
    if rescue == "sweep":
        sweep.sweep(sweep_run())
    charged = len(stripe_simulator.charges())
    assert charged == (step in ("answered", "committing", "committed"))
    if rescue != "retry":
        found = stored(payment.id)
        expected = {"locking": "created", "locked": "failed"}.get(step, "succeeded")
        assert found.status == expected
        assert_whole(payment.id)
    answered = change_payment.confirm(USER, payment.id, VISA, run_context("key-1"))
    assert answered.payment.displayed_status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    assert_whole(payment.id)


@pytest.mark.parametrize("step", ["locking", "locked", "answered", "committing", "committed"])
@pytest.mark.parametrize("rescue", ["retry", "sync", "sweep"])
def test_a_creation_killed_anywhere_leaves_one_object(
    step: str, rescue: str, crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    new = NewPayment(total_cents=2000, currency="USD", description="as it was sent")
    crash.at = step
    with pytest.raises(Killed):
        create_payment.create_payment_intent(USER, new, run_context("key-1"))
    later(120)
    if rescue == "sweep":
        sweep.sweep(sweep_run())
    listed = read_payments.list_payments(USER, Page())
    if rescue == "sync" and listed:
        change_payment.sync(USER, listed[0].id, run_context())
    answered = create_payment.create_payment_intent(USER, new, run_context("key-1"))
    assert answered.payment.displayed_status == "created"
    assert len(stripe_simulator.intents()) == 1
    assert len(read_payments.list_payments(USER, Page())) == 1
    assert_whole(answered.payment.id)


def test_own_fields_may_change_while_a_creation_is_unresolved(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    """The look repeats what was sent, not what the row says now."""
    stripe_simulator.fault("create_payment", "drop_after", times=2)
    payment = created(description="first", metadata={"a": 1})
    assert payment.displayed_status == "processing"
    change = PaymentChange(description="second", metadata={"b": 2})
    change_payment.update(USER, payment.id, change, run_context())
    later(120)
    sweep.sweep(sweep_run())
    found = stored(payment.id)
    assert (found.status, found.description) == ("created", "second")
    assert len(stripe_simulator.intents()) == 1


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "truncated_body"])
def test_a_lost_answer_leaves_the_payment_processing_and_due(
    kind: str, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", kind)
    answered = change_payment.confirm(USER, payment.id, VISA, run_context())
    assert answered.retry_after
    assert answered.payment.displayed_status == "processing"
    assert stored(payment.id).due_at
    assert len(stripe_simulator.charges()) == 1
    later(60)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "succeeded"
    assert_whole(payment.id)
    assert len(stripe_simulator.charges()) == 1


def test_a_call_that_never_arrived_frees_the_payment_after_its_lease(
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
    sweep_until_quiet(later, 3)
    found = stored(payment.id)
    assert found.status == "failed"
    assert found.failure
    assert found.failure.code == "not_sent"
    confirmed = change_payment.confirm(USER, payment.id, VISA, run_context("k")).payment
    assert confirmed.status == "succeeded"
    assert confirmed.attempts == 3
    assert len(stripe_simulator.charges()) == 1


def test_a_call_that_surely_was_not_sent_leaves_nothing_locked(
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


def test_a_creation_that_was_not_sent_is_taken_up_by_its_retry(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    created()  # so that the customer is there
    stripe_simulator.stop()
    new = NewPayment(total_cents=500, currency="EUR")
    try:
        for _ in range(2):
            with pytest.raises(ProviderUnavailable):
                create_payment.create_payment_intent(USER, new, run_context("k"))
    finally:
        stripe_simulator.start()
    assert (
        create_payment.create_payment_intent(USER, new, run_context("k")).payment.status
        == "created"
    )
    assert len(read_payments.list_payments(USER, Page())) == 2


def test_a_decline_is_an_answer_and_may_be_tried_again(stripe_simulator: StripeSimulator) -> None:
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
    assert_whole(payment.id)


def test_a_confirm_in_3d_secure_survives_sweep_after_sweep(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created(return_url="http://localhost:3000/back")
    secure = Confirmation(payment_method_id="pm_card_threeDSecure2Required")
    waiting = change_payment.confirm(USER, payment.id, secure, run_context()).payment
    assert waiting.displayed_status == "requires_action"
    assert waiting.next_action
    for _ in range(30):
        later(300)
        sweep.sweep(sweep_run())
    assert stored(payment.id).status == "requires_action"
    stripe_simulator.authenticate(str(waiting.provider_payment_id), success=True)
    assert change_payment.sync(USER, payment.id, run_context()).status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    assert_whole(payment.id)


def test_a_3d_secure_answer_that_was_lost_is_shown_by_the_first_look(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created(return_url="http://localhost:3000/back")
    secure = Confirmation(payment_method_id="pm_card_threeDSecure2Required")
    stripe_simulator.fault("confirm", "drop_after")
    assert change_payment.confirm(USER, payment.id, secure, run_context()).retry_after
    later(30)
    shown = change_payment.sync(USER, payment.id, run_context())
    assert shown.displayed_status == "requires_action"
    assert shown.active_attempt  # its call could still land: the lock lasts as long as the lease
    later(100)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "requires_action"
    assert_whole(payment.id)


def test_nothing_is_overdue_and_nothing_locked_once_it_is_quiet(later: Later) -> None:
    payment = created()
    change_payment.confirm(USER, payment.id, VISA, run_context())
    sweep_until_quiet(later, 5)
    assert stored(payment.id).due_at is None


def test_what_nobody_pays_is_canceled_after_a_week(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    later(8 * 24 * 3600)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "canceled"
    assert stripe_simulator.intents()[0]["status"] == "canceled"
    assert stored(payment.id).due_at is None
    with pytest.raises(BridgeError) as refused:
        change_payment.confirm(USER, payment.id, VISA, run_context())
    assert refused.value.code == "payment_not_confirmable"
    assert_whole(payment.id)


def test_a_charge_is_found_within_a_minute_after_a_long_outage(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    stripe_simulator.fault("fetch", "500_before", times=None)
    change_payment.confirm(USER, payment.id, VISA, run_context())
    for _ in range(40):
        later(600)
        sweep.sweep(sweep_run())
    assert stored(payment.id).active_attempt
    stripe_simulator.faults.clear()
    later(60)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "succeeded"
    assert_whole(payment.id)


def test_a_creation_is_looked_at_with_the_very_bytes_it_was_sent_with(
    crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    """The store keeps no 1.0 and no order of keys; Stripe would know the key by another request."""
    metadata = {"x": 1.0, "big": 10**17} | {f"key-{n}": str(n) for n in range(48)}
    crash.at = "answered"
    new = NewPayment.model_validate({"total_cents": 900, "currency": "USD", "metadata": metadata})
    with pytest.raises(Killed):
        create_payment.create_payment_intent(USER, new, run_context())
    later(200)
    sweep.sweep(sweep_run())
    assert read_payments.list_payments(USER, Page())[0].status == "created"
    assert len(stripe_simulator.intents()) == 1


def test_a_refusal_lets_the_lock_go_though_nobody_can_look(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    """The fence was lost meanwhile, so rule 11 would fetch; that nothing was done is known."""
    payment = created()

    def meanwhile(payment_id: str) -> None:
        change_payment.sync(USER, payment_id, run_context())
        stripe_simulator.fault("confirm", "429", times=None)
        stripe_simulator.fault("fetch", "500_before", times=None)

    crash.at, crash.meanwhile = "locked", meanwhile
    with pytest.raises(ProviderUnavailable):
        change_payment.confirm(USER, payment.id, VISA, run_context("a key"))
    assert stored(payment.id).active_attempt is None
    stripe_simulator.faults.clear()
    confirmed = change_payment.confirm(USER, payment.id, VISA, run_context("a key")).payment
    assert confirmed.status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    assert_whole(payment.id)


def test_a_row_that_cannot_be_read_keeps_no_other_waiting(later: Later) -> None:
    payment = created()
    shard = keys.due_partition(payment.id)
    broken = next(
        f"pay_broken{n}" for n in range(99) if keys.due_partition(f"pay_broken{n}") == shard
    )
    item = {"id": broken, "due_pk": shard, "due_at": 1, "status": "a word of a newer release"}
    dynamodb.write(dynamodb.put(keys.payment(broken), item))
    version = stored(payment.id).version
    later(120)
    assert sweep.sweep(sweep_run()).failed == 1
    assert stored(payment.id).version > version


def test_a_confirm_of_what_was_paid_in_the_browser_tells_when(
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


def test_an_update_refused_by_the_objects_state_shows_that_state_at_once(
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


def test_an_older_update_does_not_overwrite_a_newer_one(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("update_payment", "drop_after", times=2)
    older = PaymentChange(total_cents=3000, description="older", tags="kept")
    assert change_payment.update(USER, payment.id, older, run_context()).retry_after
    change_payment.update(USER, payment.id, PaymentChange(description="newer"), run_context())
    later(200)
    sweep.sweep(sweep_run())
    found = stored(payment.id)
    assert (found.total_cents, found.description, found.tags) == (3000, "newer", "kept")


def test_a_creation_whose_look_won_still_shows_its_secret(crash: Crash) -> None:
    crash.at = "answered"
    crash.meanwhile = lambda payment_id: synchronize.synchronize(stored(payment_id), run_context())
    payment = created()
    assert payment.status == "created"
    assert payment.client_secret
    assert_whole(payment.id)


def test_a_contradicted_payment_stays_due(stripe_simulator: StripeSimulator) -> None:
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


def test_an_attempt_of_yesterday_leaves_todays_request_its_key(
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


def test_what_is_handled_further_out_does_not_make_an_unknown_outcome_certain(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    try:
        raise OSError("refused") from NewConnectionError(HTTPConnection("127.0.0.1"), "refused")
    except OSError:
        answered = change_payment.confirm(USER, payment.id, VISA, run_context())
    assert answered.retry_after
    assert stored(payment.id).active_attempt


def test_a_replay_asks_nobody_and_makes_nothing(stripe_simulator: StripeSimulator) -> None:
    guest = {"email": "g@example.com", "name": "G"}
    new = NewPayment.model_validate(
        {
            "total_cents": 500,
            "currency": "EUR",
            "setup_future_usage": "off_session",
            "guest_data": guest,
        }
    )
    key = "k" * 24
    first = create_payment.create_payment_intent(Caller(), new, run_context(key)).payment
    asked = len(stripe_simulator.requests)
    assert (
        create_payment.create_payment_intent(Caller(), new, run_context(key)).payment.id == first.id
    )
    assert len(stripe_simulator.requests) == asked


def test_a_member_cannot_pay_with_an_organizations_customer() -> None:
    """B9, B18: a role that only reads may not charge what the organization saved."""
    new = NewCustomer(provider_id="stripe", organization_id="org_456")
    customer = user_customers.create_customer(USER, new, run_context()).customer
    member = Caller(user_id="user_1", organizations={"org_456": "member"})
    asked = NewPayment(total_cents=500, currency="EUR", customer_id=customer.id)
    with pytest.raises(Forbidden):
        create_payment.create_payment_intent(member, asked, run_context())
