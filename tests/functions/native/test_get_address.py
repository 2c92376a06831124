"""GET /bridge-payment/addresses/{id}. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from functions.native.get_address.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import ADDRESS_FIELDS, GUEST, Api, Reply


def test_the_event_file_is_answered_with_the_full_address(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_address")
    assert reply.status == 200
    assert reply.body.keys() == ADDRESS_FIELDS
    assert (reply.body["id"], reply.body["city"]) == ("addr_123", "Springfield")


@pytest.mark.parametrize("identifier", ["addr_404", "nothing", "%20", "..", "x" * 200])
def test_b1_an_id_that_nobody_has_is_not_found(api: Api, identifier: str) -> None:
    assert api.get(f"/addresses/{identifier}").code == "not_found"


def test_somebody_elses_address_is_as_if_it_were_not_there(
    api: Api, stranger: Api, guest: Api
) -> None:
    path = f"/addresses/{api.address()['id']}"
    theirs, nobodys = stranger.get(path), stranger.get("/addresses/addr_404")
    assert theirs.status == nobodys.status == 404
    assert {**theirs.body, "request_id": ""} == {**nobodys.body, "request_id": ""}
    token = guest.customer(guest_data=GUEST)["guest_token"]
    assert guest.bearing(x_guest_token=token).get(path).status == 404


def test_b12_it_goes_with_its_customer(api: Api) -> None:
    made = api.address()
    api.delete(f"/customers/{made['customer_id']}")
    assert api.get(f"/addresses/{made['id']}").status == 404
    assert api.get("/addresses").body == []
