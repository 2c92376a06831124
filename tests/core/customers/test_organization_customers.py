"""Customers of an organization, by its own credentials.

Source: docs/data-model.md, sections 3 and 6.
"""

from collections.abc import Callable
from typing import Any, cast

import pytest

from bridge.bodies.customer import NewCustomer
from bridge.bodies.payment_method import NewMethod
from bridge.core.customers import listing, organization_customers, user_customers
from bridge.core.wallet import payment_methods
from bridge.errors import Conflict, NotAuthenticated, NotFound
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerFields
from bridge.models.page import CursorPage, OffsetPage
from bridge.store.jobs import due_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import KEY, STRANGER, USER, run_context, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
OTHER = Caller(key_of="org_789")
Later = Callable[[float], None]


def created(claim: organization_customers.Claim = "required", **fields: Any) -> Customer:
    return organization_customers.create(
        KEY, cast(CustomerFields, fields), claim, run_context()
    ).customer


def updated(customer: Customer, **fields: Any) -> Customer:
    return organization_customers.update(KEY, customer.id, lambda _: cast(CustomerFields, fields))


def stored(customer: Customer) -> Customer:
    return organization_customers.get(KEY, customer.id)


def test_create_stores_json_exactly_as_sent() -> None:
    json = {"z": None, "a": [1, {"b": 1.50}], "big": 10**40, "nested": {"no": None}}
    customer = created(metadata=json, address={"zip": "1", "country": "GB", "own": None}, name="J")
    assert stored(customer) == customer
    assert list(stored(customer).metadata) == list(json)
    assert stored(customer).metadata == json
    assert list(stored(customer).address or {}) == ["zip", "country", "own"]


def test_create_update_and_delete_call_no_provider(stripe_simulator: StripeSimulator) -> None:
    customer = updated(created(email="not an address", name="J"), name="K")
    organization_customers.delete(KEY, customer.id)
    assert not stripe_simulator.requests


def test_customers_are_visible_to_their_organization_only() -> None:
    customer = created(name="J", external_id="crm-1")
    assert user_customers.get_customer(USER, customer.id) == customer  # a member, in the native API
    for caller in (OTHER, STRANGER):
        with pytest.raises(NotFound):
            organization_customers.get(caller, customer.id)
    with pytest.raises(NotFound):
        organization_customers.get_by_external_id(OTHER, "crm-1")
    with pytest.raises(NotAuthenticated):
        organization_customers.create(USER, CustomerFields(), "required", run_context())


def test_a_customer_of_the_native_api_can_be_changed_and_deleted() -> None:
    new = NewCustomer.model_validate(
        {"provider_id": "stripe", "name": "Jane", "organization_id": "org_456"}
    )
    native = user_customers.create_customer(USER, new, run_context()).customer
    after = updated(native, description="a word", metadata={"k": "v"})
    seen = user_customers.get_customer(USER, native.id)
    assert seen == after
    assert (seen.provider_customer_id, seen.email) == (native.provider_customer_id, native.email)
    organization_customers.delete(KEY, native.id)
    with pytest.raises(NotFound):
        user_customers.get_customer(USER, native.id)


def test_update_changes_only_the_fields_sent_and_none_clears() -> None:
    customer = created(name="J", email="a@b.test", phone="1", metadata={"k": 1})
    after = updated(customer, phone=None, email="c@d.test")
    assert (after.name, after.phone, after.email, after.metadata) == (
        "J",
        None,
        "c@d.test",
        {"k": 1},
    )
    assert after.version == customer.version + 1
    assert stored(customer) == after


def test_update_without_a_difference_writes_nothing_unless_touches(later: Later) -> None:
    customer = created(name="J", metadata={"k": True})
    later(10)
    assert updated(customer, name="J") == customer
    assert updated(customer, metadata={"k": 1}).metadata == {"k": 1}
    seen = stored(customer)
    after = organization_customers.update(
        KEY, customer.id, lambda _: CustomerFields(), touches=True
    )
    assert (after.version, after.updated_at > seen.updated_at) == (seen.version + 1, True)


@pytest.mark.parametrize(
    ("before", "change", "name"),
    [
        ({"first_name": "A", "last_name": "B"}, {}, "A B"),
        ({"first_name": "A", "last_name": "B"}, {"last_name": "C"}, "A C"),
        ({"first_name": "A", "last_name": "B"}, {"first_name": None, "last_name": None}, None),
        ({"first_name": "A", "name": "Own"}, {"first_name": "Z"}, "Own"),
        ({"name": "Own"}, {"name": None, "first_name": "Z"}, None),
        ({}, {"first_name": "Z"}, "Z"),
    ],
)
def test_update_derives_the_name_again_unless_it_was_written(
    before: dict[str, Any], change: dict[str, Any], name: str | None
) -> None:
    assert updated(created(**before), **change).name == name


def test_updates_at_once_each_plan_on_the_newest_customer() -> None:
    customer = created(metadata={})

    def add(number: int) -> Customer:
        def plan(seen: Customer) -> CustomerFields:
            return CustomerFields(metadata=seen.metadata | {str(number): number})

        return organization_customers.update(KEY, customer.id, plan)

    results = together(3, add)
    assert all(isinstance(each, Customer) for each in results), results
    assert stored(customer).metadata == {"0": 0, "1": 1, "2": 2}


