"""A saved method comes to its provider's truth, whatever is heard of it, how often and when.

Source: convergence.md, rule 7; providers.md, D.1.
"""

from collections.abc import Callable

import pytest

from bridge import clock
from bridge.core.customers import user_customers
from bridge.core.payments import change_payment, create_payment
from bridge.core.wallet import payment_methods
from bridge.core.workers import deletion, method_sync
from bridge.errors import NotFound, Refused, UnknownOutcome
from bridge.models.customer import Customer, NewCustomer
from bridge.models.page import Page
from bridge.models.payment import Confirmation, NewPayment
from bridge.models.payment_method import MethodChange, NewMethod, PaymentMethod
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


def hear(method: PaymentMethod, event_id: str = "evt_1", kind: str = "updated") -> None:
    method_sync.handle_event(event_reference_of(method, event_id, kind), run_context())


def shown(method: PaymentMethod) -> PaymentMethod:
    return payment_methods.get_method(USER, method.id)


def card(method: PaymentMethod) -> tuple[str | None, str | None, int | None, int | None]:
    return method.brand, method.last4, method.exp_month, method.exp_year


def card_there(stripe: StripeSimulator, method: PaymentMethod) -> tuple[str, str, int, int]:
    held = stripe.world.methods[str(method.token)]
    return held.card.brand, held.card.last4, held.exp_month, held.exp_year


def defaults(customer: Customer) -> list[str]:
    stored = customer_items.get(customer.id)
    assert stored
    return [each.id for each in method_items.list_of_customer(stored, Page()) if each.is_default]


def fetches(stripe: StripeSimulator) -> int:
    return len([each for each in stripe.requests if each.operation == "fetch_method"])


