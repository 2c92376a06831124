"""GET /bridge-payment/addresses. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from functions.native.list_addresses.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_the_event_file_is_answered_with_an_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_addresses")
    assert reply.status == 200
    assert [each["id"] for each in reply.body] == ["addr_123"]


def test_the_callers_own_are_listed_newest_first_over_all_customers(
    api: Api, stranger: Api
) -> None:
    made = [api.address()]
    other = api.customer()["id"]
    made += [api.address(customer_id=other), api.address()]
    stranger.address()
    assert api.get("/addresses").body == made[::-1]
    assert api.get("/addresses?limit=1&offset=1").body == [made[1]]
    assert api.get(f"/addresses?customer_id={other}").body == [made[1]]
    assert api.get("/addresses?provider_id=stripe").body == made[::-1]
    assert api.get("/addresses?provider_id=paypal").body == []
    for caller, named in ((stranger, other), (api, "cust_nobody"), (api, "%20")):
        assert caller.get(f"/addresses?customer_id={named}").status == 404


def test_b9_an_organizations_addresses_are_listed_to_its_members(
    api: Api, signed_in: Callable[..., Api]
) -> None:
    made = api.address(organization_id="org_456")
    member = signed_in("user_1", org_456="member")
    assert member.get("/addresses?organization_id=org_456").body == [made]
    assert member.get("/addresses").body == []
    assert signed_in("user_2").get("/addresses?organization_id=org_456").status == 403


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "offset=10001", "page=x"])
def test_a_number_out_of_range_is_a_400(api: Api, query: str) -> None:
    reply = api.get(f"/addresses?{query}")
    assert (reply.status, reply.fields) == (400, {query.split("=")[0]})
