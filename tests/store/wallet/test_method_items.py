"""Saved payment methods and their tokens. Source: docs/data-model.md, sections 2 and 3."""

import msgspec
import pytest
from msgspec.structs import replace

from bridge import clock, config
from bridge.models.customer import Customer
from bridge.models.job import Job
from bridge.models.model import json_of
from bridge.models.page import Page
from bridge.models.payment_method import PaymentMethod
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.jobs import job_items
from bridge.store.wallet import method_items
from local import database
from tests.store.conftest import Wire, customer

pytestmark = pytest.mark.usefixtures("tables")


def method(**more: object) -> PaymentMethod:
    known = {
        "id": "pm_saved_card_123",
        "uid": "uid",
        "customer_id": "cust_1",
        "provider_id": "stripe",
        "brand": "visa",
        "last4": "4242",
        "exp_month": 1,
        "exp_year": 2030,
        "token": "pm_at_stripe",
        "created_at": clock.now(),
        "updated_at": clock.now(),
    }
    return msgspec.convert(known | more, PaymentMethod)


def insert_customer(**more: object) -> Customer:
    made = customer(**{"id": "cust_1"} | more)
    customer_items.insert(made, None)
    return made


def current(customer_id: str = "cust_1") -> Customer:
    found = customer_items.get(customer_id)
    assert found
    return found


def saved(**more: object) -> PaymentMethod:
    made = method(**more)
    method_items.insert(made, current(made.customer_id), None)
    return made


def numbered(count: int) -> list[PaymentMethod]:
    return [saved(id=f"pm_{n}", uid=f"uid_{n}", token=f"token_{n}") for n in range(count)]


def delete(made: PaymentMethod, default: str | None, seen: Customer | None = None) -> None:
    deleted = replace(made, state="deleted")
    job = Job(id="job_1", customer_id="cust_1", method_id=made.id, stage="method", due_at=1)
    method_items.delete(made, deleted, seen or current(), default, job)


def ids(methods: list[PaymentMethod]) -> list[str]:
    return [each.id for each in methods]


def test_get_finds_a_method_with_token_and_customer_by_its_id() -> None:
    insert_customer()
    saved()
    found, owner = method_items.get("pm_saved_card_123")
    assert found
    assert owner == current()
    known = {"created_at": found.created_at, "updated_at": found.updated_at}
    assert found == method(is_default=True, **known)
    assert found.token == "pm_at_stripe"


@pytest.mark.parametrize("identifier", ["pm_nobody", "saved_card_123", "xx_saved_card_123", ""])
def test_get_by_an_unknown_id_returns_none(identifier: str) -> None:
    insert_customer()
    saved()
    assert method_items.get(identifier) == (None, None)


def test_the_token_is_only_in_the_secrets_table_and_never_printed() -> None:
    insert_customer()
    saved()
    scan = database.client().scan
    assert "pm_at_stripe" not in str(scan(TableName=config.table_name("ledger"))["Items"])
    assert "pm_at_stripe" in str(scan(TableName=config.table_name("secrets"))["Items"])
    assert "pm_at_stripe" not in repr(method())
    assert "pm_at_stripe" not in json_of(method())


def test_insert_with_an_older_or_deleted_customer_raises_version_conflict() -> None:
    with pytest.raises(dynamodb.VersionConflict):
        method_items.insert(method(), customer(id="cust_1"), None)
    seen = insert_customer()
    saved()
    with pytest.raises(dynamodb.VersionConflict):
        method_items.insert(method(id="pm_2", token="another"), seen, None)
    seen = current()
    customer_items.delete(seen, replace(seen, state="deleted"), "job_1", 0)
    with pytest.raises(dynamodb.VersionConflict):
        method_items.insert(method(id="pm_2", token="another"), current(), None)


def test_insert_of_a_saved_token_raises_already_saved_also_after_deletion() -> None:
    insert_customer()
    made = saved()
    for _ in range(2):
        with pytest.raises(method_items.AlreadySaved) as known:
            saved(id="pm_2")
        assert known.value.method_id == made.id == method_items.find_saved("stripe", "pm_at_stripe")
        method_items.forget(made, current(), clock.now())


def test_get_at_provider_finds_a_method_by_its_token_also_a_deleted_one() -> None:
    insert_customer()
    made = saved()
    found, owner = method_items.get_at_provider("stripe", "pm_at_stripe")
    assert owner == current()
    assert found == replace(made, token=None, is_default=True)
    method_items.forget(made, current(), clock.now())
    found, _ = method_items.get_at_provider("stripe", "pm_at_stripe")
    assert found
    assert found.state == "deleted"
    for known in (("stripe", "pm_other"), ("paypal", "pm_at_stripe")):
        assert method_items.get_at_provider(*known) == (None, None)


