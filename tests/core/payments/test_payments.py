"""Payments: whose customer pays, replays, and the ends of a creation nobody heard of."""

from collections.abc import Callable

import pytest

from bridge.core.customers import user_customers
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.workers import sweep
from bridge.errors import BridgeError, Conflict, InvalidRequest, NotFound, UnknownOutcome
from bridge.models.caller import Caller
from bridge.models.customer import Customer, GuestData, NewCustomer
from bridge.models.page import Page
from bridge.models.payment import Confirmation, NewPayment, Payment, PaymentChange, PaymentResult
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import STRANGER, USER, run_context, sweep_run, together
from tests.store.conftest import customer

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]
HOUR = 3600
VISA = Confirmation(payment_method_id="pm_card_visa")
NEW_CUSTOMER = NewCustomer(provider_id="stripe", email="jane@example.com")


def asked(**more: object) -> NewPayment:
    return NewPayment.model_validate({"total_cents": 2000, "currency": "USD"} | more)


def create(caller: Caller = USER, key: str | None = None, **more: object) -> PaymentResult:
    return create_payment.create_payment_intent(caller, asked(**more), run_context(key))


def stored(payment_id: str) -> Payment:
    found = payment_items.get(payment_id)
    assert found
    return found


# --- whose customer (B18) -----------------------------------------------------------------------


def bare_customer() -> Customer:
    """A customer as another API makes one: it belongs to no provider yet."""
    bare = customer(user_id="user_456", provider_id=None, provider_customer_id=None)
    customer_items.insert(bare, None)
    return bare


def test_b18_a_customer_of_another_api_is_made_at_the_provider_by_its_first_payment(
    stripe_simulator: StripeSimulator,
) -> None:
    bare = bare_customer()
    first, second = (create(customer_id=bare.id).payment for _ in range(2))
    linked = customer_items.get(bare.id)
    assert linked
    (there,) = stripe_simulator.customers()
    assert (linked.provider_id, linked.provider_customer_id) == ("stripe", there["id"])
    assert first.provider_customer_id == second.provider_customer_id == there["id"]
    assert [each["customer"] for each in stripe_simulator.intents()] == [there["id"]] * 2


def test_b18_its_first_payments_at_once_link_it_once(stripe_simulator: StripeSimulator) -> None:
    bare = bare_customer()
    results = together(4, lambda _: create(customer_id=bare.id))
    done = [each for each in results if isinstance(each, PaymentResult)]
    failed = [each for each in results if not isinstance(each, PaymentResult)]
    assert done
    assert all(isinstance(each, UnknownOutcome) for each in failed)  # the same call, under way
    assert len(stripe_simulator.customers()) == 1
    linked = customer_items.get(bare.id)
    assert linked
    assert {each.payment.provider_customer_id for each in done} == {linked.provider_customer_id}


def test_b18_ones_own_customer_is_repaired_where_its_item_is_missing(
    stripe_simulator: StripeSimulator,
) -> None:
    first = create().payment.customer_id
    automatic = keys.automatic_customer("user_456", "stripe", None)
    dynamodb.write(dynamodb.delete(automatic))
    assert create().payment.customer_id == first
    assert (dynamodb.get(automatic) or {})["customer_id"] == first
    assert len(stripe_simulator.customers()) == 1


def test_b18_a_customer_at_another_provider_is_refused_by_name() -> None:
    other = customer(user_id="user_456", provider_id="paypal", provider_customer_id="payer_1")
    customer_items.insert(other, None)
    with pytest.raises(InvalidRequest) as refused:
        create(customer_id=other.id)
    assert [detail.field for detail in refused.value.details] == ["customer_id"]


def test_b18_a_session_without_an_email_still_pays(stripe_simulator: StripeSimulator) -> None:
    made = create(Caller(user_id="user_1")).payment
    assert made.customer_id
    assert stripe_simulator.customers()[0]["email"] is None


# --- replays (B17) ------------------------------------------------------------------------------


def test_b17_an_answer_is_told_again_though_what_it_needed_is_gone(
    stripe_simulator: StripeSimulator,
) -> None:
    owner = user_customers.create_customer(USER, NEW_CUSTOMER, run_context()).customer
    first = create(key="key-1", customer_id=owner.id)
    user_customers.delete_customer(USER, owner.id)
    again = create(key="key-1", customer_id=owner.id)
    assert (again.replayed, again.payment.id) == (True, first.payment.id)
    with pytest.raises(NotFound):
        create(key="key-2", customer_id=owner.id)
    assert len(stripe_simulator.intents()) == 1


