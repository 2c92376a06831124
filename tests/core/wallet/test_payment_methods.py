"""Payment methods: requests at once and crashes. At most one default, no method twice.

Source: docs/api/native.md, section 5.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from bridge.bodies.address import NewAddress
from bridge.bodies.payment_method import MethodChange
from bridge.core.customers import user_customers
from bridge.core.wallet import addresses, payment_methods
from bridge.core.workers import deletion
from bridge.errors import (
    BridgeError,
    InvalidRequest,
    NotFound,
)
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.page import Page
from bridge.store import dynamodb, keys
from bridge.store.wallet import method_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import STRANGER, USER, run_context, sweep_run, together
from tests.core.wallet.conftest import HOME, MANY, attach, failures, saved_methods

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def defaults(customer: Customer) -> list[str]:
    return [each.id for each in saved_methods(customer) if each.is_default]


@pytest.fixture
def lose_writes() -> Any:
    """Let the next transaction fail with all its tries, as with a busy store."""
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


@pytest.mark.race
def test_methods_attached_at_once_have_one_default(
    dynamodb_local: None, customer: Customer
) -> None:
    made = together(MANY, lambda _: attach(customer))
    assert failures(made) == []
    assert len(saved_methods(customer)) == MANY
    assert defaults(customer) == [each.id for each in made if each.is_default]
    assert len(defaults(customer)) == 1


@pytest.mark.race
def test_set_default_at_once_leaves_one_default(dynamodb_local: None, customer: Customer) -> None:
    made = [attach(customer) for _ in range(4)]
    chosen = together(MANY, lambda n: payment_methods.set_default(USER, made[n % 4].id))
    assert failures(chosen) == []
    assert len(defaults(customer)) == 1


@pytest.mark.race
def test_deletions_defaults_and_attachments_at_once_leave_one_active_default(
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
    assert {type(each) for each in failures(results)} <= {NotFound}, (
        "made default after its deletion"
    )
    left = {each.id for each in saved_methods(customer)}
    assert left.isdisjoint(each.id for each in made[:3])
    assert len(left) == 2 + 2
    assert len(defaults(customer)) == 1
    for each in list(left):
        payment_methods.delete_method(USER, each)
        assert len(defaults(customer)) == bool(saved_methods(customer))


@pytest.mark.race
def test_deletions_at_once_delete_and_detach_each_method_once(
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
def test_one_token_attached_at_once_is_saved_once(
    dynamodb_local: None, customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    token = str(stripe_simulator.seed_method("pm_from_the_browser", None)["id"])
    made = together(MANY, lambda _: attach(customer, token))
    assert failures(made) == []
    assert len({each.id for each in made}) == len(saved_methods(customer)) == 1


@pytest.mark.race
def test_a_customer_deleted_while_methods_are_attached_keeps_none(
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


@pytest.mark.slow
def test_attach_with_an_address_deleted_meanwhile_is_refused(
    customer: Customer, stripe_simulator: StripeSimulator
) -> None:
    new = NewAddress.model_validate(HOME | {"customer_id": customer.id})
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
    assert saved_methods(customer) == []


def test_a_retry_saves_the_method_that_a_failed_write_left_attached_at_the_provider(
    customer: Customer, stripe_simulator: StripeSimulator, lose_writes: Callable[[], None]
) -> None:
    token = str(stripe_simulator.seed_method("pm_from_the_browser", None)["id"])
    lose_writes()
    with pytest.raises(BridgeError):
        attach(customer, token)
    assert stripe_simulator.world.methods[token].customer
    assert saved_methods(customer) == []
    assert attach(customer, token) == saved_methods(customer)[0]


def test_update_of_another_field_does_not_change_the_default(customer: Customer) -> None:
    first, second = attach(customer), attach(customer)
    payment_methods.set_default(USER, second.id)
    changed = payment_methods.update_method(USER, first.id, MethodChange(alias="x"))
    assert not changed.is_default
    assert defaults(customer) == [second.id]


def test_resolve_returns_the_token_and_the_owner_of_a_saved_method(customer: Customer) -> None:
    saved = attach(customer)
    resolved = payment_methods.resolve(USER, saved.id, "stripe")
    assert resolved.token == saved.token
    assert resolved.customer
    assert resolved.customer.id == customer.id


@pytest.mark.parametrize("method_id", ["pm_card_visa", "a token with spaces"])
def test_resolve_takes_an_unknown_id_as_a_token_of_the_provider(method_id: str) -> None:
    assert payment_methods.resolve(USER, method_id, "stripe") == payment_methods.Resolved(method_id)


def test_resolve_is_not_found_for_strangers_guests_and_deleted_methods(customer: Customer) -> None:
    saved = attach(customer)
    for caller in (STRANGER, Caller(), Caller(guest_of=customer.id)):
        with pytest.raises(NotFound):
            payment_methods.resolve(caller, saved.id, "stripe")
    payment_methods.delete_method(USER, saved.id)
    with pytest.raises(NotFound):
        payment_methods.resolve(USER, saved.id, "stripe")


def test_resolve_refuses_a_method_at_another_provider_and_an_expired_card(
    customer: Customer, later: Callable[[float], None]
) -> None:
    saved = attach(customer)
    with pytest.raises(InvalidRequest) as refused:
        payment_methods.resolve(USER, saved.id, "paypal")
    assert refused.value.details == [("payment_method_id", "is a method at stripe")]
    later(20 * 365 * 24 * 3600)
    with pytest.raises(InvalidRequest) as refused:
        payment_methods.resolve(USER, saved.id, "stripe")
    assert refused.value.details == [("payment_method_id", "has expired")]
