"""Addresses: the use cases, and requests at once. Source: docs/api/native.md, section 5."""

import pytest
from msgspec.structs import replace

from bridge.bodies.address import AddressChange, NewAddress
from bridge.bodies.payment_method import MethodChange
from bridge.core.customers import user_customers
from bridge.core.wallet import addresses, payment_methods
from bridge.errors import Conflict, Forbidden, InvalidRequest, NotAuthenticated, NotFound
from bridge.models.address import Address
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.page import Page
from bridge.store.customers import customer_items
from bridge.store.wallet import address_items
from tests.conftest import STRANGER, USER, run_context, together
from tests.core.wallet.conftest import HOME, MANY, attach, failures, saved_methods

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def created(customer: Customer | None = None, **more: object) -> Address:
    given = {"customer_id": customer.id} if customer else {}
    new = NewAddress.model_validate(HOME | given | more)
    return addresses.create_address(USER, new, run_context()).address


def changed(address: Address, **fields: object) -> Address:
    change = AddressChange.model_validate(fields)
    return addresses.update_address(USER, address.id, change)


def test_create_address_without_a_customer_belongs_to_the_callers_own_customer(
    customer: Customer,
) -> None:
    address = created()
    assert address.customer_id == customer.id
    assert addresses.get_address(USER, address.id) == address


def test_create_address_with_an_unknown_or_anothers_customer_is_not_found(
    customer: Customer,
) -> None:
    for caller, customer_id in ((USER, "cust_nobody"), (STRANGER, customer.id)):
        new = NewAddress.model_validate(HOME | {"customer_id": customer_id})
        with pytest.raises(NotFound):
            addresses.create_address(caller, new, run_context())


def test_create_address_by_a_guest_or_a_member_who_only_reads_is_refused(
    customer: Customer,
) -> None:
    new = NewAddress.model_validate(HOME | {"organization_id": "org_456"})
    member = replace(USER, organizations={"org_456": "member"})
    with pytest.raises(Forbidden):
        addresses.create_address(member, new, run_context())
    with pytest.raises(NotAuthenticated):
        addresses.create_address(Caller(guest_of=customer.id), new, run_context())


def test_b17_create_address_with_one_key_is_replayed_and_with_another_body_a_conflict() -> None:
    new = NewAddress.model_validate(HOME)
    first = addresses.create_address(USER, new, run_context("key-1"))
    again = addresses.create_address(USER, new, run_context("key-1"))
    assert (again.address, first.replayed, again.replayed) == (first.address, False, True)
    with pytest.raises(Conflict) as refused:
        addresses.create_address(USER, new, run_context("key-1", fingerprint="g"))
    assert refused.value.code == "idempotency_key_reused"
    assert addresses.list_addresses(USER, Page()) == [first.address]


def test_update_address_changes_the_fields_sent_and_the_default_of_its_type() -> None:
    first, second = created(is_default=True), created()
    after = changed(second, city="Shelbyville", is_default=True)
    assert (after.city, after.line1, after.is_default) == ("Shelbyville", second.line1, True)
    assert not addresses.get_address(USER, first.id).is_default
    assert changed(second) == addresses.get_address(USER, second.id)


def test_update_address_with_another_customer_is_refused() -> None:
    address = created()
    with pytest.raises(InvalidRequest) as refused:
        changed(address, customer_id="cust_other")
    assert refused.value.code == "immutable_field"
    assert changed(address, customer_id=address.customer_id) == address


def test_get_address_is_not_found_for_strangers_guests_and_after_the_customers_deletion(
    customer: Customer,
) -> None:
    address = created()
    for caller in (STRANGER, Caller(guest_of=customer.id)):
        with pytest.raises(NotFound):
            addresses.get_address(caller, address.id)
    for unknown in ("addr_nobody", "no id"):
        with pytest.raises(NotFound):
            addresses.get_address(USER, unknown)
    user_customers.delete_customer(USER, customer.id)
    with pytest.raises(NotFound):
        addresses.get_address(USER, address.id)


def test_list_addresses_is_by_user_by_customer_or_by_organization(customer: Customer) -> None:
    own, shared = created(customer), created(organization_id="org_456")
    assert addresses.list_addresses(USER, Page()) == [shared, own]
    assert addresses.list_addresses(USER, Page(customer_id=customer.id)) == [own]
    assert addresses.list_addresses(USER, Page(organization_id="org_456")) == [shared]
    with pytest.raises(Forbidden):
        addresses.list_addresses(STRANGER, Page(organization_id="org_456"))


def test_delete_address_removes_it_from_the_methods_that_use_it(customer: Customer) -> None:
    address, other = created(), created()
    attach(customer, billing_address_id=address.id)
    attach(customer, billing_address_id=other.id)
    addresses.delete_address(USER, address.id)
    assert [each.billing_address_id for each in saved_methods(customer)] == [other.id, None]
    with pytest.raises(NotFound):
        addresses.delete_address(USER, address.id)


@pytest.mark.race
def test_addresses_created_and_deleted_at_once_have_one_default_of_each_type(
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
    left = address_items.list_of_customer(stored, Page())
    assert len(left) == MANY - 4
    assert sorted(each.type for each in left if each.is_default) == ["billing", "shipping"]


@pytest.mark.race
def test_methods_updated_while_an_address_is_deleted_do_not_keep_it(
    dynamodb_local: None, customer: Customer
) -> None:
    address = created(customer)
    saved = [attach(customer, billing_address_id=address.id) for _ in range(2)]
    others = [attach(customer) for _ in range(MANY - 4)]
    use_address = MethodChange(billing_address_id=address.id)

    def act(number: int) -> object:
        if number == 0:
            addresses.delete_address(USER, address.id)
            return None
        if number == 1:
            return payment_methods.update_method(USER, saved[0].id, MethodChange(alias="x"))
        return payment_methods.update_method(USER, others[number - 2].id, use_address)

    results = together(MANY - 2, act)
    assert all(isinstance(each, InvalidRequest) for each in failures(results)), results
    assert {each.billing_address_id for each in saved_methods(customer)} == {None}
    assert [each.alias for each in saved_methods(customer)].count("x") == 1


@pytest.mark.slow
def test_delete_address_of_more_methods_than_one_transaction_takes(
    customer: Customer,
) -> None:
    address = created(customer)
    for _ in range(addresses.METHODS_AT_ONCE + 12):
        attach(customer, billing_address_id=address.id)
    addresses.delete_address(USER, address.id)
    assert {each.billing_address_id for each in saved_methods(customer)} == {None}
