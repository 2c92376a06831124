"""GET /customers/{id}/users. Source: contracts/alternative.md 5 and 6."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.alternative.list_customer_users.handler import handler
from tests.functions.alternative.conftest import (
    OTHER_APIS,
    PAGE,
    USER,
    assert_neighbours,
    make,
    refusal,
)
from tests.functions.conftest import Api, Reply

Company = dict[str, Any]


def test_the_event_file_is_answered_with_a_page(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/list_customer_users")
    assert reply.status == 200
    assert reply.body.keys() == PAGE
    assert reply.body["data"] == []


@pytest.fixture
def users(merchant: Api, company: Company) -> str:
    """The path of five users: e d c b a, newest first."""
    target = f"/customers/{company['id']}/users"
    for name in "abcde":
        make(merchant, target, first_name=name)
    return target


@pytest.mark.parametrize(("way", "at", "shown", "older", "newer"), OTHER_APIS)
def test_a_page_and_its_neighbours(
    way: str, at: str, shown: str, older: bool, newer: bool, merchant: Api, users: str
) -> None:
    cursors, cursor = {}, ""
    for name in "edcba":
        found = merchant.send("GET", f"{users}?limit=1&after={cursor}").body
        cursors[name] = cursor = found["end_cursor"]
    query = f"&{way}={cursors[at]}" if way else ""
    found = merchant.send("GET", f"{users}?limit=2{query}").body
    assert found.keys() == PAGE
    assert all(each.keys() == USER for each in found["data"])
    assert "".join(each["first_name"] for each in found["data"]) == shown
    assert_neighbours(found, cursors, shown, older=older, newer=newer)


def test_a_cursor_is_bound_to_its_customer(merchant: Api, users: str) -> None:
    cursor = merchant.send("GET", users).body["end_cursor"]
    other = make(merchant)["id"]
    reply = merchant.send("GET", f"/customers/{other}/users?after={cursor}")
    assert refusal(reply) == (400, "bad_request", {"after": ["is not a valid cursor"]})


def test_the_filters_of_customers_are_unknown_names_here(merchant: Api, users: str) -> None:
    reply = merchant.send("GET", f"{users}?company_name=x&created_at_start=x&created_at_end=x")
    assert len(reply.body["data"]) == 5


def test_the_query_is_judged_before_the_customer_is_looked_for(
    merchant: Api, rival: Api, users: str
) -> None:
    assert refusal(merchant.send("GET", "/customers/cus_nobody/users?limit=0"))[0] == 400
    assert refusal(merchant.send("GET", "/customers/cus_nobody/users"))[0] == 404
    assert refusal(rival.send("GET", f"{users}?limit=0"))[0] == 400
    assert refusal(rival.send("GET", users))[0] == 404
