"""Many at once, and crashes: at most one default, no method twice. Source: bridge.md section 5."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from bridge.core.customers import user_customers
from bridge.core.wallet import addresses, payment_methods
from bridge.core.workers import deletion
from bridge.errors import BridgeError, InvalidRequest, NotFound
from bridge.models.address import Address, AddressChange, NewAddress
from bridge.models.customer import Customer, NewCustomer
from bridge.models.page import Page
from bridge.models.payment_method import MethodChange, NewMethod, PaymentMethod
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.wallet import address_items, method_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, run_context, sweep_run, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
MANY = 8  # each costs up to as many rounds


@pytest.fixture
def customer() -> Customer:
    new = NewCustomer(provider_id="stripe", email="jane@example.com")
    return user_customers.create_customer(USER, new, run_context()).customer


def attach(customer: Customer, token: str = "pm_card_visa", **more: Any) -> PaymentMethod:
    new = NewMethod(token=token, customer_id=customer.id, **more)
    return payment_methods.create_method(USER, new, run_context()).method


def held(customer: Customer) -> list[PaymentMethod]:
    stored = customer_items.get(customer.id)
    assert stored
    return method_items.list_of_customer(stored, Page())


def defaults(customer: Customer) -> list[str]:
    return [each.id for each in held(customer) if each.is_default]


def failures(results: list[Any]) -> list[Any]:
    return [each for each in results if isinstance(each, Exception)]


@pytest.mark.race
def test_of_many_that_are_attached_at_once_one_is_the_default(
    dynamodb_local: None, customer: Customer
) -> None:
    made = together(MANY, lambda _: attach(customer))
    assert failures(made) == []
    assert len(held(customer)) == MANY
    assert defaults(customer) == [each.id for each in made if each.is_default]
    assert len(defaults(customer)) == 1


@pytest.mark.race
def test_of_many_that_are_chosen_at_once_one_is_the_default(
    dynamodb_local: None, customer: Customer
) -> None:
    made = [attach(customer) for _ in range(4)]
    chosen = together(MANY, lambda n: payment_methods.set_default(USER, made[n % 4].id))
    assert failures(chosen) == []
    assert len(defaults(customer)) == 1


@pytest.mark.race
def test_many_deletions_choices_and_attachments_leave_one_default_that_is_there(
    dynamodb_local: None, customer: Customer
) -> None:
    made = [attach(customer) for _ in range(5)]

    def act(number: int) -> object:
        if number < 3:
            payment_methods.delete_method(USER, made[number].id)
            return None
        if number < 6:
            return payment_methods.set_default(USER, made[number - 2].id)
        return attach(customer)

    results = together(MANY, act)
    assert {type(each) for each in failures(results)} <= {NotFound}, "chosen after its deletion"
    left = {each.id for each in held(customer)}
    assert left.isdisjoint(each.id for each in made[:3])
    assert len(left) == 2 + 2
    assert len(defaults(customer)) == 1
    for each in list(left):
        payment_methods.delete_method(USER, each)
        assert len(defaults(customer)) == bool(held(customer))


@pytest.mark.race
def test_all_that_is_deleted_at_once_is_deleted_once(
    dynamodb_local: None, customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    made = [attach(customer) for _ in range(4)]
    results = together(MANY, lambda n: payment_methods.delete_method(USER, made[n % 4].id))
    assert len(failures(results)) == MANY - 4
    assert {type(each) for each in failures(results)} == {NotFound}
    assert deletion.finish_due(sweep_run()).finished == 4
    assert [each for each in stripe_simulator.world.methods.values() if each.customer] == []
    assert [dynamodb.get(keys.method_token(each.id)) for each in made] == [None] * 4


@pytest.mark.race
def test_a_token_that_is_saved_by_many_at_once_is_one_method(
    dynamodb_local: None, customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    token = str(stripe_simulator.seed_method("pm_from_the_browser", None)["id"])
    made = together(MANY, lambda _: attach(customer, token))
    assert failures(made) == []
    assert len({each.id for each in made}) == len(held(customer)) == 1


@pytest.mark.race
def test_a_customer_that_is_deleted_meanwhile_holds_nothing_in_the_end(
    dynamodb_local: None, customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    attach(customer)

    def act(number: int) -> object:
        if number == 0:
            user_customers.delete_customer(USER, customer.id)
            return None
        return attach(customer)

    results = together(MANY, act)
    assert all(isinstance(each, BridgeError) for each in failures(results))
    assert deletion.finish_due(sweep_run()).failed == 0
    assert [each for each in stripe_simulator.world.methods.values() if each.customer] == []
    walked, _ = method_items.walk_customer(customer.id, None, 100)
    assert {each.state for each in walked} == {"deleted"}
    assert payment_methods.list_methods(USER, Page()) == []


@pytest.mark.race
def test_of_many_addresses_one_of_a_type_is_the_default(
    dynamodb_local: None, customer: Customer
) -> None:
    def make(number: int) -> Address:
        kind = "billing" if number % 2 else "shipping"
        new = NewAddress(
            customer_id=customer.id,
            type=kind,
            line1="1 Main Street",
            city="Springfield",
            country="US",
            is_default=True,
        )
        return addresses.create_address(USER, new, run_context()).address

    made = together(MANY, make)
    assert failures(made) == []

    def act(number: int) -> object:
        if number < 4:
            addresses.delete_address(USER, made[number].id)
            return None
        return addresses.update_address(USER, made[number].id, AddressChange(is_default=True))

    assert failures(together(MANY, act)) == []
    stored = customer_items.get(customer.id)
    assert stored
    shown = address_items.list_of_customer(stored, Page())
    assert len(shown) == MANY - 4
    assert sorted(each.type for each in shown if each.is_default) == ["billing", "shipping"]


@pytest.mark.race
def test_no_method_ends_up_with_an_address_that_was_deleted_meanwhile(
    dynamodb_local: None, customer: Customer
) -> None:
    home = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
    new = NewAddress.model_validate(home | {"customer_id": customer.id})
    address = addresses.create_address(USER, new, run_context()).address
    saved = [attach(customer, billing_address_id=address.id) for _ in range(2)]
    later = [attach(customer) for _ in range(MANY - 4)]
    naming = MethodChange(billing_address_id=address.id)

    def act(number: int) -> object:
        if number == 0:
            addresses.delete_address(USER, address.id)
            return None
        if number == 1:
            return payment_methods.update_method(USER, saved[0].id, MethodChange(alias="x"))
        return payment_methods.update_method(USER, later[number - 2].id, naming)

    results = together(MANY - 2, act)
    assert all(isinstance(each, InvalidRequest) for each in failures(results)), results
    assert {each.billing_address_id for each in held(customer)} == {None}
    assert [each.alias for each in held(customer)].count("x") == 1


def test_an_address_that_goes_while_the_provider_attaches_is_refused(
    customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    home = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
    new = NewAddress.model_validate(home | {"customer_id": customer.id})
    address = addresses.create_address(USER, new, run_context()).address
    stripe_simulator.fault("attach", "slow", ms=2000)

    def act(number: int) -> object:
        if number == 0:
            return attach(customer, billing_address_id=address.id)
        while stripe_simulator.requests[-1].operation != "attach":
            time.sleep(0.01)
        addresses.delete_address(USER, address.id)
        return None

    refused, _ = together(2, act)
    assert isinstance(refused, InvalidRequest)
    assert held(customer) == []


def test_an_address_of_more_methods_than_a_transaction_takes_can_be_deleted(
    customer: Customer,
) -> None:
    home = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
    new = NewAddress.model_validate(home | {"customer_id": customer.id})
    address = addresses.create_address(USER, new, run_context()).address
    for _ in range(addresses.AT_ONCE + 12):
        attach(customer, billing_address_id=address.id)
    addresses.delete_address(USER, address.id)
    assert {each.billing_address_id for each in held(customer)} == {None}


def test_a_write_that_is_lost_after_the_provider_said_yes_is_made_by_the_retry(
    customer: Customer, stripe_simulator: StripeSimulator, lose_writes: Callable[[], None]
) -> None:
    token = str(stripe_simulator.seed_method("pm_from_the_browser", None)["id"])
    lose_writes()
    with pytest.raises(BridgeError):
        attach(customer, token)
    assert stripe_simulator.world.methods[token].customer
    assert held(customer) == []
    assert attach(customer, token) == held(customer)[0]


@pytest.fixture
def lose_writes() -> Any:
    """Let the tries of the next transaction meet a store that is busy."""
    events = dynamodb.client().meta.events
    left = [0]

    def busy(**_: object) -> None:
        if left[0]:
            left[0] -= 1
            raise BotoCoreError

    def lose() -> None:
        left[0] = 1

    events.register("before-call.dynamodb.TransactWriteItems", busy)
    yield lose
    events.unregister("before-call.dynamodb.TransactWriteItems", busy)


def test_a_change_of_anything_else_does_not_choose(customer: Customer) -> None:
    first, second = attach(customer), attach(customer)
    payment_methods.set_default(USER, second.id)
    changed = payment_methods.update_method(USER, first.id, MethodChange(alias="x"))
    assert not changed.is_default
    assert defaults(customer) == [second.id]