def test_b17_what_was_refused_is_judged_anew() -> None:
    for _ in range(2):
        with pytest.raises(BridgeError) as refused:
            create(key="key-1", total_cents=3)
        assert (refused.value.status, refused.value.replayed) == (400, False)
    assert [each.status for each in read_payments.list_payments(USER, Page())] == ["failed"] * 2


def test_b17_another_caller_with_the_same_key_and_body_makes_another_payment() -> None:
    mine, theirs = create(key="key-1").payment, create(STRANGER, key="key-1").payment
    assert mine.id != theirs.id


def test_b17_a_guests_key_opens_nothing_of_another_guest() -> None:
    key = "a-key-of-twenty-chars"
    first = create(Caller(), key, guest_data={"email": "a@example.com", "name": "A"})
    second = create(Caller(), key, guest_data={"email": "b@example.com", "name": "A"})
    assert first.payment.id != second.payment.id
    again = create(Caller(), key, guest_data={"email": "A@Example.com", "name": "A"})
    assert again.payment.id == first.payment.id  # one mailbox, the same stored fingerprint


# --- creations nobody heard of ------------------------------------------------------------------


def test_a_creation_is_given_up_an_hour_after_its_looks_have_stopped(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.fault("create_payment", "drop_before", times=None)
    lost = create(key="key-1")
    assert lost.payment.displayed_status == "processing"
    stripe_simulator.faults.clear()
    sent = stripe_simulator.log.counts["create_payment"]
    later(20 * HOUR + 10)  # Stripe may have forgotten the key: the same call could make another
    with pytest.raises(UnknownOutcome):
        change_payment.sync(USER, lost.payment.id, run_context())
    assert stored(lost.payment.id).active_attempt
    later(HOUR)
    sweep.sweep(sweep_run())
    found = stored(lost.payment.id)
    assert (found.status, found.active_attempt, found.due_at) == ("failed", None, None)
    assert found.failure
    assert found.failure.code == "not_sent"
    assert stripe_simulator.log.counts["create_payment"] == sent
    assert stripe_simulator.intents() == []
    again = create(key="key-1")  # its key has become free
    assert (again.replayed, again.payment.status) == (False, "created")


def test_a_refused_creation_is_never_due_and_never_confirmable(later: Later) -> None:
    with pytest.raises(BridgeError):
        create(total_cents=3)
    (listed,) = read_payments.list_payments(USER, Page())
    assert stored(listed.id).due_at is None
    later(8 * 24 * HOUR)
    assert sweep.sweep(sweep_run()).checked == 0
    with pytest.raises(Conflict) as refused:
        change_payment.confirm(USER, listed.id, VISA, run_context())
    assert refused.value.code == "payment_not_confirmable"
    with pytest.raises(Conflict) as refused:
        change_payment.update(USER, listed.id, PaymentChange(total_cents=500), run_context())
    assert refused.value.code == "payment_not_updatable"
    assert change_payment.sync(USER, listed.id, run_context()).status == "failed"


# --- our own fields -----------------------------------------------------------------------------


def test_changes_of_our_own_fields_at_once_both_stay() -> None:
    made = create().payment
    changes = [PaymentChange(concept="a"), PaymentChange(category="b")]
    together(2, lambda number: change_payment.update(USER, made.id, changes[number], run_context()))
    found = stored(made.id)
    assert (found.concept, found.category) == ("a", "b")


def test_a_change_of_our_own_fields_and_a_confirm_at_once_both_count(
    stripe_simulator: StripeSimulator,
) -> None:
    made = create().payment

    def act(number: int) -> object:
        if number:
            return change_payment.update(USER, made.id, PaymentChange(concept="a"), run_context())
        return change_payment.confirm(USER, made.id, VISA, run_context())

    together(2, act)
    found = stored(made.id)
    assert (found.status, found.concept, found.active_attempt) == ("succeeded", "a", None)
    assert len(stripe_simulator.charges()) == 1


def test_a_guest_sees_the_payment_and_nothing_of_its_customer() -> None:
    guest = GuestData(email="a@example.com", name="A")
    new = asked(setup_future_usage="off_session").model_copy(update={"guest_data": guest})
    made = create_payment.create_payment_intent(Caller(), new, run_context()).payment
    bearer = Caller(guest_of=made.id)
    assert read_payments.get_payment(bearer, made.id).id == made.id
    with pytest.raises(NotFound):
        user_customers.get_customer(bearer, made.customer_id or "")
