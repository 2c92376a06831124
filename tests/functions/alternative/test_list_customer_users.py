"""GET /customers/{id}/users. Source: docs/api/alternative.md, sections 5 and 6."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.alternative.list_customer_users.handler import handler
from tests.functions.alternative.conftest import (
    PAGE,
    PAGE_CASES,
    USER,
    assert_cursors,
    create,
    refusal,
)
from tests.functions.conftest import Api, Reply

Company = dict[str, Any]


def test_the_event_file_returns_200_with_a_page(
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
        create(merchant, target, first_name=name)
    return target


@pytest.mark.parametrize(("way", "at", "names", "older", "newer"), PAGE_CASES)
def test_a_page_has_its_records_and_cursors(
    way: str, at: str, names: str, older: bool, newer: bool, merchant: Api, users: str
) -> None:
    cursors, cursor = {}, ""
    for name in "edcba":
        found = merchant.send("GET", f"{users}?limit=1&after={cursor}").body
        cursors[name] = cursor = found["end_cursor"]
    query = f"&{way}={cursors[at]}" if way else ""
    found = merchant.send("GET", f"{users}?limit=2{query}").body
    assert found.keys() == PAGE
    assert all(each.keys() == USER for each in found["data"])
    assert "".join(each["first_name"] for each in found["data"]) == names
    assert_cursors(found, cursors, names, older=older, newer=newer)


def test_a_cursor_of_another_customer_returns_400(merchant: Api, users: str) -> None:
    cursor = merchant.send("GET", users).body["end_cursor"]
    other = create(merchant)["id"]
    reply = merchant.send("GET", f"/customers/{other}/users?after={cursor}")
    assert refusal(reply) == (400, "bad_request", {"after": ["is not a valid cursor"]})


def test_the_filters_of_the_customer_list_are_ignored(merchant: Api, users: str) -> None:
    reply = merchant.send("GET", f"{users}?company_name=x&created_at_start=x&created_at_end=x")
    assert len(reply.body["data"]) == 5


def test_the_query_is_checked_before_the_customer_is_found(
    merchant: Api, rival: Api, users: str
) -> None:
    assert refusal(merchant.send("GET", "/customers/cus_nobody/users?limit=0"))[0] == 400
    assert refusal(merchant.send("GET", "/customers/cus_nobody/users"))[0] == 404
    assert refusal(rival.send("GET", f"{users}?limit=0"))[0] == 400
    assert refusal(rival.send("GET", users))[0] == 404
