"""Changes in a wallet: tried again after a version conflict."""

import pytest
from msgspec.structs import replace

from bridge.bodies.customer import NewCustomer
from bridge.bodies.payment_method import MethodChange
from bridge.core.customers import user_customers
from bridge.core.wallet import optimistic_update, payment_methods
from bridge.errors import Forbidden, NotFound, TemporarilyUnavailable
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.payment_method import PaymentMethod
from bridge.store.dynamodb import VersionConflict
from bridge.store.wallet import method_items
from tests.conftest import STRANGER, USER, run_context
from tests.core.wallet.conftest import attach

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def find(caller: Caller, method_id: str) -> tuple[PaymentMethod, Customer]:
    method, customer = method_items.get(method_id)
    if method is None or customer is None:
        raise NotFound
    return method, customer


def set_alias(method: PaymentMethod, customer: Customer) -> PaymentMethod:
    after = replace(method, alias="work", is_default=True)
    method_items.update(method, after, customer)
    return after


def test_change_after_a_version_conflict_acts_on_the_newer_record(customer: Customer) -> None:
    attach(customer)
    method = attach(customer)
    versions = []

    def act(found: PaymentMethod, owner: Customer) -> PaymentMethod:
        versions.append(owner.version)
        if len(versions) == 1:  # another request changes the customer after the read
            attach(customer)
        return set_alias(found, owner)

    after = optimistic_update.change(USER, method.id, find, act, "payment methods")
    assert len(versions) == 2
    assert versions[1] == versions[0] + 1
    assert payment_methods.get_method(USER, method.id) == after


def test_change_that_always_conflicts_is_temporarily_unavailable(customer: Customer) -> None:
    method, tries = attach(customer), []

    def act(found: PaymentMethod, owner: Customer) -> PaymentMethod:
        tries.append(owner.version)
        raise VersionConflict(found.id)

    with pytest.raises(TemporarilyUnavailable) as refused:
        optimistic_update.change(USER, method.id, find, act, "payment methods")
    assert len(tries) == optimistic_update.WALLET_WRITE_TRIES
    assert str(refused.value) == "the customer's payment methods are contended"
    assert refused.value.retry_after == 1


def test_change_of_a_record_that_is_deleted_meanwhile_is_not_found(customer: Customer) -> None:
    method = attach(customer)

    def act(found: PaymentMethod, owner: Customer) -> PaymentMethod:
        payment_methods.delete_method(USER, found.id)
        return set_alias(found, owner)

    def find_active(caller: Caller, method_id: str) -> tuple[PaymentMethod, Customer]:
        return payment_methods.get_method(caller, method_id), find(caller, method_id)[1]

    with pytest.raises(NotFound):
        optimistic_update.change(USER, method.id, find_active, act, "payment methods")


def test_change_by_a_member_who_only_reads_is_forbidden() -> None:
    new = NewCustomer.model_validate(
        {"provider_id": "stripe", "email": "jane@example.com", "organization_id": "org_456"}
    )
    shared = user_customers.create_customer(USER, new, run_context()).customer
    method = attach(shared)
    member = replace(STRANGER, organizations={"org_456": "member"})
    with pytest.raises(Forbidden):
        optimistic_update.change(member, method.id, find, set_alias, "payment methods")
    assert payment_methods.get_method(USER, method.id).alias is None
    with pytest.raises(Forbidden):
        payment_methods.update_method(member, method.id, MethodChange(alias="x"))
