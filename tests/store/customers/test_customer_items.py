"""Customers, their pointers and counters. Source: docs/data-model.md, sections 2, 3 and 6."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.customer import Customer
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import json_of
from bridge.models.page import Page
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items, customer_list_items
from bridge.store.dedupe import idempotency_items
from bridge.store.dynamodb import VersionConflict
from bridge.store.keys import Key
from tests.conftest import together
from tests.store.conftest import DAY, NOW, Wire, customer

pytestmark = pytest.mark.usefixtures("tables")
PAGE = Page()


def inserted(**more: object) -> Customer:
    made = customer(**more)
    customer_items.insert(made, None)
    return made


def delete(seen: Customer) -> None:
    after = replace(seen, state="deleted", deleted_at=clock.now())
    customer_items.delete(seen, after, "job_1", NOW)


def count(organization_id: str = "org_1") -> int:
    return sum(item["n"] for item in dynamodb.query_all("ledger", f"O#{organization_id}#N", "2"))


def pointers(pk: str) -> list[dict[str, object]]:
    return dynamodb.query_all("ledger", pk, "C#")


def own(user_id: str = "user_1", organization_id: str | None = None) -> str | None:
    found = customer_items.find_own(user_id, "stripe", organization_id)
    return found.customer_id if found else None


def test_get_returns_a_customer_exactly_as_inserted() -> None:
    given = inserted(
        name="Jane Doe",
        name_is_derived=True,
        first_name="Jane",
        last_name="Doe",
        phone="12345",
        organization_id="org_1",
        metadata={"n": 1, "f": 2.5, "b": True, "t": "text"},
    )
    assert customer_items.get(given.id) == given
    assert given.email is not None
    assert given.email not in repr(given)


@pytest.mark.parametrize("name", customer_items.OBJECTS)
def test_objects_are_stored_as_text_and_read_back_in_order(name: str) -> None:
    value = {"z": None, "a": [1, {"b": 1.5}], "é": True}
    item = customer_items.item_of(customer(**{name: value}))
    assert item[name] == '{"z":null,"a":[1,{"b":1.5}],"é":true}'
    read = customer_items.customer_from(item)
    assert read
    kept = getattr(read, name)
    assert (kept, list(kept)) == (value, list(value))


@pytest.mark.parametrize("identifier", ["cust_2", "1", "cus_1", "pay_1"])
def test_get_by_an_id_with_another_prefix_returns_none(identifier: str) -> None:
    inserted(id="cust_1")
    assert customer_items.get(identifier) is None


def test_lists_by_user_organization_and_guest_are_newest_first() -> None:
    at = clock.now()
    first, second = (
        inserted(organization_id="org_1", created_at=at + timedelta(seconds=n)) for n in range(2)
    )
    inserted(user_id="user_2")
    guest = inserted(user_id=None, is_guest=True, email="A@example.com")
    assert customer_items.list_of_user("user_1", PAGE) == [second, first]
    assert customer_list_items.list_page("org_1", PAGE) == [second, first]
    (pointer,) = pointers(keys.guest("a@example.com"))
    assert pointer["id"] == guest.id


def test_lists_of_short_demo_ids_sort_by_uid() -> None:
    older = inserted(id="cust_456", uid="01jh7z0000e0080000000000a0")
    newer = inserted(id="cust_123", uid="01jhm30000e0080000000000a0")
    assert customer_items.list_of_user("user_1", PAGE) == [newer, older]


def test_insert_and_delete_update_the_organizations_monthly_counters() -> None:
    made = [inserted(organization_id="org_1") for _ in range(12)]
    assert count() == 12
    parts = dynamodb.query_all("ledger", "O#org_1#N", "2")
    assert all(item["sk"].startswith(f"{made[0].created_at:%Y-%m}#") for item in parts)
    assert len(parts) > 1
    delete(made[0])
    assert count() == 11
    inserted()
    assert count("org_2") == 0


def test_update_of_a_name_updates_the_search_text_of_the_pointer() -> None:
    made = inserted(organization_id="org_1", name="Jane  DOE", first_name="Jane", last_name=None)
    (pointer,) = pointers("O#org_1#C#0")
    assert pointer["search"] == "jane doe\x1fjane\x1f\x1fjane@example.com"
    assert pointer["search_name"] == "jane doe"
    customer_items.update(made, replace(made, name="Ｊanet ßtraße"))
    (pointer,) = pointers("O#org_1#C#0")
    assert pointer["search_name"] == "janet sstrasse"


def test_update_of_an_older_version_raises_version_conflict() -> None:
    seen = inserted(metadata={"a": 1})
    after = customer_items.update(seen, replace(seen, phone="12345"))
    assert after.version == seen.version + 1
    with pytest.raises(VersionConflict):
        customer_items.update(seen, replace(seen, phone="54321"))
    assert customer_items.get(seen.id) == after


def test_updates_at_once_of_one_version_succeed_once() -> None:
    seen = inserted()

    def update(number: int) -> Customer:
        return customer_items.update(seen, replace(seen, phone=f"12345{number}"))

    results = together(8, update)
    (winner,) = [each for each in results if isinstance(each, Customer)]
    assert sum(isinstance(each, VersionConflict) for each in results) == 7
    assert customer_items.get(seen.id) == winner


def test_insert_completes_the_idempotency_record_and_conflicts_the_second_time() -> None:
    made = customer()
    key = idempotency_items.of_creation("key-1", user_id="user_1", email=None)
    record = IdempotencyRecord(
        key=key,
        fingerprint="f",
        subject_id=made.id,
        state="done",
        snapshot=json_of(made),
        expires=NOW + DAY,
    )
    customer_items.insert(made, record)
    assert idempotency_items.get(key, NOW) == record
    with pytest.raises(VersionConflict):
        customer_items.insert(made, record)
    assert customer_items.list_of_user("user_1", PAGE) == [made]


def test_b18_find_own_returns_the_first_customer_per_provider_and_organization() -> None:
    first, _ = inserted(), inserted()
    shared = inserted(organization_id="org_1")
    inserted(user_id="user_2")
    assert own() == first.id
    assert own(organization_id="org_1") == shared.id
    assert own(organization_id="org_2") is None
    assert customer_items.find_own("user_1", "paypal", None) is None
    found = customer_items.find_own("user_1", "stripe", None)
    assert found
    assert (found.provider_customer_id, found.is_claimed) == (first.provider_customer_id, True)


def test_b18_own_check_writes_a_missing_automatic_item_again() -> None:
    first, _ = inserted(), inserted()
    automatic = keys.automatic_customer("user_1", "stripe", None)
    dynamodb.write(dynamodb.delete(automatic))
    found = customer_items.find_own("user_1", "stripe", None)
    assert found
    assert (found.customer_id, found.is_claimed) == (first.id, False)
    dynamodb.transact(customer_items.own_check(found, "user_1", "stripe", None))
    assert (dynamodb.get(automatic) or {})["customer_id"] == first.id
    again = customer_items.find_own("user_1", "stripe", None)
    assert again
    assert (again.customer_id, again.is_claimed) == (first.id, True)


def test_b18_own_check_keeps_an_automatic_item_that_exists() -> None:
    first, second = inserted(), inserted()
    late = customer_items.Own(second.id, "cus_2", is_claimed=False)
    dynamodb.transact(customer_items.own_check(late, "user_1", "stripe", None))
    assert own() == first.id


def test_b18_find_own_works_with_many_organizations() -> None:
    alone = inserted()
    for number in range(60):
        key = keys.automatic_customer("user_1", "stripe", f"org_{number:02}")
        item = {"customer_id": f"cust_{number}", "provider_customer_id": "cus_x"}
        dynamodb.write(dynamodb.put(key, item))
    assert own() == alone.id
    assert own(organization_id="org_59") == "cust_59"


def test_b18_provider_links_at_once_succeed_once() -> None:
    bare = customer(provider_id=None, provider_customer_id=None)
    customer_items.insert(bare, None)
    assert own() is None

    def link(number: int) -> int:
        made = {"provider_id": "stripe", "provider_customer_id": f"cus_{number}"}
        dynamodb.transact(customer_items.provider_link(bare, replace(bare, **made)))
        return number

    results = together(8, link)
    (winner,) = [each for each in results if isinstance(each, int)]
    assert sum(isinstance(each, dynamodb.ConditionFailed) for each in results) == 7
    stored = customer_items.get(bare.id)
    assert stored
    assert stored.provider_customer_id == f"cus_{winner}"


def test_b12_delete_removes_the_pointers_and_adds_a_job() -> None:
    made = inserted(organization_id="org_1")
    delete(made)
    stored = customer_items.get(made.id)
    assert stored
    assert (stored.state, stored.version) == ("deleted", 2)
    assert pointers("U#user_1") == pointers("O#org_1#C#0") == []
    assert [each["id"] for each in pointers("O#org_1#X#0")] == [made.id]
    job = dynamodb.get(keys.job("job_1")) or {}
    assert (job["kind"], job["customer_id"], job["due_at"]) == ("finish_deletion", made.id, NOW)
    assert own(organization_id="org_1") is None


def test_b12_delete_of_another_customer_keeps_the_automatic_one() -> None:
    first, second = inserted(), inserted()
    delete(second)
    assert own() == first.id
    delete(first)
    assert own() is None


def test_b12_delete_of_a_guests_customer_removes_its_pointer() -> None:
    made = inserted(user_id=None, is_guest=True)
    assert len(pointers(keys.guest("jane@example.com"))) == 1
    delete(made)
    assert pointers(keys.guest("jane@example.com")) == []


def test_b12_delete_succeeds_once_and_not_with_an_older_version() -> None:
    seen = inserted(organization_id="org_1")
    customer_items.update(seen, replace(seen, phone="12345"))
    with pytest.raises(VersionConflict):
        delete(seen)
    stored = customer_items.get(seen.id)
    assert stored
    results = together(8, lambda _: delete(stored))
    assert results.count(None) == 1
    assert sum(isinstance(each, VersionConflict) for each in results) == 7
    assert count() == 0


def test_lives_and_update_fail_for_a_deleted_customer() -> None:
    made = inserted()
    dynamodb.transact(customer_items.lives(made.id))
    delete(made)
    with pytest.raises(dynamodb.ConditionFailed):
        dynamodb.transact(customer_items.lives(made.id))
    with pytest.raises(VersionConflict):
        customer_items.update(made, made)


def test_list_by_id_keeps_the_order_and_leaves_out_missing_customers(wire: Wire) -> None:
    made = [inserted() for _ in range(3)]
    dynamodb.write(dynamodb.delete(Key("ledger", keys.customer(made[1].id).pk, "C")))
    wire.watch("BatchGetItem")
    assert customer_items.list_by_id([each.id for each in made[::-1]]) == [made[2], made[0]]
    assert len(wire.requests) == 1
