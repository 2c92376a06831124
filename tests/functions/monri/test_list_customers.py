"""GET /v2/customers. Source: docs/api/monri.md, section 5.6."""

from collections.abc import Callable

import pytest

from functions.monri.list_customers.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.monri.conftest import DEMO, Merchant


def uuids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    assert reply.body.keys() == {"status", "data"}
    return [each["uuid"] for each in reply.body["data"]]


@pytest.mark.usefixtures("at_any_time")
def test_list_customers_event_file_returns_the_demo_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    assert DEMO in uuids(invoke(handler, "monri/list_customers"))


def test_next_list_has_every_write_newest_first(merchant: Merchant) -> None:
    made: list[str] = []
    for number in range(3):
        made.insert(0, merchant.made(name=f"{number}")["uuid"])
        assert uuids(merchant.ask("GET", "/v2/customers")) == made
    changed = merchant.update(made[1], {"name": "New"}).body
    listed = merchant.ask("GET", "/v2/customers").body["data"]
    assert listed[1] == changed == merchant.get(made[1]).body
    merchant.delete(made[0])
    assert uuids(merchant.ask("GET", "/v2/customers")) == made[1:]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", slice(0, 5)),
        ("limit=2", slice(0, 2)),
        ("limit=2&offset=1", slice(1, 3)),
        ("limit=500&offset=4", slice(4, 5)),
        ("offset=5", slice(5, 5)),
        ("limit=0002", slice(0, 2)),
        ("offset=" + "9" * 5000, slice(5, 5)),
        ("offset=" + "0" * 5000 + "4", slice(4, 5)),
        ("limit=1&limit=2", slice(0, 2)),
        ("limit=x&limit=2", slice(0, 2)),
        ("limit=%32", slice(0, 2)),
        ("page=2&search=x&Limit=1&unknown", slice(0, 5)),
    ],
)
def test_list_uses_the_last_limit_and_offset(
    merchant: Merchant, query: str, expected: slice
) -> None:
    made = [merchant.made()["uuid"] for _ in range(5)][::-1]
    target = f"/v2/customers?{query}" if query else "/v2/customers"
    assert uuids(merchant.ask("GET", target)) == made[expected]


def test_default_limit_is_50(merchant: Merchant) -> None:
    made = [merchant.made()["uuid"] for _ in range(51)][::-1]
    assert uuids(merchant.ask("GET", "/v2/customers")) == made[:50]
    assert uuids(merchant.ask("GET", "/v2/customers?limit=51")) == made


BAD = ["", "-1", "1.5", "abc", "%205", "5%20", "+5", "1e2", "%D9%A3", "0x1", "1,2", "%00"]


@pytest.mark.parametrize("value", [*BAD, "0", "501", "00", "9" * 5000])
def test_m12_limit_that_is_not_a_number_from_1_to_500_is_refused(
    merchant: Merchant, value: str
) -> None:
    errors = merchant.refused("GET", f"/v2/customers?limit={value}")
    assert errors == ["limit must be a valid number"]


@pytest.mark.parametrize("value", BAD)
def test_offset_that_is_not_a_number_is_refused(merchant: Merchant, value: str) -> None:
    errors = merchant.refused("GET", f"/v2/customers?offset={value}")
    assert errors == ["offset must be a valid number"]


def test_invalid_limit_and_offset_are_both_reported(merchant: Merchant) -> None:
    errors = merchant.refused("GET", "/v2/customers?offset=x&limit=1&limit=x")
    assert errors == ["limit must be a valid number", "offset must be a valid number"]


def test_list_has_only_the_merchants_own_customers(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    made = merchant.made()
    assert uuids(enrolled("org_2").ask("GET", "/v2/customers")) == []
    assert uuids(enrolled("org_1").ask("GET", "/v2/customers")) == [made["uuid"]]


def test_500_of_the_largest_customers_fit_into_one_response(merchant: Merchant) -> None:
    """A response of Lambda has at most 6 MB, which is 12 KB for each customer."""
    most = {
        "merchant_customer_id": "💶" * 100,
        **dict.fromkeys(("description", "email"), "💶" * 200),
        "name": "💶" * 50,
        "phone": "💶" * 30,
        "zip_code": "💶" * 9,
        "city": "💶" * 30,
        "address": "💶" * 100,
        "metadata": {"a": '"' * 4000 + "x" * 100},
    }
    made = merchant.ask("POST", "/v2/customers", most)
    assert made.status == 200, made.text
    assert 500 * len(made.text.encode()) < 6 * 1024 * 1024
