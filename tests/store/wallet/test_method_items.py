"""Saved payment methods and their tokens. Source: design/data-model.md 2."""

import pytest

from bridge import clock, config
from bridge.models.customer import Customer
from bridge.models.job import Job
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
    return PaymentMethod.model_validate(known | more)


def kept(**more: object) -> Customer:
    """A customer that is stored, as it is now."""
    known = customer(**{"id": "cust_1"} | more)
    customer_items.insert(known, None)
    return known


def again(customer_id: str = "cust_1") -> Customer:
    found = customer_items.get(customer_id)
    assert found
    return found


def save(**more: object) -> PaymentMethod:
    made = method(**more)
    method_items.insert(made, again(made.customer_id), None)
    return made


def numbered(count: int) -> list[PaymentMethod]:
    return [save(id=f"pm_{n}", uid=f"uid_{n}", token=f"token_{n}") for n in range(count)]


def delete(made: PaymentMethod, default: str | None, seen: Customer | None = None) -> None:
    gone = made.model_copy(update={"state": "deleted"})
    job = Job(id="job_1", customer_id="cust_1", method_id=made.id, stage="method", due_at=1)
    method_items.delete(made, gone, seen or again(), default, job)


def ids(methods: list[PaymentMethod]) -> list[str]:
    return [each.id for each in methods]


def test_a_method_comes_back_with_its_token_and_its_customer_found_by_its_id_alone() -> None:
    kept()
    save()
    found, holder = method_items.get("pm_saved_card_123")
    assert found
    assert holder == again()
    known = {"created_at": found.created_at, "updated_at": found.updated_at}
    assert found == method(is_default=True, **known)
    assert found.token == "pm_at_stripe"


@pytest.mark.parametrize("identifier", ["pm_nobody", "saved_card_123", "xx_saved_card_123", ""])
def test_another_id_finds_nothing(identifier: str) -> None:
    kept()
    save()
    assert method_items.get(identifier) == (None, None)


def test_the_token_is_in_the_secrets_table_alone_and_never_printed() -> None:
    kept()
    save()
    scan = database.client().scan
    assert "pm_at_stripe" not in str(scan(TableName=config.table_name("ledger"))["Items"])
    assert "pm_at_stripe" in str(scan(TableName=config.table_name("secrets"))["Items"])
    assert "pm_at_stripe" not in repr(method())
    assert "pm_at_stripe" not in method().model_dump_json()


def test_a_method_is_saved_only_for_a_customer_that_is_as_it_was_seen() -> None:
    with pytest.raises(dynamodb.VersionConflict):
        method_items.insert(method(), customer(id="cust_1"), None)
    seen = kept()
    save()
    with pytest.raises(dynamodb.VersionConflict):
        method_items.insert(method(id="pm_2", token="another"), seen, None)
    seen = again()
    customer_items.delete(seen, seen.model_copy(update={"state": "deleted"}), "job_1", 0)
    with pytest.raises(dynamodb.VersionConflict):
        method_items.insert(method(id="pm_2", token="another"), again(), None)


def test_a_providers_token_is_saved_once_also_after_its_deletion() -> None:
    kept()
    made = save()
    for _ in range(2):
        with pytest.raises(method_items.AlreadySaved) as known:
            save(id="pm_2")
        assert known.value.method_id == made.id == method_items.find_saved("stripe", "pm_at_stripe")
        method_items.forget(made, again(), clock.now())


def test_a_method_is_found_by_its_providers_token_also_a_deleted_one() -> None:
    kept()
    made = save()
    found, holder = method_items.get_at_provider("stripe", "pm_at_stripe")
    assert holder == again()
    assert found == made.model_copy(update={"token": None, "is_default": True})
    method_items.forget(made, again(), clock.now())
    found, _ = method_items.get_at_provider("stripe", "pm_at_stripe")
    assert found
    assert found.state == "deleted"
    for known in (("stripe", "pm_other"), ("paypal", "pm_at_stripe")):
        assert method_items.get_at_provider(*known) == (None, None)