def test_insert_makes_the_first_or_a_requested_method_the_default() -> None:
    insert_customer()
    first, _ = numbered(2)
    assert current().default_method_id == first.id
    saved(id="pm_asks", token="asks", is_default=True)
    assert current().default_method_id == "pm_asks"
    methods = method_items.list_of_customer(current(), Page())
    assert [each.id for each in methods if each.is_default] == ["pm_asks"]


def test_delete_removes_a_method_from_lists_sets_the_next_default_and_adds_a_job() -> None:
    insert_customer()
    first, second, third = numbered(3)
    delete(first, third.id)
    assert current().default_method_id == third.id
    for listed in (
        method_items.list_of_customer(current(), Page()),
        method_items.list_of_user("user_1", Page()),
    ):
        assert ids(listed) == [third.id, second.id]
    found, _ = method_items.get(first.id)
    assert found
    assert (found.state, found.token) == ("deleted", None)
    assert method_items.get_token(first.id) == first.token, "the job needs it"
    job = job_items.get("job_1")
    assert job
    assert (job.stage, job.method_id) == ("method", first.id)


def test_delete_with_an_older_customer_raises_version_conflict_and_writes_nothing() -> None:
    insert_customer()
    first, second = numbered(2)
    seen = current()
    chosen = replace(second, is_default=True, updated_at=clock.now())
    method_items.update(second, chosen, seen)
    with pytest.raises(dynamodb.VersionConflict):
        delete(first, None, seen)
    assert job_items.get("job_1") is None
    assert current().default_method_id == second.id


def test_forget_deletes_the_token_and_keeps_the_method_as_deleted() -> None:
    insert_customer()
    made = saved()
    assert method_items.get_token(made.id) == "pm_at_stripe"
    for _ in range(2):  # the second finds it deleted
        method_items.forget(made, current(), clock.now())
        found, _ = method_items.get(made.id)
        assert found
        assert (found.state, found.token, found.last4) == ("deleted", None, "4242")
        assert method_items.get_token(made.id) is None
        assert dynamodb.query_all("ledger", keys.user("user_1"), "M#") == []
    secrets = database.client().scan(TableName=config.table_name("secrets"))["Items"]
    assert secrets == []


def test_lists_are_newest_first_without_methods_of_deleted_customers() -> None:
    insert_customer(organization_id="org_1")
    insert_customer(id="cust_2", organization_id="org_1")
    numbered(5)
    saved(id="pm_other", uid="uid_9", customer_id="cust_2", token="other")
    newest = ["pm_other", "pm_4", "pm_3", "pm_2", "pm_1", "pm_0"]
    assert ids(method_items.list_of_user("user_1", Page())) == newest
    assert ids(method_items.list_of_organization("org_1", Page(limit=2, offset=1))) == newest[1:3]
    assert ids(method_items.list_of_customer(current(), Page(limit=2, offset=1))) == [
        "pm_3",
        "pm_2",
    ]
    tokens = {each.token for each in method_items.list_of_user("user_1", Page())}
    assert tokens == {*(f"token_{n}" for n in range(5)), "other"}
    seen = current("cust_2")
    customer_items.delete(seen, replace(seen, state="deleted"), "job_1", 0)
    assert ids(method_items.list_of_user("user_1", Page())) == newest[1:]


def test_walk_customer_returns_all_methods_page_by_page_without_tokens() -> None:
    insert_customer()
    insert_customer(id="cust_2")
    numbered(5)
    saved(id="pm_other", customer_id="cust_2", token="other")
    walked, after, sizes = [], "", []
    while True:
        page, after = method_items.walk_customer("cust_1", after or None, 2)
        walked += page
        sizes.append(len(page))
        method_items.forget(page[0], current(), clock.now())  # methods of a page may be deleted
        if not after:
            break
    assert [each.id for each in walked] == [f"pm_{number}" for number in range(5)]
    assert sizes == [2, 2, 1]
    assert {each.token for each in walked} == {None}


def test_list_active_equals_the_page_without_tokens_and_reads_no_secret(wire: Wire) -> None:
    insert_customer()
    made = numbered(4)
    delete(made[3], "pm_0")
    expected = method_items.list_of_customer(current(), Page(limit=2, offset=1))
    seen = current()
    wire.watch("BatchGetItem")
    methods = method_items.list_active(seen)[1:3]
    assert wire.requests == []
    assert ids(methods) == ids(expected) == ["pm_1", "pm_0"]
    assert [each.is_default for each in methods] == [False, True]
    assert {each.token for each in methods} == {None}
