"""Create a payment: its customer, its replay, its crashes.

Source: docs/api/native.md, section 4; docs/payment-correctness.md, section 5.
"""

import pytest

from bridge import clock
from bridge.bodies.customer import NewCustomer
from bridge.bodies.payment import NewPayment, PaymentChange
from bridge.core.customers import user_customers
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.workers import sweep
from bridge.errors import (
    BridgeError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    ProviderUnavailable,
    UnknownOutcome,
)
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.page import Page
from bridge.models.payment import PaymentResult
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import STRANGER, USER, Crash, Killed, run_context, sweep_run, together
from tests.core.payment_state.conftest import (
    CRASH_POINTS,
    VISA,
    Later,
    assert_settled,
    created,
    stored,
)
from tests.store.conftest import customer

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
HOUR = 3600
NEW_CUSTOMER = NewCustomer(provider_id="stripe", email="jane@example.com")


def new_payment(**more: object) -> NewPayment:
    return NewPayment.model_validate({"total_cents": 2000, "currency": "USD"} | more)


def create(caller: Caller = USER, key: str | None = None, **more: object) -> PaymentResult:
    return create_payment.create_payment_intent(caller, new_payment(**more), run_context(key))


def bare_customer() -> Customer:
    """A customer as another API makes one: it belongs to no provider yet."""
    bare = customer(user_id="user_456", provider_id=None, provider_customer_id=None)
    customer_items.insert(bare, None)
    return bare


def test_b18_customer_without_provider_is_created_there_by_its_first_payment(
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


def test_b18_concurrent_first_payments_link_the_customer_once(
    stripe_simulator: StripeSimulator,
) -> None:
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


def test_b18_missing_item_of_the_own_customer_is_written_again(
    stripe_simulator: StripeSimulator,
) -> None:
    first = create().payment.customer_id
    automatic = keys.automatic_customer("user_456", "stripe", None)
    dynamodb.write(dynamodb.delete(automatic))
    assert create().payment.customer_id == first
    assert (dynamodb.get(automatic) or {})["customer_id"] == first
    assert len(stripe_simulator.customers()) == 1


def test_b18_customer_of_another_provider_is_refused_on_customer_id() -> None:
    other = customer(user_id="user_456", provider_id="paypal", provider_customer_id="payer_1")
    customer_items.insert(other, None)
    with pytest.raises(InvalidRequest) as refused:
        create(customer_id=other.id)
    assert [detail.field for detail in refused.value.details] == ["customer_id"]


def test_b18_session_without_email_can_pay(stripe_simulator: StripeSimulator) -> None:
    made = create(Caller(user_id="user_1")).payment
    assert made.customer_id
    assert stripe_simulator.customers()[0]["email"] is None


def test_b17_replay_works_after_the_customer_was_deleted(
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


def test_b17_refused_creation_is_tried_again_with_the_same_key() -> None:
    for _ in range(2):
        with pytest.raises(BridgeError) as refused:
            create(key="key-1", total_cents=3)
        assert (refused.value.status, refused.value.replayed) == (400, False)
    assert [each.status for each in read_payments.list_payments(USER, Page())] == ["failed"] * 2


def test_b17_same_key_of_another_caller_makes_another_payment() -> None:
    mine, theirs = create(key="key-1").payment, create(STRANGER, key="key-1").payment
    assert mine.id != theirs.id


def test_b17_same_key_of_another_guest_makes_another_payment() -> None:
    key = "a-key-of-twenty-chars"
    first = create(Caller(), key, guest_data={"email": "a@example.com", "name": "A"})
    second = create(Caller(), key, guest_data={"email": "b@example.com", "name": "A"})
    assert first.payment.id != second.payment.id
    again = create(Caller(), key, guest_data={"email": "A@Example.com", "name": "A"})
    assert again.payment.id == first.payment.id  # one mailbox, the same stored fingerprint


def test_creation_is_not_sent_an_hour_after_its_status_checks_stopped(
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


def test_refused_creation_is_never_due_and_cannot_be_confirmed(later: Later) -> None:
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


@pytest.mark.parametrize("point", CRASH_POINTS)
@pytest.mark.parametrize("rescue", ["retry", "sync", "sweep"])
def test_creation_killed_at_any_crash_point_leaves_one_object(
    point: str, rescue: str, crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    new = NewPayment(total_cents=2000, currency="USD", description="as it was sent")
    crash.at = point
    with pytest.raises(Killed):
        create_payment.create_payment_intent(USER, new, run_context("key-1"))
    later(120)
    if rescue == "sweep":
        sweep.sweep(sweep_run())
    listed = read_payments.list_payments(USER, Page())
    if rescue == "sync" and listed:
        change_payment.sync(USER, listed[0].id, run_context())
    result = create_payment.create_payment_intent(USER, new, run_context("key-1"))
    assert result.payment.displayed_status == "created"
    assert len(stripe_simulator.intents()) == 1
    assert len(read_payments.list_payments(USER, Page())) == 1
    assert_settled(result.payment.id)


def test_creation_not_sent_is_finished_by_the_retry(
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


def test_replayed_creation_does_not_call_the_provider(stripe_simulator: StripeSimulator) -> None:
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


def test_b9_member_cannot_pay_with_an_organizations_customer() -> None:
    """B9, B18: a role that only reads may not charge what the organization has saved."""
    new = NewCustomer(provider_id="stripe", organization_id="org_456")
    customer = user_customers.create_customer(USER, new, run_context()).customer
    member = Caller(user_id="user_1", organizations={"org_456": "member"})
    asked = NewPayment(total_cents=500, currency="EUR", customer_id=customer.id)
    with pytest.raises(Forbidden):
        create_payment.create_payment_intent(member, asked, run_context())


def test_b20_repeat_of_a_creation_is_never_a_5xx_because_many_ask(
    stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    """Others write the row each time that this request has asked the provider."""
    stripe_simulator.fault("create_payment", "drop_after", times=2)
    new = NewPayment(total_cents=2000, currency="USD")
    first = create_payment.create_payment_intent(USER, new, run_context("k"))
    assert first.retry_after

    def meanwhile(payment_id: str) -> None:
        change = PaymentChange(metadata={"at": str(clock.now())})
        change_payment.update(USER, payment_id, change, run_context())
        crash.at = "fetched"

    crash.at, crash.meanwhile = "fetched", meanwhile
    repeated = create_payment.create_payment_intent(USER, new, run_context("k"))
    assert repeated.retry_after
    assert repeated.payment.id == first.payment.id
    crash.at = crash.meanwhile = None
    done = create_payment.create_payment_intent(USER, new, run_context("k"))
    assert (done.retry_after, done.payment.id) == (None, first.payment.id)
    assert len(stripe_simulator.intents()) == 1
