"""Customers that an organization's own keys keep. Source: design/data-model.md 3 and 6."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge import clock
from bridge.core.customers import contacts, listing, organization_customers, user_customers
from bridge.core.payments import create_payment
from bridge.core.wallet import payment_methods
from bridge.errors import Conflict, InvalidRequest, NotAuthenticated, NotFound, RateLimited
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerFields, NewCustomer, NewCustomerUser
from bridge.models.page import Counted, CursorPage, OffsetPage, Page
from bridge.models.payment import NewPayment
from bridge.models.payment_method import NewMethod
from bridge.store import dynamodb, keys
from bridge.store.jobs import due_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import KEY, STRANGER, USER, run_context, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
OTHER = Caller(key_of="org_789")
Later = Callable[[float], None]


def made(claim: organization_customers.Claim = "required", **fields: Any) -> Customer:
    return organization_customers.create(
        KEY, CustomerFields(**fields), claim, run_context()
    ).customer


def updated(customer: Customer, **fields: Any) -> Customer:
    return organization_customers.update(KEY, customer.id, lambda _: CustomerFields(**fields))


def stored(customer: Customer) -> Customer:
    return organization_customers.get(KEY, customer.id)


def test_what_was_sent_is_kept_to_the_letter() -> None:
    json = {"z": None, "a": [1, {"b": 1.50}], "big": 10**40, "nested": {"no": None}}
    customer = made(metadata=json, address={"zip": "1", "country": "GB", "own": None}, name="J")
    assert stored(customer) == customer
    assert list(stored(customer).metadata) == list(json)
    assert stored(customer).metadata == json
    assert list(stored(customer).address or {}) == ["zip", "country", "own"]


def test_no_provider_is_asked(stripe_simulator: StripeSimulator) -> None:
    customer = updated(made(email="not an address", name="J"), name="K")
    organization_customers.delete(KEY, customer.id)
    assert not stripe_simulator.requests


def test_whose_key_it_is_sees_it_and_nobody_else() -> None:
    customer = made(name="J", external_id="crm-1")
    assert user_customers.get_customer(USER, customer.id) == customer  # a member, by the native API
    for caller in (OTHER, STRANGER):
        with pytest.raises(NotFound):
            organization_customers.get(caller, customer.id)
    with pytest.raises(NotFound):
        organization_customers.get_by_external_id(OTHER, "crm-1")
    with pytest.raises(NotAuthenticated):
        organization_customers.create(USER, CustomerFields(), "required", run_context())


def test_a_customer_of_the_native_api_is_the_same_one() -> None:
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


def test_only_what_was_sent_changes_and_none_clears() -> None:
    customer = made(name="J", email="a@b.test", phone="1", metadata={"k": 1})
    after = updated(customer, phone=None, email="c@d.test")
    assert (after.name, after.phone, after.email, after.metadata) == (
        "J",
        None,
        "c@d.test",
        {"k": 1},
    )
    assert after.version == customer.version + 1
    assert stored(customer) == after


def test_an_update_of_nothing_writes_nothing_unless_it_is_to_be_seen(later: Later) -> None:
    customer = made(name="J", metadata={"k": True})
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
def test_a_name_made_of_first_and_last_follows_them(
    before: dict[str, Any], change: dict[str, Any], name: str | None
) -> None:
    assert updated(made(**before), **change).name == name


def test_an_update_is_made_of_the_newest_customer() -> None:
    customer = made(metadata={})

    def add(number: int) -> Customer:
        def plan(seen: Customer) -> CustomerFields:
            return CustomerFields(metadata=seen.metadata | {str(number): number})

        return organization_customers.update(KEY, customer.id, plan)

    results = together(3, add)
    assert all(isinstance(each, Customer) for each in results), results
    assert stored(customer).metadata == {"0": 0, "1": 1, "2": 2}


# --- deletion -----------------------------------------------------------------------------------


def test_a_deleted_customer_still_resolves_and_takes_nothing_new(later: Later) -> None:
    customer = made(name="J", email="j@b.test")
    gone = organization_customers.delete(KEY, customer.id)
    assert (gone.state, gone.name, gone.version) == ("deleted", "J", 2)
    assert stored(customer) == gone
    later(5)
    assert organization_customers.delete(KEY, customer.id) == gone
    with pytest.raises(Conflict) as refused:
        updated(customer, name="K")
    assert refused.value.code == "customer_deleted"
    assert listing.by_offset(KEY, OffsetPage(limit=5)).total == 0
    assert not listing.by_cursor(KEY, CursorPage(limit=5)).records
    due = [due for each in due_items.shards() for due in due_items.list_due(each, 2**40)]
    assert [each.kind for each in due] == ["job"]


def test_deletions_at_once_delete_once() -> None:
    customer = made()
    results = together(4, lambda _: organization_customers.delete(KEY, customer.id))
    assert len({each.deleted_at for each in results}) == 1, results
    assert listing.by_offset(KEY, OffsetPage(limit=5)).total == 0


# --- external ids -------------------------------------------------------------------------------


def test_an_external_id_is_unique_where_it_must_be() -> None:
    customer = made(external_id="crm/1 ü")
    assert organization_customers.get_by_external_id(KEY, "crm/1 ü") == customer
    with pytest.raises(Conflict) as refused:
        made(external_id="crm/1 ü")
    assert refused.value.code == "external_id_taken"
    other = made(external_id="CRM/1 ü")
    with pytest.raises(Conflict):
        updated(other, external_id="crm/1 ü")
    assert updated(customer, external_id="crm/1 ü") == customer
    fields = CustomerFields(external_id="crm/1 ü")
    organization_customers.create(OTHER, fields, "required", run_context())


def test_an_external_id_is_claimed_if_it_is_free() -> None:
    first, second = (made("if_free", external_id="erp-77", name=name) for name in "AB")
    assert (first.claims_external_id, second.claims_external_id) == (True, False)
    assert second.external_id == "erp-77"
    assert organization_customers.get_by_external_id(KEY, "erp-77") == first
    with pytest.raises(Conflict):
        made(external_id="erp-77")
    organization_customers.delete(KEY, first.id)
    with pytest.raises(NotFound):
        organization_customers.get_by_external_id(KEY, "erp-77")
    assert updated(second, external_id="erp-77").claims_external_id
    assert organization_customers.get_by_external_id(KEY, "erp-77").id == second.id


def test_a_change_frees_the_old_external_id_and_claims_the_new_one() -> None:
    customer = updated(made(external_id="old"), external_id="new")
    assert made(external_id="old").claims_external_id
    assert organization_customers.get_by_external_id(KEY, "new") == customer
    assert not updated(customer, external_id=None).claims_external_id
    assert made(external_id="new").claims_external_id


def test_of_equal_claims_at_once_one_is_made() -> None:
    results = together(6, lambda _: made(external_id="crm-1"))
    assert sum(isinstance(each, Customer) for each in results) == 1
    assert listing.by_offset(KEY, OffsetPage(limit=9)).total == 1


# --- the client's key ---------------------------------------------------------------------------


def test_one_key_makes_one_customer_and_tells_it_again() -> None:
    def create(name: str = "J", fingerprint: str = "f") -> tuple[Customer, bool]:
        call = run_context("key-1", fingerprint=fingerprint)
        told = organization_customers.create(KEY, CustomerFields(name=name), "required", call)
        return told.customer, told.replayed

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


# --- search -------------------------------------------------------------------------------------


def crowd(count: int) -> None:
    month = f"{clock.now():%Y-%m}"
    key = keys.customer_counter("org_456", month, 0)
    dynamodb.transact({"counter": dynamodb.add(key, count)})


def test_a_search_stops_where_it_would_read_too_much(later: Later) -> None:
    made(name="Nadia")
    page = OffsetPage(limit=5, search=" NAD ")
    assert listing.by_offset(KEY, page).total == 1
    crowd(10_000)
    results = together(6, lambda _: listing.by_offset(KEY, page))  # within two seconds
    assert {type(each) for each in results} == {Counted, RateLimited}
    later(2)
    crowd(40_000)
    with pytest.raises(InvalidRequest) as refused:
        listing.by_offset(KEY, page)
    assert refused.value.code == "search_unavailable"
    assert listing.by_offset(KEY, OffsetPage(limit=5, search="  ")).total == 50_001


def test_a_page_of_matches_is_cut_and_all_are_counted() -> None:
    rows = [made(name=f"Buyer {number}") for number in range(5)][::-1]
    made(name="Somebody")
    found = listing.by_offset(KEY, OffsetPage(limit=2, offset=1, search="buyer"))
    assert (found.records, found.total) == (rows[1:3], 5)
    found = listing.by_offset(KEY, OffsetPage(limit=2, search="buyer", newest_first=False))
    assert found.records == rows[::-1][:2]
    assert listing.by_offset(KEY, OffsetPage(limit=0)).total == 6


# --- the people at a customer's -----------------------------------------------------------------


def test_users_of_a_customer_are_added_and_listed_newest_first() -> None:
    customer, other = made(), made()
    new = NewCustomerUser(email="rosa@harbor.example", first_name="Rosa")
    users = [contacts.add(KEY, customer.id, lambda: new) for _ in range(3)][::-1]
    contacts.add(KEY, other.id, lambda: new)
    found = contacts.by_cursor(KEY, customer.id, CursorPage(limit=2))
    assert (found.records, found.has_next, found.has_previous) == (users[:2], True, False)
    organization_customers.delete(KEY, customer.id)
    assert contacts.by_cursor(KEY, customer.id, CursorPage(limit=9)).records == users
    with pytest.raises(Conflict) as refused:
        contacts.add(KEY, customer.id, lambda: new)
    assert refused.value.code == "customer_deleted"
    with pytest.raises(NotFound):
        contacts.by_cursor(OTHER, customer.id, CursorPage(limit=9))


def test_what_a_user_may_be_is_judged_once_the_customer_is_found() -> None:
    def refuse() -> NewCustomerUser:
        raise InvalidRequest("no")

    for caller, customer_id in ((OTHER, made().id), (KEY, "cust_nobody")):
        with pytest.raises(NotFound):
            contacts.add(caller, customer_id, refuse)
    with pytest.raises(InvalidRequest):
        contacts.add(KEY, made().id, refuse)


# --- at the provider ----------------------------------------------------------------------------


def test_a_payment_makes_the_customer_at_the_provider_with_what_that_takes(
    stripe_simulator: StripeSimulator,
) -> None:
    """D6 of contracts/monri.md: an e-mail that is no address never leaves us."""
    customer = made(
        email="not an address",
        name="N" * 300,
        phone="0" * 30,
        metadata={"tier": "gold", "nested": {"a": [1]}, "nothing": None},
    )
    new = NewPayment(
        total_cents=900, currency="USD", customer_id=customer.id, organization_id="org_456"
    )
    payment = create_payment.create_payment_intent(USER, new, run_context()).payment
    linked = stored(customer)
    assert (payment.customer_id, linked.provider_id) == (customer.id, "stripe")
    there = stripe_simulator.world.customers[str(linked.provider_customer_id)]
    assert (there.email, there.name, there.phone) == (None, "N" * 256, None)
    assert there.metadata == {"tier": "gold", "customer_id": customer.id}
    assert linked.email == "not an address"


def test_once_it_is_at_a_provider_it_is_listed_there() -> None:
    customer = made(name="Nadia")
    at_stripe = Page(limit=9, organization_id="org_456", provider_id="stripe")
    assert user_customers.list_customers(USER, at_stripe) == []
    method = NewMethod.model_validate({"token": "pm_card_visa", "customer_id": customer.id})
    payment_methods.create_method(USER, method, run_context())
    assert user_customers.list_customers(USER, at_stripe) == [stored(customer)]


def test_what_is_saved_is_listed_by_our_id_or_by_the_external_one() -> None:
    first, second = made(external_id="crm-1"), made()
    attached = NewMethod.model_validate({"token": "pm_card_visa", "customer_id": first.id})
    saved = payment_methods.create_method(USER, attached, run_context()).method
    page = OffsetPage(limit=10)
    for customer_id, name in ((first.id, "nothing"), (None, "crm-1"), ("cust_nobody", "crm-1")):
        found = organization_customers.list_methods(KEY, customer_id, name, page)
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
