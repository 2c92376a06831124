"""GET /bridge-payment/customers/{id}. Source: contracts/bridge.md, sections 2 and 3."""

from collections.abc import Callable

import pytest

from functions.native.get_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import CUSTOMER_FIELDS, GUEST, Api, Reply


def test_the_event_file_is_answered_with_the_full_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_customer")
    assert reply.status == 200
    assert reply.body.keys() == CUSTOMER_FIELDS
    assert (reply.body["id"], reply.body["name"]) == ("cust_123", "John Doe")
    assert reply.body["created_at"] == "2025-01-15T10:30:00Z"


def test_what_was_made_is_shown(api: Api) -> None:
    made = api.customer(metadata={"a": 1, "b": 2.5, "c": False})
    assert api.get(f"/customers/{made['id']}").body == made


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
def test_b1_an_id_that_nobody_has_is_not_found(api: Api, identifier: str) -> None:
    reply = api.get(f"/customers/{identifier}")
    assert (reply.status, reply.code) == (404, "not_found")


def test_somebody_elses_record_is_as_if_it_were_not_there(api: Api, stranger: Api) -> None:
    theirs = stranger.get(f"/customers/{api.customer()['id']}")
    nobodys = stranger.get("/customers/cust_404")
    assert theirs.status == nobodys.status == 404
    assert {**theirs.body, "request_id": ""} == {**nobodys.body, "request_id": ""}


def test_without_a_credential_nothing_is_shown(api: Api, guest: Api) -> None:
    reply = guest.get(f"/customers/{api.customer()['id']}")
    assert (reply.status, reply.code) == (401, "authentication_required")


def test_b8_a_guest_token_opens_its_own_record_alone(api: Api, guest: Api) -> None:
    mine, other = guest.customer(guest_data=GUEST), guest.customer(guest_data=GUEST)
    bearing = guest.bearing(x_guest_token=mine["guest_token"])
    assert bearing.get(f"/customers/{mine['id']}").body["id"] == mine["id"]
    assert guest.get(f"/customers/{mine['id']}?guest_token={mine['guest_token']}").status == 200
    assert bearing.get(f"/customers/{other['id']}").status == 404
    assert bearing.get(f"/customers/{api.customer()['id']}").status == 404
    assert bearing.get("/customers").status == 401
    assert bearing.put(f"/customers/{mine['id']}", {"name": "x"}).status == 401
    assert bearing.delete(f"/customers/{mine['id']}").status == 401


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member"])
def test_b9_every_role_reads_its_organizations_records(
    api: Api, signed_in: Callable[..., Api], role: str
) -> None:
    made = api.customer(organization_id="org_456")
    colleague = signed_in("user_1", org_456=role)
    assert colleague.get(f"/customers/{made['id']}").body == made
    assert signed_in("user_2", org_other=role).get(f"/customers/{made['id']}").status == 404
