"""GET /bridge-payment/payment-methods. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.list_payment_methods.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_list_methods_with_event_file_returns_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_payment_methods")
    assert reply.status == 200
    assert [each["id"] for each in reply.body] == ["pm_saved_card_123"]


def test_list_methods_returns_own_newest_first_over_all_customers(api: Api, stranger: Api) -> None:
    created = [api.method()]
    created += [api.method(customer_id=api.customer()["id"]), api.method()]
    stranger.method()
    assert api.get("/payment-methods").body == created[::-1]
    assert api.get("/payment-methods?limit=1&offset=1").body == [created[1]]
    assert api.get("/payment-methods?limit=2&page=2").body == [created[0]]


def test_list_methods_by_customer_returns_only_its_methods_or_404(api: Api, stranger: Api) -> None:
    api.method()
    other = api.customer()
    of_other = api.method(customer_id=other["id"])
    assert api.get(f"/payment-methods?customer_id={other['id']}").body == [of_other]
    for caller, customer_id in ((stranger, other["id"]), (api, "cust_nobody"), (api, "%20")):
        assert caller.get(f"/payment-methods?customer_id={customer_id}").status == 404


def test_b9_list_methods_of_organization_needs_membership(
    api: Api, signed_in: Callable[..., Api]
) -> None:
    method = api.method(organization_id="org_456")
    member = signed_in("user_1", org_456="member")
    assert member.get("/payment-methods?organization_id=org_456").body == [method]
    assert member.get("/payment-methods").body == []
    assert signed_in("user_2").get("/payment-methods?organization_id=org_456").status == 403


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "offset=10001", "page=x"])
def test_list_methods_with_number_out_of_range_returns_400(api: Api, query: str) -> None:
    reply = api.get(f"/payment-methods?{query}")
    assert (reply.status, reply.fields) == (400, {query.split("=")[0]})
