"""Saved payment methods and their tokens. Source: design/data-model.md 2."""

import pytest

from bridge import clock, config
from bridge.models.payment_method import PaymentMethod
from bridge.store import customer_items, method_items
from bridge.store.table import Lost
from local import database
from tests.store.conftest import customer

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


def test_a_method_comes_back_with_its_token_found_by_its_id_alone() -> None:
    customer_items.insert(customer(id="cust_1"), None)
    method_items.insert(method())
    found = method_items.get("pm_saved_card_123")
    assert found == method(created_at=found.created_at, updated_at=found.updated_at) if found else 0
    assert found
    assert found.token == "pm_at_stripe"


@pytest.mark.parametrize("identifier", ["pm_nobody", "saved_card_123", "xx_saved_card_123", ""])
def test_another_id_finds_nothing(identifier: str) -> None:
    customer_items.insert(customer(id="cust_1"), None)
    method_items.insert(method())
    assert method_items.get(identifier) is None


def test_the_token_is_in_the_secrets_table_alone_and_never_printed() -> None:
    customer_items.insert(customer(id="cust_1"), None)
    method_items.insert(method())
    scan = database.client().scan
    assert "pm_at_stripe" not in str(scan(TableName=config.table_name("ledger"))["Items"])
    assert "pm_at_stripe" in str(scan(TableName=config.table_name("secrets"))["Items"])
    assert "pm_at_stripe" not in repr(method())
    assert "pm_at_stripe" not in method().model_dump_json()


def test_an_id_is_given_once_and_only_to_a_customer_that_lives() -> None:
    with pytest.raises(Lost) as lost:
        method_items.insert(method())
    assert "customer" in lost.value.items
    kept = customer(id="cust_1")
    customer_items.insert(kept, None)
    method_items.insert(method())
    with pytest.raises(Lost) as lost:
        method_items.insert(method(token="another"))
    assert "method" in lost.value.items
    gone = kept.model_copy(update={"state": "deleted"})
    customer_items.delete(kept, gone, "job_1", 0)
    with pytest.raises(Lost):
        method_items.insert(method(id="pm_2"))


def test_a_deleted_method_keeps_its_id_and_loses_its_token() -> None:
    customer_items.insert(customer(id="cust_1"), None)
    method_items.insert(method())
    assert method_items.get_token("pm_saved_card_123") == "pm_at_stripe"
    for _ in range(2):  # the second finds it deleted
        method_items.delete(method(token=None), clock.now())
        found = method_items.get("pm_saved_card_123")
        assert found
        assert (found.state, found.token, found.last4) == ("deleted", None, "4242")
        assert method_items.get_token("pm_saved_card_123") is None
    secrets = database.client().scan(TableName=config.table_name("secrets"))["Items"]
    assert secrets == []


def test_a_customers_methods_are_walked_page_by_page_without_their_tokens() -> None:
    for owner in ("cust_1", "cust_2"):
        customer_items.insert(customer(id=owner), None)
    for number in range(5):
        method_items.insert(method(id=f"pm_{number}"))
    method_items.insert(method(id="pm_other", customer_id="cust_2"))
    walked, after, sizes = [], "", []
    while True:
        page, after = method_items.walk_customer("cust_1", after or None, 2)
        walked += page
        sizes.append(len(page))
        method_items.delete(page[0], clock.now())  # what a page held may go before the next
        if not after:
            break
    assert [each.id for each in walked] == [f"pm_{number}" for number in range(5)]
    assert sizes == [2, 2, 1]
    assert {each.token for each in walked} == {None}
