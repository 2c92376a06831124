"""GET /bridge-payment/payment-methods/{id}. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from functions.native.get_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import METHOD_FIELDS, Api, Reply


def test_the_event_file_is_answered_with_the_full_method(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_payment_method")
    assert reply.status == 200
    assert reply.body.keys() == METHOD_FIELDS
    assert (reply.body["id"], reply.body["is_default"]) == ("pm_saved_card_123", True)
    assert type(reply.body["exp_month"]) is type(reply.body["exp_year"]) is int


@pytest.mark.parametrize("identifier", ["pm_404", "nothing", "%20", "..", "x" * 200])
def test_b1_an_id_that_nobody_has_is_not_found(api: Api, identifier: str) -> None:
    reply = api.get(f"/payment-methods/{identifier}")
    assert (reply.status, reply.code) == (404, "not_found")


def test_somebody_elses_method_is_as_if_it_were_not_there(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/{api.method()['id']}"
    theirs, nobodys = stranger.get(path), stranger.get("/payment-methods/pm_404")
    assert theirs.status == nobodys.status == 404
    assert {**theirs.body, "request_id": ""} == {**nobodys.body, "request_id": ""}


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member"])
def test_b9_every_role_reads_its_organizations_methods(
    api: Api, signed_in: Callable[..., Api], role: str
) -> None:
    made = api.method(organization_id="org_456")
    path = f"/payment-methods/{made['id']}"
    assert signed_in("user_1", org_456=role).get(path).body == made
    assert signed_in("user_2", org_other=role).get(path).status == 404


def test_b12_it_goes_with_its_customer(api: Api) -> None:
    made = api.method()
    api.delete(f"/customers/{made['customer_id']}")
    assert api.get(f"/payment-methods/{made['id']}").status == 404
    assert api.get("/payment-methods").body == []
