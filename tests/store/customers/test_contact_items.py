"""Contacts of a customer. Source: docs/data-model.md, sections 2 and 3."""

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.customer import Customer, CustomerUser
from bridge.models.page import CursorPage
from bridge.store.customers import contact_items, customer_items
from tests.store.conftest import NOW, customer

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def stored(tables: None) -> Customer:
    made = customer(id="cust_1", organization_id="org_1")
    customer_items.insert(made, None)
    return made


def contact(number: int, customer_id: str = "cust_1") -> CustomerUser:
    return CustomerUser(
        id=f"usr_{number}",
        customer_id=customer_id,
        email="rosa@harbor.example",
        first_name="Rosa",
        created_at=clock.now(),
    )


def added(count: int) -> list[CustomerUser]:
    """Oldest first."""
    made = [contact(number) for number in range(count)]
    for each in made:
        contact_items.insert(each)
    return made


def test_insert_and_list_return_a_contact_exactly_and_print_no_personal_data(
    stored: Customer,
) -> None:
    (made,) = added(1)
    assert contact_items.list_by_cursor("cust_1", CursorPage(limit=5)).records == [made]
    assert "rosa" not in repr(made).lower()


def test_insert_for_an_unknown_or_deleted_customer_raises_customer_deleted(
    stored: Customer,
) -> None:
    with pytest.raises(contact_items.CustomerDeleted):
        contact_items.insert(contact(1, "cust_2"))
    deleted = replace(stored, state="deleted")
    customer_items.delete(stored, deleted, "job_1", NOW)
    with pytest.raises(contact_items.CustomerDeleted):
        contact_items.insert(contact(1))
    assert contact_items.list_by_cursor("cust_1", CursorPage(limit=5)).records == []


def test_list_by_cursor_returns_pages_newest_first_in_both_directions(stored: Customer) -> None:
    rows = added(5)[::-1]
    first = contact_items.list_by_cursor("cust_1", CursorPage(limit=2))
    assert (first.records, first.has_next, first.has_previous) == (rows[:2], True, False)
    after = contact_items.list_by_cursor("cust_1", CursorPage(limit=2, after="3"))
    assert (after.records, after.has_next, after.has_previous) == (rows[2:4], True, True)
    before = contact_items.list_by_cursor("cust_1", CursorPage(limit=5, before="2"))
    assert (before.records, before.has_next, before.has_previous) == (rows[:2], True, False)
    assert contact_items.list_by_cursor("cust_2", CursorPage(limit=2)).records == []
