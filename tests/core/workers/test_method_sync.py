"""A saved method gets the provider's state, in whatever order and how often its events come.

Source: docs/payment-correctness.md, section 7 and rule 7; docs/providers.md, section D.1.
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.bodies.customer import NewCustomer
from bridge.bodies.payment import Confirmation, NewPayment
from bridge.bodies.payment_method import MethodChange, NewMethod
from bridge.core.customers import user_customers
from bridge.core.payments import change_payment, create_payment
from bridge.core.wallet import payment_methods
from bridge.core.workers import deletion, method_sync
from bridge.errors import NotFound, Refused, UnknownOutcome
from bridge.models.customer import Customer
from bridge.models.model import values_of
from bridge.models.page import Page
from bridge.models.payment_method import PaymentMethod
from bridge.models.queue_message import MethodEventReference
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.dedupe import webhook_items
from bridge.store.wallet import method_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]


@pytest.fixture
def customer() -> Customer:
    new = NewCustomer(provider_id="stripe", email="jane@example.com")
    return user_customers.create_customer(USER, new, run_context()).customer


@pytest.fixture
def method(customer: Customer) -> PaymentMethod:
    return attach(customer)


def attach(customer: Customer) -> PaymentMethod:
    new = NewMethod(token="pm_card_visa", customer_id=customer.id)
    return payment_methods.create_method(USER, new, run_context()).method


def event_reference_of(
    method: PaymentMethod, event_id: str = "evt_1", kind: str = "updated"
) -> MethodEventReference:
    assert method.token
    return MethodEventReference(
        provider_id="stripe",
        event_id=event_id,
        type=f"payment_method.{kind}",
        token=method.token,
    )


def handle_event(method: PaymentMethod, event_id: str = "evt_1", kind: str = "updated") -> None:
    method_sync.handle_event(event_reference_of(method, event_id, kind), run_context())


def stored(method: PaymentMethod) -> PaymentMethod:
    return payment_methods.get_method(USER, method.id)


def card(method: PaymentMethod) -> tuple[str | None, str | None, int | None, int | None]:
    return method.brand, method.last4, method.exp_month, method.exp_year


def card_there(stripe: StripeSimulator, method: PaymentMethod) -> tuple[str, str, int, int]:
    at_stripe = stripe.world.methods[str(method.token)]
    card = at_stripe.card
    return card.brand, card.last4, at_stripe.exp_month, at_stripe.exp_year


def defaults(customer: Customer) -> list[str]:
    stored = customer_items.get(customer.id)
    assert stored
    return [each.id for each in method_items.list_of_customer(stored, Page()) if each.is_default]


def fetches(stripe: StripeSimulator) -> int:
    return len([each for each in stripe.requests if each.operation == "fetch_method"])


@pytest.mark.parametrize("action", ["renew", "expire"])
def test_renewed_card_is_stored_and_other_fields_stay(
    action: str, method: PaymentMethod, stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment_methods.update_method(USER, method.id, MethodChange(alias="mine", metadata={"a": 1}))
    before = stored(method)
    stripe_simulator.dashboard_method(action, str(method.token))
    later(60)
    handle_event(method)
    after = stored(method)
    assert card(after) == card_there(stripe_simulator, method) != card(before)
    assert after.updated_at > before.updated_at
    same = ("last4", "exp_month", "exp_year", "updated_at")
    assert values_of(after, *same) == values_of(before, *same)
    assert after.token == before.token
    assert after.is_expired(clock.now()) == (action == "expire")


def test_event_without_change_writes_nothing(
    method: PaymentMethod, stripe_simulator: StripeSimulator, later: Later
) -> None:
    """Our own attachment causes such an event."""
    before = dynamodb.get(keys.method(method.customer_id, method.id))
    later(60)
    handle_event(method, kind="attached")
    assert dynamodb.get(keys.method(method.customer_id, method.id)) == before
    assert fetches(stripe_simulator) == 1


def test_method_detached_at_provider_is_deleted(
    customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    second = attach(customer)
    assert defaults(customer) == [method.id]
    stripe_simulator.dashboard_method("detach", str(method.token))
    for number in range(2):
        handle_event(method, f"evt_{number}", "detached")
    with pytest.raises(NotFound):
        stored(method)
    assert payment_methods.list_methods(USER, Page()) == [stored(second)]
    assert defaults(customer) == [second.id]
    assert method_items.get_token(method.id), "the job forgets it"
    assert deletion.finish_due(sweep_run()) == deletion.Worked(finished=1, failed=0, left=0)
    assert method_items.get_token(method.id) is None
    assert fetches(stripe_simulator) == 2, "once for the event, once by the job"


@pytest.mark.parametrize("attached_to", ["another's", "nobody's"])
def test_method_of_another_or_no_provider_customer_is_deleted(
    attached_to: str, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    at_stripe = stripe_simulator.world.methods[str(method.token)]
    stripe_simulator.seed_customer("cus_other")
    at_stripe.customer = "cus_other" if attached_to == "another's" else None
    handle_event(method)
    with pytest.raises(NotFound):
        stored(method)


def test_method_unknown_to_the_provider_raises_and_stays(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    """Our key could be of another account: then nothing may be deleted."""
    at_stripe = stripe_simulator.world.methods.pop(str(method.token))
    with pytest.raises(Refused):  # the event stays in the queue, then in the dead-letter queue
        handle_event(method)
    stripe_simulator.world.methods[at_stripe.id] = at_stripe
    assert stored(method) == method


def test_unknown_token_calls_no_provider_and_stores_nothing(
    customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    """Another system shares the account; or the method is attached, but not saved yet."""
    stripe_simulator.seed_method("pm_theirs", customer.provider_customer_id)
    asked = len(stripe_simulator.requests)
    for kind in ("attached", "updated", "detached"):
        foreign = replace(event_reference_of(method, kind=kind), token="pm_theirs")
        method_sync.handle_event(foreign, run_context())
        assert dynamodb.get(webhook_items.place(foreign)) is None
    assert len(stripe_simulator.requests) == asked
    assert payment_methods.list_methods(USER, Page()) == [method]


@pytest.mark.parametrize("whose", ["method", "customer"])
def test_deleted_method_stays_deleted_and_the_provider_is_not_asked(
    whose: str, customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    """We deleted it, and then our job detaches it: that causes an event too."""
    if whose == "method":
        payment_methods.delete_method(USER, method.id)
    else:
        user_customers.delete_customer(USER, customer.id)
    handle_event(method, "evt_1")
    assert fetches(stripe_simulator) == 0
    assert deletion.finish_due(sweep_run()).finished == 1
    handle_event(method, "evt_2", "detached")
    with pytest.raises(NotFound):
        stored(method)
    assert deletion.finish_due(sweep_run()) == deletion.Worked(finished=0, failed=0, left=0)
    assert fetches(stripe_simulator) == 0


def test_repeated_event_does_not_ask_the_provider_but_a_new_one_does(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    handle_event(method, "evt_1")
    stripe_simulator.dashboard_method("renew", str(method.token))
    handle_event(method, "evt_1")
    assert fetches(stripe_simulator) == 1
    assert card(stored(method)) == card(method)
    handle_event(method, "evt_2")
    assert card(stored(method)) == card_there(stripe_simulator, method)


def test_events_out_of_order_store_the_present_card(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    for action in ("renew", "expire", "renew"):
        stripe_simulator.dashboard_method(action, str(method.token))
    for event_id in ("evt_3", "evt_1", "evt_2"):
        handle_event(method, event_id)
        assert card(stored(method)) == card_there(stripe_simulator, method)


@pytest.mark.parametrize("kind", ["500_before", "drop_after"])
def test_failing_provider_changes_nothing_and_the_event_can_come_again(
    kind: str, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.dashboard_method("detach", str(method.token))
    stripe_simulator.fault("fetch_method", kind, times=2)
    with pytest.raises(UnknownOutcome):
        handle_event(method)
    assert stored(method) == method
    handle_event(method)
    with pytest.raises(NotFound):
        stored(method)


def test_detached_method_whose_event_was_lost_charges_nobody(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    """It is still listed; a confirm with it is refused; the next event deletes it."""
    stripe_simulator.dashboard_method("detach", str(method.token))
    asked = NewPayment(total_cents=2000, currency="USD")
    payment = create_payment.create_payment_intent(USER, asked, run_context()).payment
    with pytest.raises(Refused):
        change_payment.confirm(
            USER, payment.id, Confirmation(payment_method_id=method.id), run_context()
        )
    assert stripe_simulator.charges() == []
    assert stored(method) == method
    again = Confirmation(payment_method_id="pm_card_visa")
    assert (
        change_payment.confirm(USER, payment.id, again, run_context()).payment.status == "succeeded"
    )
    handle_event(method, kind="detached")
    with pytest.raises(NotFound):
        stored(method)


def test_worker_with_an_outdated_card_fetches_again(
    method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    """The first event fetches a renewal; before it writes, the next one is handled and written."""
    stripe_simulator.dashboard_method("renew", str(method.token))

    def meanwhile(_: str) -> None:
        stripe_simulator.dashboard_method("expire", str(method.token))
        handle_event(method, "evt_2")

    crash.at, crash.meanwhile = "method_fetched", meanwhile
    handle_event(method, "evt_1")
    assert card(stored(method)) == card_there(stripe_simulator, method)


@pytest.mark.parametrize("action", ["renew", "detach"])
def test_method_deleted_meanwhile_stays_deleted(
    action: str, method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    stripe_simulator.dashboard_method(action, str(method.token))
    crash.at = "method_fetched"
    crash.meanwhile = lambda _: payment_methods.delete_method(USER, method.id)
    handle_event(method)
    with pytest.raises(NotFound):
        stored(method)
    assert deletion.finish_due(sweep_run()) == deletion.Worked(finished=1, failed=0, left=0)
    assert stripe_simulator.world.methods[str(method.token)].customer is None


def test_detached_method_made_default_meanwhile_is_deleted(
    customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    second = attach(customer)
    stripe_simulator.dashboard_method("detach", str(second.token))
    crash.at = "method_fetched"
    crash.meanwhile = lambda _: payment_methods.set_default(USER, second.id)
    handle_event(second, kind="detached")
    with pytest.raises(NotFound):
        stored(second)
    assert defaults(customer) == [method.id]


def test_change_by_a_caller_meanwhile_is_kept(
    method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    stripe_simulator.dashboard_method("renew", str(method.token))
    crash.at = "method_fetched"
    crash.meanwhile = lambda _: payment_methods.update_method(
        USER, method.id, MethodChange(alias="mine")
    )
    handle_event(method)
    assert stored(method).alias == "mine"
    assert card(stored(method)) == card_there(stripe_simulator, method)


def test_worker_killed_before_writing_is_repaired_by_the_next_delivery(
    method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    stripe_simulator.dashboard_method("renew", str(method.token))
    crash.at = "method_fetched"
    with pytest.raises(Killed):
        handle_event(method)
    handle_event(method)
    assert card(stored(method)) == card_there(stripe_simulator, method)


@pytest.mark.race
def test_concurrent_events_store_the_present_state_of_every_method(
    dynamodb_local: None, customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    made = [attach(customer) for _ in range(4)]

    def act(number: int) -> None:
        method, event_id = made[number % 4], f"evt_{number}"
        if 0 < number < 8:  # the first method is detached, and nothing else happens to it
            action = "detach" if number == 4 else "renew" if number < 4 else "expire"
            stripe_simulator.dashboard_method(action, str(method.token))
        handle_event(method, event_id)

    results = together(12, act)
    assert [each for each in results if isinstance(each, Exception)] == []
    with pytest.raises(NotFound):
        stored(made[0])
    for method in made[1:]:
        assert card(stored(method)) == card_there(stripe_simulator, method)
    assert len(defaults(customer)) == 1