def test_a_deleted_customer_is_still_returned_but_cannot_change(later: Later) -> None:
    customer = created(name="J", email="j@b.test")
    deleted = organization_customers.delete(KEY, customer.id)
    assert (deleted.state, deleted.name, deleted.version) == ("deleted", "J", 2)
    assert stored(customer) == deleted
    later(5)
    assert organization_customers.delete(KEY, customer.id) == deleted
    with pytest.raises(Conflict) as refused:
        updated(customer, name="K")
    assert refused.value.code == "customer_deleted"
    assert listing.by_offset(KEY, OffsetPage(limit=5)).total == 0
    assert not listing.by_cursor(KEY, CursorPage(limit=5)).records
    due = [due for each in due_items.shards() for due in due_items.list_due(each, 2**40)]
    assert [each.kind for each in due] == ["job"]


def test_deletions_at_once_delete_once_and_count_once() -> None:
    customer = created()
    results = together(4, lambda _: organization_customers.delete(KEY, customer.id))
    assert len({each.deleted_at for each in results}) == 1, results
    assert listing.by_offset(KEY, OffsetPage(limit=5)).total == 0


def test_a_required_external_id_is_unique_in_its_organization() -> None:
    customer = created(external_id="crm/1 ü")
    assert organization_customers.get_by_external_id(KEY, "crm/1 ü") == customer
    with pytest.raises(Conflict) as refused:
        created(external_id="crm/1 ü")
    assert refused.value.code == "external_id_taken"
    other = created(external_id="CRM/1 ü")
    with pytest.raises(Conflict):
        updated(other, external_id="crm/1 ü")
    assert updated(customer, external_id="crm/1 ü") == customer
    fields = CustomerFields(external_id="crm/1 ü")
    organization_customers.create(OTHER, fields, "required", run_context())


def test_an_external_id_if_free_is_claimed_by_the_first_customer_only() -> None:
    first, second = (created("if_free", external_id="erp-77", name=name) for name in "AB")
    assert (first.claims_external_id, second.claims_external_id) == (True, False)
    assert second.external_id == "erp-77"
    assert organization_customers.get_by_external_id(KEY, "erp-77") == first
    with pytest.raises(Conflict):
        created(external_id="erp-77")
    organization_customers.delete(KEY, first.id)
    with pytest.raises(NotFound):
        organization_customers.get_by_external_id(KEY, "erp-77")
    assert updated(second, external_id="erp-77").claims_external_id
    assert organization_customers.get_by_external_id(KEY, "erp-77").id == second.id


def test_update_releases_the_old_external_id_and_claims_the_new_one() -> None:
    customer = updated(created(external_id="old"), external_id="new")
    assert created(external_id="old").claims_external_id
    assert organization_customers.get_by_external_id(KEY, "new") == customer
    assert not updated(customer, external_id=None).claims_external_id
    assert created(external_id="new").claims_external_id


def test_creations_at_once_with_one_external_id_make_one_customer() -> None:
    results = together(6, lambda _: created(external_id="crm-1"))
    assert sum(isinstance(each, Customer) for each in results) == 1
    assert listing.by_offset(KEY, OffsetPage(limit=9)).total == 1


def test_one_idempotency_key_creates_one_customer_and_returns_it_again() -> None:
    def create(name: str = "J", fingerprint: str = "f") -> tuple[Customer, bool]:
        run = run_context("key-1", fingerprint=fingerprint)
        result = organization_customers.create(KEY, CustomerFields(name=name), "required", run)
        return result.customer, result.replayed

    first, replayed = create()
    assert not replayed
    updated(first, name="K")
    assert create() == (first, True)
    with pytest.raises(Conflict) as refused:
        create(fingerprint="g")
    assert refused.value.code == "idempotency_key_reused"
    results = together(4, lambda _: create())
    assert {each[0].id for each in results} == {first.id}
    assert listing.by_offset(KEY, OffsetPage(limit=5)).total == 1


def test_list_methods_finds_the_customer_by_our_id_or_by_external_id() -> None:
    first, second = created(external_id="crm-1"), created()
    attached = NewMethod.model_validate({"token": "pm_card_visa", "customer_id": first.id})
    saved = payment_methods.create_method(USER, attached, run_context()).method
    page = OffsetPage(limit=10)
    by_id_or_external_id = ((first.id, "nothing"), (None, "crm-1"), ("cust_nobody", "crm-1"))
    for customer_id, external_id in by_id_or_external_id:
        found = organization_customers.list_methods(KEY, customer_id, external_id, page)
        assert [each.id for each in found.methods] == [saved.id]
        assert (found.customer_uid, found.methods[0].token) == (first.uid, None)
    assert organization_customers.list_methods(KEY, second.id, "crm-1", page).methods == []
    for caller, external_id in ((OTHER, "crm-1"), (KEY, "crm-2")):
        with pytest.raises(NotFound):
            organization_customers.list_methods(caller, "cust_nobody", external_id, page)
    with pytest.raises(NotFound):
        organization_customers.list_methods(OTHER, first.id, "crm-1", page)
    organization_customers.delete(KEY, first.id)
    assert organization_customers.list_methods(KEY, first.id, "crm-1", page).methods == []
    with pytest.raises(NotFound):
        organization_customers.list_methods(KEY, None, "crm-1", page)
