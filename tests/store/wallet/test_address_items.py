"""Addresses, their pointers, and the customer's default ones. Source: design/data-model.md 2."""

from typing import Any

import pytest

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
    return Address.model_validate(known | more)


@pytest.fixture(autouse=True)
def kept(tables: None) -> None:
    customer_items.insert(customer(id="cust_1", organization_id="org_1"), None)


def again() -> Customer:
    found = customer_items.get("cust_1")
    assert found
    return found


def keep(number: int, **more: object) -> Address:
    made = address(id=f"addr_{number}", uid=f"uid_{number}", **more)
    address_items.insert(made, again(), None)
    return made


def stored() -> list[dict[str, Any]]:
    items = database.client().scan(TableName=config.table_name("ledger"))["Items"]
    return [item for item in items if "addr_" in str(item) or item["pk"]["S"].startswith("A#")]


def ids(addresses: list[Address]) -> list[str]:
    return [each.id for each in addresses]


def test_an_address_comes_back_by_its_id_alone_and_is_printed_without_what_is_personal() -> None:
    made = keep(1, name="Jane Doe", line2="2nd floor", is_default=True)
    assert address_items.get("addr_1") == (made, again())
    for unknown in ("addr_nobody", "1", "xx_1", ""):
        assert address_items.get(unknown)[0] is None
    for personal in ("Jane", "Main", "2nd", "Springfield"):
        assert personal not in repr(made)


def test_lists_are_newest_first() -> None:
    for number in range(4):
        keep(number)
    newest = ["addr_3", "addr_2", "addr_1", "addr_0"]
    assert ids(address_items.list_of_user("user_1", Page())) == newest
    assert ids(address_items.list_of_organization("org_1", Page(limit=2, offset=1))) == newest[1:3]
    assert ids(address_items.list_of_customer(again(), Page(limit=3, offset=2))) == newest[2:]


def test_what_was_outrun_writes_nothing() -> None:
    seen = again()
    made = keep(1)
    before = stored()
    chosen = made.model_copy(update={"is_default": True, "updated_at": clock.now()})
    for act in (
        lambda: address_items.insert(address(id="addr_2", uid="uid_2"), seen, None),
        lambda: address_items.update(made, chosen, seen),
        lambda: address_items.delete(made, seen, [], clock.now()),
    ):
        with pytest.raises(dynamodb.VersionConflict):
            act()
    assert stored() == before


def test_the_default_is_the_customers_attribute_and_goes_with_its_address() -> None:
    made = keep(1, is_default=True)
    keep(2, type="shipping", is_default=True)
    assert again().default_billing_address_id == "addr_1"
    address_items.delete(made, again(), [], clock.now())
    told = (again().default_billing_address_id, again().default_shipping_address_id)
    assert told == (None, "addr_2")


def test_a_deleted_address_leaves_nothing() -> None:
    address_items.delete(keep(1), again(), [], clock.now())
    assert stored() == []


def test_a_deleted_customers_addresses_are_forgotten_page_by_page() -> None:
    for number in range(5):
        keep(number)
    assert [address_items.forget_page(again(), 2) for _ in range(3)] == [True, True, False]
    assert stored() == []
