"""The customer for whom a payment is made at the provider (B18)."""

import msgspec
import pytest
from msgspec.structs import replace

from bridge.bodies.customer import GuestData, NewCustomer
from bridge.bodies.payment import NewPayment
from bridge.bodies.payment_method import NewMethod
from bridge.core.customers import organization_customers, payers, user_customers
from bridge.core.payments import create_payment
from bridge.core.wallet import payment_methods
from bridge.errors import Forbidden, InvalidRequest, NotFound
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerFields
from bridge.models.page import Page
from bridge.store import dynamodb
from bridge.store.customers import customer_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import KEY, STRANGER, USER, run_context, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
MEMBER = replace(USER, organizations={"org_456": "member"})
GUEST = GuestData(email="donor@example.com", name="John Doe")


def of_organization(**fields: object) -> Customer:
    new = msgspec.convert(fields, CustomerFields)
    return organization_customers.create(KEY, new, "required", run_context()).customer


def of_user(**more: object) -> Customer:
    new = {"provider_id": "stripe", "email": "jane@example.com"} | more
    asked = NewCustomer.model_validate(new)
    return user_customers.create_customer(USER, asked, run_context()).customer


def stored(customer: Customer) -> Customer:
    found = customer_items.get(customer.id)
    assert found
    return found


def payment(**more: object) -> NewPayment:
    return NewPayment.model_validate({"total_cents": 900, "currency": "USD"} | more)


def find(caller: Caller, owner: Customer | None = None, **more: object) -> payers.Payer:
    return payers.find(caller, payment(**more), owner, run_context())


def test_find_returns_nobody_for_a_guest_who_saves_nothing() -> None:
    assert find(Caller(), guest_data=GUEST) == payers.NOBODY


def test_find_makes_a_customer_for_a_guest_who_saves_the_method(
    stripe_simulator: StripeSimulator,
) -> None:
    payer = find(Caller(), guest_data=GUEST, setup_future_usage="off_session")
    assert payer.writes.keys() == {"customer", "customer_of_guest"}
    assert payer.customer_id
    there = stripe_simulator.world.customers[str(payer.provider_customer_id)]
    assert (there.email, there.name) == ("donor@example.com", "John Doe")
    dynamodb.transact(payer.writes)
    made = customer_items.get(payer.customer_id)
    assert made
    assert (made.is_guest, made.user_id) == (True, None)


def test_find_makes_a_users_own_customer_once_and_then_finds_it(
    stripe_simulator: StripeSimulator,
) -> None:
    first = find(USER)
    dynamodb.transact(first.writes)
    second = find(USER)
    assert second.writes.keys() == {"customer_lives"}
    assert (second.customer_id, second.provider_customer_id) == (
        first.customer_id,
        first.provider_customer_id,
    )
    assert len(stripe_simulator.customers()) == 1


def test_find_takes_the_customer_in_the_request_and_else_the_owner_of_the_method() -> None:
    own, other = of_user(), of_user()
    assert find(USER).customer_id == own.id
    assert find(USER, customer_id=other.id).customer_id == other.id
    assert find(USER, other).customer_id == other.id
    assert find(USER, other, customer_id=other.id).customer_id == other.id


def test_find_refuses_a_method_of_another_customer() -> None:
    own, other = of_user(), of_user()
    with pytest.raises(InvalidRequest) as refused:
        find(USER, other, customer_id=own.id)
    assert [each.field for each in refused.value.details] == ["payment_method_id"]


def test_find_refuses_a_customer_at_another_provider() -> None:
    customer = of_user()
    with pytest.raises(InvalidRequest) as refused:
        find(USER, customer_id=customer.id, provider_id="paypal")
    assert [each.field for each in refused.value.details] == ["customer_id"]


@pytest.mark.parametrize("customer_id", ["cust_nobody", "no id", "ü"])
def test_find_with_an_unknown_customer_is_not_found(customer_id: str) -> None:
    with pytest.raises(NotFound):
        find(USER, customer_id=customer_id)


def test_find_with_a_deleted_or_anothers_customer_is_not_found() -> None:
    customer = of_user()
    with pytest.raises(NotFound):
        find(STRANGER, customer_id=customer.id)
    user_customers.delete_customer(USER, customer.id)
    with pytest.raises(NotFound):
        find(USER, customer_id=customer.id)


def test_find_by_a_member_who_only_reads_is_forbidden() -> None:
    customer = of_organization(name="J")
    with pytest.raises(Forbidden):
        find(MEMBER, customer_id=customer.id)


def test_wallet_customer_of_many_requests_at_once_is_one_customer() -> None:
    query = payers.PayerQuery("stripe", None, None)
    results = together(4, lambda _: payers.wallet_customer(USER, query, run_context()))
    assert all(isinstance(each, Customer) for each in results), results
    assert len({each.id for each in results}) == 1
    assert len(user_customers.list_customers(USER, Page())) == 1


def test_wallet_customer_makes_a_new_one_after_the_deletion_of_the_users_own() -> None:
    query = payers.PayerQuery("stripe", None, None)
    first = payers.wallet_customer(USER, query, run_context())
    user_customers.delete_customer(USER, first.id)
    second = payers.wallet_customer(USER, query, run_context())
    assert second.id != first.id
    requested = payers.PayerQuery("stripe", None, first.id)
    with pytest.raises(NotFound):
        payers.wallet_customer(USER, requested, run_context())


def test_m6_a_payment_creates_the_customer_at_the_provider_without_values_it_refuses(
    stripe_simulator: StripeSimulator,
) -> None:
    """An e-mail that is not an address is not sent to the provider (M6)."""
    customer = of_organization(
        email="not an address",
        name="N" * 300,
        phone="0" * 30,
        metadata={"tier": "gold", "nested": {"a": [1]}, "nothing": None},
    )
    new = payment(customer_id=customer.id, organization_id="org_456")
    created = create_payment.create_payment_intent(USER, new, run_context()).payment
    linked = stored(customer)
    assert (created.customer_id, linked.provider_id) == (customer.id, "stripe")
    there = stripe_simulator.world.customers[str(linked.provider_customer_id)]
    assert (there.email, there.name, there.phone) == (None, "N" * 256, None)
    assert there.metadata == {"tier": "gold", "customer_id": customer.id}
    assert linked.email == "not an address"


def test_a_customer_is_listed_at_its_provider_after_it_is_created_there() -> None:
    customer = of_organization(name="Nadia")
    at_stripe = Page(limit=9, organization_id="org_456", provider_id="stripe")
    assert user_customers.list_customers(USER, at_stripe) == []
    method = NewMethod.model_validate({"token": "pm_card_visa", "customer_id": customer.id})
    payment_methods.create_method(USER, method, run_context())
    assert user_customers.list_customers(USER, at_stripe) == [stored(customer)]