@pytest.mark.parametrize("action", ["renew", "expire"])
def test_what_a_bank_renews_is_stored_and_the_rest_stays(
    action: str, method: PaymentMethod, stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment_methods.update_method(USER, method.id, MethodChange(alias="mine", metadata={"a": 1}))
    before = shown(method)
    stripe_simulator.dashboard_method(action, str(method.token))
    later(60)
    hear(method)
    after = shown(method)
    assert card(after) == card_there(stripe_simulator, method) != card(before)
    assert after.updated_at > before.updated_at
    same = {"last4", "exp_month", "exp_year", "updated_at"}
    assert after.model_dump(exclude=same) == before.model_dump(exclude=same)
    assert after.token == before.token
    assert after.is_expired(clock.now()) == (action == "expire")


def test_an_event_that_tells_nothing_new_writes_nothing(
    method: PaymentMethod, stripe_simulator: StripeSimulator, later: Later
) -> None:
    """As the one does that our own attachment causes."""
    before = dynamodb.get(keys.method(method.customer_id, method.id))
    later(60)
    hear(method, kind="attached")
    assert dynamodb.get(keys.method(method.customer_id, method.id)) == before
    assert fetches(stripe_simulator) == 1


def test_a_method_that_was_detached_there_is_deleted_here(
    customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    second = attach(customer)
    assert defaults(customer) == [method.id]
    stripe_simulator.dashboard_method("detach", str(method.token))
    for number in range(2):
        hear(method, f"evt_{number}", "detached")
    with pytest.raises(NotFound):
        shown(method)
    assert payment_methods.list_methods(USER, Page()) == [shown(second)]
    assert defaults(customer) == [second.id]
    assert method_items.get_token(method.id), "the job forgets it"
    assert deletion.finish_due(sweep_run()) == deletion.Worked(finished=1, failed=0, left=0)
    assert method_items.get_token(method.id) is None
    assert fetches(stripe_simulator) == 2, "heard once, and once asked by the job"


@pytest.mark.parametrize("holder", ["another's", "nobody's"])
def test_a_method_that_its_customer_has_no_longer_is_deleted(
    holder: str, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    held = stripe_simulator.world.methods[str(method.token)]
    stripe_simulator.seed_customer("cus_other")
    held.customer = "cus_other" if holder == "another's" else None
    hear(method)
    with pytest.raises(NotFound):
        shown(method)


def test_a_key_of_another_account_takes_no_method_away(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    held = stripe_simulator.world.methods.pop(str(method.token))
    with pytest.raises(Refused):  # the event stays in the queue, and then with the dead letters
        hear(method)
    stripe_simulator.world.methods[held.id] = held
    assert shown(method) == method


def test_of_a_token_that_is_not_ours_nobody_is_asked_and_nothing_is_stored(
    customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    """Another system shares the account; or it is attached, and not saved yet."""
    stripe_simulator.seed_method("pm_theirs", customer.provider_customer_id)
    asked = len(stripe_simulator.requests)
    for kind in ("attached", "updated", "detached"):
        hint = event_reference_of(method, kind=kind).model_copy(update={"token": "pm_theirs"})
        method_sync.handle_event(hint, run_context())
        assert dynamodb.get(webhook_items.place(hint)) is None
    assert len(stripe_simulator.requests) == asked
    assert payment_methods.list_methods(USER, Page()) == [method]


@pytest.mark.parametrize("whose", ["method", "customer"])
def test_what_was_deleted_here_stays_deleted_and_nobody_is_asked(
    whose: str, customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    """By us before, and then detached by the job: that is an event, too."""
    if whose == "method":
        payment_methods.delete_method(USER, method.id)
    else:
        user_customers.delete_customer(USER, customer.id)
    hear(method, "evt_1")
    assert fetches(stripe_simulator) == 0
    assert deletion.finish_due(sweep_run()).finished == 1
    hear(method, "evt_2", "detached")
    with pytest.raises(NotFound):
        shown(method)
    assert deletion.finish_due(sweep_run()) == deletion.Worked(finished=0, failed=0, left=0)
    assert fetches(stripe_simulator) == 0


def test_an_event_that_was_seen_asks_nobody_and_the_next_one_does(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    hear(method, "evt_1")
    stripe_simulator.dashboard_method("renew", str(method.token))
    hear(method, "evt_1")
    assert fetches(stripe_simulator) == 1
    assert card(shown(method)) == card(method)
    hear(method, "evt_2")
    assert card(shown(method)) == card_there(stripe_simulator, method)


def test_late_and_out_of_order_all_end_in_the_present(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    for action in ("renew", "expire", "renew"):
        stripe_simulator.dashboard_method(action, str(method.token))
    for event_id in ("evt_3", "evt_1", "evt_2"):
        hear(method, event_id)
        assert card(shown(method)) == card_there(stripe_simulator, method)


@pytest.mark.parametrize("kind", ["500_before", "drop_after"])
def test_where_the_provider_cannot_be_asked_nothing_changes_and_the_event_comes_again(
    kind: str, method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.dashboard_method("detach", str(method.token))
    stripe_simulator.fault("fetch_method", kind, times=2)
    with pytest.raises(UnknownOutcome):
        hear(method)
    assert shown(method) == method
    hear(method)
    with pytest.raises(NotFound):
        shown(method)


def test_without_its_event_a_detached_method_charges_nobody(
    method: PaymentMethod, stripe_simulator: StripeSimulator
) -> None:
    """The event was lost: it is listed, a confirm with it is refused, the next event deletes it."""
    stripe_simulator.dashboard_method("detach", str(method.token))
    asked = NewPayment(total_cents=2000, currency="USD")
    payment = create_payment.create_payment_intent(USER, asked, run_context()).payment
    with pytest.raises(Refused):
        change_payment.confirm(
            USER, payment.id, Confirmation(payment_method_id=method.id), run_context()
        )
    assert stripe_simulator.charges() == []
    assert shown(method) == method
    again = Confirmation(payment_method_id="pm_card_visa")
    assert (
        change_payment.confirm(USER, payment.id, again, run_context()).payment.status == "succeeded"
    )
    hear(method, kind="detached")
    with pytest.raises(NotFound):
        shown(method)


# --- at the same time ---------------------------------------------------------------------------


def test_who_has_asked_too_early_looks_again(
    method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    """The first is told of one renewal; before it writes that, the next is heard and written."""
    stripe_simulator.dashboard_method("renew", str(method.token))

    def meanwhile(_: str) -> None:
        stripe_simulator.dashboard_method("expire", str(method.token))
        hear(method, "evt_2")

    crash.at, crash.meanwhile = "method_fetched", meanwhile
    hear(method, "evt_1")
    assert card(shown(method)) == card_there(stripe_simulator, method)


@pytest.mark.parametrize("action", ["renew", "detach"])
def test_a_deletion_meanwhile_stays(
    action: str, method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    stripe_simulator.dashboard_method(action, str(method.token))
    crash.at = "method_fetched"
    crash.meanwhile = lambda _: payment_methods.delete_method(USER, method.id)
    hear(method)
    with pytest.raises(NotFound):
        shown(method)
    assert deletion.finish_due(sweep_run()) == deletion.Worked(finished=1, failed=0, left=0)
    assert stripe_simulator.world.methods[str(method.token)].customer is None


def test_a_default_that_is_chosen_meanwhile_does_not_keep_it(
    customer: Customer, method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    second = attach(customer)
    stripe_simulator.dashboard_method("detach", str(second.token))
    crash.at = "method_fetched"
    crash.meanwhile = lambda _: payment_methods.set_default(USER, second.id)
    hear(second, kind="detached")
    with pytest.raises(NotFound):
        shown(second)
    assert defaults(customer) == [method.id]


def test_a_caller_who_changes_it_meanwhile_loses_nothing(
    method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    stripe_simulator.dashboard_method("renew", str(method.token))
    crash.at = "method_fetched"
    crash.meanwhile = lambda _: payment_methods.update_method(
        USER, method.id, MethodChange(alias="mine")
    )
    hear(method)
    assert shown(method).alias == "mine"
    assert card(shown(method)) == card_there(stripe_simulator, method)


def test_whoever_dies_before_writing_is_made_up_for_by_the_next_delivery(
    method: PaymentMethod, stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    stripe_simulator.dashboard_method("renew", str(method.token))
    crash.at = "method_fetched"
    with pytest.raises(Killed):
        hear(method)
    hear(method)
    assert card(shown(method)) == card_there(stripe_simulator, method)


@pytest.mark.race
def test_many_at_once_bring_every_method_to_the_truth(
    dynamodb_local: None, customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    made = [attach(customer) for _ in range(4)]

    def act(number: int) -> None:
        method, event_id = made[number % 4], f"evt_{number}"
        if 0 < number < 8:  # the first method is detached, and nothing else happens to it
            action = "detach" if number == 4 else "renew" if number < 4 else "expire"
            stripe_simulator.dashboard_method(action, str(method.token))
        hear(method, event_id)

    results = together(12, act)
    assert [each for each in results if isinstance(each, Exception)] == []
    with pytest.raises(NotFound):
        shown(made[0])
    for method in made[1:]:
        assert card(shown(method)) == card_there(stripe_simulator, method)
    assert len(defaults(customer)) == 1
