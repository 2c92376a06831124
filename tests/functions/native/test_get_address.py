"""GET /bridge-payment/addresses/{id}. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.get_address.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    Api,
    Reply,
)
from tests.response_fields import (
    ADDRESS_FIELDS,
)


def test_get_address_with_event_file_returns_all_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_address")
    assert reply.status == 200
    assert reply.body.keys() == ADDRESS_FIELDS
    assert (reply.body["id"], reply.body["city"]) == ("addr_123", "Springfield")


@pytest.mark.parametrize("identifier", ["addr_404", "nothing", "%20", "..", "x" * 200])
def test_b1_get_address_returns_404_for_unknown_id(api: Api, identifier: str) -> None:
    assert api.get(f"/addresses/{identifier}").code == "not_found"


def test_get_address_of_other_user_returns_same_404_as_unknown_id(
    api: Api, stranger: Api, guest: Api
) -> None:
    path = f"/addresses/{api.address()['id']}"
    of_other, unknown = stranger.get(path), stranger.get("/addresses/addr_404")
    assert of_other.status == unknown.status == 404
    assert {**of_other.body, "request_id": ""} == {**unknown.body, "request_id": ""}
    token = guest.customer(guest_data=GUEST)["guest_token"]
    assert guest.with_headers(x_guest_token=token).get(path).status == 404


def test_b12_get_address_of_deleted_customer_returns_404(api: Api) -> None:
    address = api.address()
    api.delete(f"/customers/{address['customer_id']}")
    assert api.get(f"/addresses/{address['id']}").status == 404
    assert api.get("/addresses").body == []
