"""GET /bridge-payment/customers/{id}. Source: docs/api/native.md, sections 2 and 3."""

from collections.abc import Callable

import pytest

from functions.native.get_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    Api,
    Reply,
)
from tests.response_fields import (
    CUSTOMER_FIELDS,
)


def test_get_customer_with_event_file_returns_all_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_customer")
    assert reply.status == 200
    assert reply.body.keys() == CUSTOMER_FIELDS
    assert (reply.body["id"], reply.body["name"]) == ("cust_123", "John Doe")
    assert reply.body["created_at"] == "2025-01-15T10:30:00Z"


def test_get_customer_returns_customer_as_created(api: Api) -> None:
    customer = api.customer(metadata={"a": 1, "b": 2.5, "c": False})
    assert api.get(f"/customers/{customer['id']}").body == customer


@pytest.mark.parametrize(
    "identifier",
    [
        "cust_404",
        "nothing",
        "pi_1",
        "%20",
        "cust_%00",
        "cust_123%2Fx",
        "..",
        "%F0%9F%92%B3",
        "x" * 200,
    ],
)
def test_b1_get_customer_returns_404_for_unknown_id(api: Api, identifier: str) -> None:
    reply = api.get(f"/customers/{identifier}")
    assert (reply.status, reply.code) == (404, "not_found")


def test_get_customer_of_other_user_returns_same_404_as_unknown_id(api: Api, stranger: Api) -> None:
    of_other = stranger.get(f"/customers/{api.customer()['id']}")
    unknown = stranger.get("/customers/cust_404")
    assert of_other.status == unknown.status == 404
    assert {**of_other.body, "request_id": ""} == {**unknown.body, "request_id": ""}


def test_get_customer_without_credential_returns_401(api: Api, guest: Api) -> None:
    reply = guest.get(f"/customers/{api.customer()['id']}")
    assert (reply.status, reply.code) == (401, "authentication_required")


def test_b8_guest_token_opens_only_its_customer(api: Api, guest: Api) -> None:
    mine, other = guest.customer(guest_data=GUEST), guest.customer(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=mine["guest_token"])
    assert with_token.get(f"/customers/{mine['id']}").body["id"] == mine["id"]
    assert guest.get(f"/customers/{mine['id']}?guest_token={mine['guest_token']}").status == 200
    assert with_token.get(f"/customers/{other['id']}").status == 404
    assert with_token.get(f"/customers/{api.customer()['id']}").status == 404
    assert with_token.get("/customers").status == 401
    assert with_token.put(f"/customers/{mine['id']}", {"name": "x"}).status == 401
    assert with_token.delete(f"/customers/{mine['id']}").status == 401


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member"])
def test_b9_every_role_reads_customers_of_its_organization(
    api: Api, signed_in: Callable[..., Api], role: str
) -> None:
    customer = api.customer(organization_id="org_456")
    colleague = signed_in("user_1", org_456=role)
    assert colleague.get(f"/customers/{customer['id']}").body == customer
    assert signed_in("user_2", org_other=role).get(f"/customers/{customer['id']}").status == 404
