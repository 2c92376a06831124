"""Addresses, their pointers and the customer's defaults.

Source: docs/data-model.md, sections 2 and 3.
"""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge import clock, config
from bridge.models.address import Address
from bridge.models.customer import Customer
from bridge.models.page import Page
from bridge.store import dynamodb
from bridge.store.customers import customer_items
from bridge.store.wallet import address_items
from local import database
from tests.store.conftest import customer

pytestmark = pytest.mark.usefixtures("tables")


def address(**more: object) -> Address:
    known = {
        "id": "addr_1",
        "uid": "uid_1",
        "customer_id": "cust_1",
        "type": "billing",
        "line1": "1 Main Street",
        "city": "Springfield",
        "country": "US",
        "created_at": clock.now(),
        "updated_at": clock.now(),
    }
    return msgspec.convert(known | more, Address)


@pytest.fixture(autouse=True)
def stored_customer(tables: None) -> None:
    customer_items.insert(customer(id="cust_1", organization_id="org_1"), None)


def current() -> Customer:
    found = customer_items.get("cust_1")
    assert found
    return found


def insert(number: int, **more: object) -> Address:
    made = address(id=f"addr_{number}", uid=f"uid_{number}", **more)
    address_items.insert(made, current(), None)
    return made


def stored() -> list[dict[str, Any]]:
    items = database.client().scan(TableName=config.table_name("ledger"))["Items"]
    return [item for item in items if "addr_" in str(item) or item["pk"]["S"].startswith("A#")]


def ids(addresses: list[Address]) -> list[str]:
    return [each.id for each in addresses]


def test_get_finds_an_address_by_its_id_and_prints_no_personal_data() -> None:
    made = insert(1, name="Jane Doe", line2="2nd floor", is_default=True)
    assert address_items.get("addr_1") == (made, current())
    for unknown in ("addr_nobody", "1", "xx_1", ""):
        assert address_items.get(unknown)[0] is None
    for personal in ("Jane", "Main", "2nd", "Springfield"):
        assert personal not in repr(made)


def test_lists_by_user_organization_and_customer_are_newest_first() -> None:
    for number in range(4):
        insert(number)
    newest = ["addr_3", "addr_2", "addr_1", "addr_0"]
    assert ids(address_items.list_of_user("user_1", Page())) == newest
    assert ids(address_items.list_of_organization("org_1", Page(limit=2, offset=1))) == newest[1:3]
    assert ids(address_items.list_of_customer(current(), Page(limit=3, offset=2))) == newest[2:]


def test_writes_with_an_older_customer_raise_version_conflict_and_write_nothing() -> None:
    seen = current()
    made = insert(1)
    before = stored()
    chosen = replace(made, is_default=True, updated_at=clock.now())
    for act in (
        lambda: address_items.insert(address(id="addr_2", uid="uid_2"), seen, None),
        lambda: address_items.update(made, chosen, seen),
        lambda: address_items.delete(made, seen, [], clock.now()),
    ):
        with pytest.raises(dynamodb.VersionConflict):
            act()
    assert stored() == before


def test_delete_of_a_default_address_clears_the_customers_default() -> None:
    made = insert(1, is_default=True)
    insert(2, type="shipping", is_default=True)
    assert current().default_billing_address_id == "addr_1"
    address_items.delete(made, current(), [], clock.now())
    defaults = (current().default_billing_address_id, current().default_shipping_address_id)
    assert defaults == (None, "addr_2")


def test_delete_removes_every_item_of_an_address() -> None:
    address_items.delete(insert(1), current(), [], clock.now())
    assert stored() == []


def test_forget_page_deletes_addresses_page_by_page() -> None:
    for number in range(5):
        insert(number)
    assert [address_items.forget_page(current(), 2) for _ in range(3)] == [True, True, False]
    assert stored() == []
