"""GET /bridge-payment/customers. Source: docs/api/native.md, section 3."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.native.list_customers.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    Api,
    Reply,
)
from tests.response_fields import (
    CUSTOMER_FIELDS,
)


def ids(listed: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in listed]


def test_list_customers_with_event_file_returns_array_newest_first(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_customers")
    assert reply.status == 200
    assert ids(reply.body) == ["cust_123", "cust_456"]
    assert all(each.keys() == CUSTOMER_FIELDS for each in reply.body)


def test_list_customers_contains_customer_just_created(api: Api) -> None:
    created: list[str] = []
    for _ in range(3):
        created.insert(0, api.customer()["id"])
        assert ids(api.get("/customers").body) == created


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", slice(0, 5)),
        ("limit=2", slice(0, 2)),
        ("limit=2&offset=1", slice(1, 3)),
        ("offset=4", slice(4, 5)),
        ("offset=5", slice(5, 5)),
        ("offset=10000", slice(5, 5)),
        ("limit=2&page=2", slice(2, 4)),
        ("limit=2&page=3", slice(4, 5)),
        ("limit=2&page=2&offset=0", slice(0, 2)),  # offset wins
        ("limit=500", slice(0, 5)),
        ("limit=2&provider_id=stripe", slice(0, 2)),
        ("provider_id=paypal", slice(0, 0)),
    ],
)
def test_list_customers_applies_limit_offset_and_page(
    api: Api, query: str, expected: slice
) -> None:
    created = [api.customer()["id"] for _ in range(5)][::-1]
    assert ids(api.get(f"/customers?{query}").body) == created[expected]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=0", {"limit"}),
        ("limit=501", {"limit"}),
        ("limit=-1", {"limit"}),
        ("limit=ten", {"limit"}),
        ("limit=1.5", {"limit"}),
        ("limit=", {"limit"}),
        ("limit=%D9%A1", {"limit"}),  # an Arabic digit
        ("offset=10001", {"offset"}),
        ("offset=-1", {"offset"}),
        ("page=0", {"page"}),
        ("page=102", {"page"}),
        ("limit=x&offset=y&page=z", {"limit", "offset", "page"}),
        ("limit=1&limit=2", {"limit"}),
    ],
)
def test_list_customers_with_invalid_number_returns_400_on_parameter(
    api: Api, query: str, fields: set[str]
) -> None:
    reply = api.get(f"/customers?{query}")
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", fields)


def test_list_customers_of_organization_accepts_any_offset(api: Api) -> None:
    api.customer(organization_id="org_456")
    reply = api.get("/customers?organization_id=org_456&offset=123456789")
    assert (reply.status, reply.body) == (200, [])


def test_b9_list_customers_returns_own_or_those_of_organization(
    api: Api, stranger: Api, signed_in: Callable[..., Api]
) -> None:
    colleague = signed_in("user_1", org_456="member")
    alone, shared = api.customer(), api.customer(organization_id="org_456")
    api.customer(organization_id="org_789")
    assert alone["id"] in ids(api.get("/customers").body)
    assert ids(api.get("/customers?organization_id=org_456").body) == [shared["id"]]
    assert ids(colleague.get("/customers?organization_id=org_456").body) == [shared["id"]]
    assert colleague.get("/customers").body == stranger.get("/customers").body == []


@pytest.mark.parametrize("organization", ["org_456", "org_nobody_has"])
def test_b9_list_customers_of_organization_without_membership_returns_403(
    stranger: Api, organization: str
) -> None:
    reply = stranger.get(f"/customers?organization_id={organization}")
    assert (reply.status, reply.code) == (403, "forbidden")


def test_list_customers_without_session_returns_401(guest: Api) -> None:
    token = guest.customer(guest_data=GUEST)["guest_token"]
    assert guest.get("/customers").status == 401
    assert guest.with_headers(x_guest_token=token).get("/customers").status == 401
