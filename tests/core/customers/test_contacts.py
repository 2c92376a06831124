"""Contacts of a customer. Source: docs/api/alternative.md, section 6."""

import pytest

from bridge.bodies.contact import NewCustomerUser
from bridge.core.customers import contacts, organization_customers
from bridge.errors import Conflict, InvalidRequest, NotFound
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerFields
from bridge.models.page import CursorPage
from tests.conftest import KEY, run_context

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
OTHER = Caller(key_of="org_789")


def created() -> Customer:
    return organization_customers.create(KEY, CustomerFields(), "required", run_context()).customer


def test_contacts_are_added_and_listed_newest_first() -> None:
    customer, other = created(), created()
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


def test_add_reads_the_request_only_after_the_customer_is_found() -> None:
    def refuse() -> NewCustomerUser:
        raise InvalidRequest("no")

    for caller, customer_id in ((OTHER, created().id), (KEY, "cust_nobody")):
        with pytest.raises(NotFound):
            contacts.add(caller, customer_id, refuse)
    with pytest.raises(InvalidRequest):
        contacts.add(KEY, created().id, refuse)


def test_a_customer_that_is_deleted_while_a_contact_is_added_is_a_conflict() -> None:
    customer = created()

    def delete_meanwhile() -> NewCustomerUser:
        organization_customers.delete(KEY, customer.id)
        return NewCustomerUser(email="rosa@harbor.example")

    with pytest.raises(Conflict) as refused:
        contacts.add(KEY, customer.id, delete_meanwhile)
    assert refused.value.code == "customer_deleted"
    assert contacts.by_cursor(KEY, customer.id, CursorPage(limit=9)).records == []