def test_the_first_method_becomes_the_default_and_so_does_one_that_asks_for_it() -> None:
    kept()
    first, _ = numbered(2)
    assert again().default_method_id == first.id
    save(id="pm_asks", token="asks", is_default=True)
    assert again().default_method_id == "pm_asks"
    shown = method_items.list_of_customer(again(), Page())
    assert [each.id for each in shown if each.is_default] == ["pm_asks"]


def test_a_deleted_method_is_in_no_list_promotes_another_and_leaves_a_job() -> None:
    kept()
    first, second, third = numbered(3)
    delete(first, third.id)
    assert again().default_method_id == third.id
    for listed in (
        method_items.list_of_customer(again(), Page()),
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


def test_a_deletion_that_was_outrun_writes_nothing() -> None:
    kept()
    first, second = numbered(2)
    seen = again()
    chosen = second.model_copy(update={"is_default": True, "updated_at": clock.now()})
    method_items.update(second, chosen, seen)
    with pytest.raises(dynamodb.VersionConflict):
        delete(first, None, seen)
    assert job_items.get("job_1") is None
    assert again().default_method_id == second.id


def test_a_forgotten_method_keeps_its_id_and_loses_its_token() -> None:
    kept()
    made = save()
    assert method_items.get_token(made.id) == "pm_at_stripe"
    for _ in range(2):  # the second finds it deleted
        method_items.forget(made, again(), clock.now())
        found, _ = method_items.get(made.id)
        assert found
        assert (found.state, found.token, found.last4) == ("deleted", None, "4242")
        assert method_items.get_token(made.id) is None
        assert dynamodb.query_all("ledger", keys.user("user_1"), "M#") == []
    secrets = database.client().scan(TableName=config.table_name("secrets"))["Items"]
    assert secrets == []


def test_lists_are_newest_first_and_a_deleted_customers_methods_are_in_none() -> None:
    kept(organization_id="org_1")
    kept(id="cust_2", organization_id="org_1")
    numbered(5)
    save(id="pm_other", uid="uid_9", customer_id="cust_2", token="other")
    newest = ["pm_other", "pm_4", "pm_3", "pm_2", "pm_1", "pm_0"]
    assert ids(method_items.list_of_user("user_1", Page())) == newest
    assert ids(method_items.list_of_organization("org_1", Page(limit=2, offset=1))) == newest[1:3]
    assert ids(method_items.list_of_customer(again(), Page(limit=2, offset=1))) == ["pm_3", "pm_2"]
    tokens = {each.token for each in method_items.list_of_user("user_1", Page())}
    assert tokens == {*(f"token_{n}" for n in range(5)), "other"}
    seen = again("cust_2")
    customer_items.delete(seen, seen.model_copy(update={"state": "deleted"}), "job_1", 0)
    assert ids(method_items.list_of_user("user_1", Page())) == newest[1:]


def test_a_customers_methods_are_walked_page_by_page_without_their_tokens() -> None:
    kept()
    kept(id="cust_2")
    numbered(5)
    save(id="pm_other", customer_id="cust_2", token="other")
    walked, after, sizes = [], "", []
    while True:
        page, after = method_items.walk_customer("cust_1", after or None, 2)
        walked += page
        sizes.append(len(page))
        method_items.forget(page[0], again(), clock.now())  # what a page held may go
        if not after:
            break
    assert [each.id for each in walked] == [f"pm_{number}" for number in range(5)]
    assert sizes == [2, 2, 1]
    assert {each.token for each in walked} == {None}


def test_a_page_without_tokens_is_the_same_page_and_reads_no_secret(wire: Wire) -> None:
    kept()
    made = numbered(4)
    delete(made[3], "pm_0")
    expected = method_items.list_of_customer(again(), Page(limit=2, offset=1))
    seen = again()
    wire.watch("BatchGetItem")
    shown = method_items.list_active(seen)[1:3]
    assert wire.requests == []
    assert ids(shown) == ids(expected) == ["pm_1", "pm_0"]
    assert [each.is_default for each in shown] == [False, True]
    assert {each.token for each in shown} == {None}
