"""GET /bridge-payment/addresses. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.list_addresses.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_list_addresses_with_event_file_returns_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_addresses")
    assert reply.status == 200
    assert [each["id"] for each in reply.body] == ["addr_123"]


def test_list_addresses_returns_own_newest_first_over_all_customers(
    api: Api, stranger: Api
) -> None:
    created = [api.address()]
    other = api.customer()["id"]
    created += [api.address(customer_id=other), api.address()]
    stranger.address()
    assert api.get("/addresses").body == created[::-1]
    assert api.get("/addresses?limit=1&offset=1").body == [created[1]]
    assert api.get(f"/addresses?customer_id={other}").body == [created[1]]
    assert api.get("/addresses?provider_id=stripe").body == created[::-1]
    assert api.get("/addresses?provider_id=paypal").body == []
    for caller, customer_id in ((stranger, other), (api, "cust_nobody"), (api, "%20")):
        assert caller.get(f"/addresses?customer_id={customer_id}").status == 404


def test_b9_list_addresses_of_organization_needs_membership(
    api: Api, signed_in: Callable[..., Api]
) -> None:
    address = api.address(organization_id="org_456")
    member = signed_in("user_1", org_456="member")
    assert member.get("/addresses?organization_id=org_456").body == [address]
    assert member.get("/addresses").body == []
    assert signed_in("user_2").get("/addresses?organization_id=org_456").status == 403


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "offset=10001", "page=x"])
def test_list_addresses_with_number_out_of_range_returns_400(api: Api, query: str) -> None:
    reply = api.get(f"/addresses?{query}")
    assert (reply.status, reply.fields) == (400, {query.split("=")[0]})
