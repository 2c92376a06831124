"""What payment methods and addresses have in common: found by id, listed by pointers.

Source: docs/data-model.md, sections 2 and 3.
"""

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.address import Address
from bridge.models.customer import Customer
from bridge.models.page import Page
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.dynamodb import NOTHING_PREFETCHED
from bridge.store.wallet import address_items, wallet_items
from bridge.store.wallet.address_items import KIND
from tests.store.conftest import NOW, Wire, customer

pytestmark = pytest.mark.usefixtures("tables")


def insert_customer(number: int = 1, **more: object) -> Customer:
    made = customer(id=f"cust_{number}", organization_id="org_1", **more)
    customer_items.insert(made, None)
    return made


def insert_address(number: int, owner: Customer) -> Address:
    address = Address(
        id=f"addr_{number}",
        uid=f"uid_{number}",
        customer_id=owner.id,
        type="billing",
        line1="1 Main Street",
        city="Springfield",
        country="US",
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    current = customer_items.get(owner.id)
    assert current
    address_items.insert(address, current, None)
    return address


def ids(records: list[tuple[dict[str, object], Customer]]) -> list[object]:
    return [item["id"] for item, _ in records]


def test_find_returns_item_customer_and_the_items_read_with_them_in_two_reads(wire: Wire) -> None:
    owner = insert_customer()
    insert_address(1, owner)
    other = keys.customer("cust_1")
    wire.watch("BatchGetItem")
    item, found, more = wallet_items.find(KIND, "addr_1", NOTHING_PREFETCHED, other)
    assert len(wire.requests) == 2
    assert item
    assert found
    assert (item["id"], found.id) == ("addr_1", "cust_1")
    assert (more[other] or {})["id"] == "cust_1"


def test_find_uses_prefetched_items() -> None:
    insert_address(1, insert_customer())
    owner_key = keys.address_owner("addr_1")
    item, found, _ = wallet_items.find(KIND, "addr_1", {owner_key: None})
    assert (item, found) == (None, None)
    item, _, _ = wallet_items.find(KIND, "addr_1", {owner_key: dynamodb.get(owner_key)})
    assert item


@pytest.mark.parametrize("identifier", ["addr_2", "pm_1", "1", ""])
def test_find_by_an_unknown_id_or_another_prefix_returns_none(identifier: str) -> None:
    insert_address(1, insert_customer())
    item, found, _ = wallet_items.find(KIND, identifier, NOTHING_PREFETCHED)
    assert (item, found) == (None, None)


def test_of_customer_returns_only_that_customers_records_newest_first() -> None:
    first, second = insert_customer(1), insert_customer(2)
    for number in range(3):
        insert_address(number, first)
    insert_address(9, second)
    items = wallet_items.of_customer(KIND, "cust_1")
    assert [item["id"] for item in items] == ["addr_2", "addr_1", "addr_0"]


def test_of_user_and_of_organization_leave_out_records_of_deleted_customers() -> None:
    first, second = insert_customer(1), insert_customer(2)
    insert_address(1, first)
    insert_address(2, second)
    assert ids(wallet_items.of_user(KIND, "user_1", Page())) == ["addr_2", "addr_1"]
    assert ids(wallet_items.of_organization(KIND, "org_1", Page(limit=1, offset=1))) == ["addr_1"]
    seen = customer_items.get("cust_2")
    assert seen
    customer_items.delete(seen, replace(seen, state="deleted"), "job_1", NOW)
    assert ids(wallet_items.of_user(KIND, "user_1", Page())) == ["addr_1"]
    assert ids(wallet_items.of_organization(KIND, "org_1", Page())) == ["addr_1"]


def test_of_user_can_be_narrowed_to_a_provider() -> None:
    insert_address(1, insert_customer())
    assert ids(wallet_items.of_user(KIND, "user_1", Page(provider_id="stripe"))) == ["addr_1"]
    assert wallet_items.of_user(KIND, "user_1", Page(provider_id="paypal")) == []


def test_pointers_are_in_the_lists_of_the_user_and_of_the_organizations_shard() -> None:
    owner = customer(id="cust_1", organization_id="org_1", shard=3)
    assert wallet_items.pointers(KIND, owner, "uid") == {
        "of_user": keys.address_pointer(keys.user("user_1"), "uid"),
        "of_organization": keys.address_pointer(keys.organization_addresses("org_1", 3), "uid"),
    }
    guest = customer(id="cust_2", user_id=None, is_guest=True)
    assert wallet_items.pointers(KIND, guest, "uid") == {}
