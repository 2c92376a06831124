"""GET /bridge-payment/payment-methods/{id}. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.get_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    Api,
    Reply,
)
from tests.response_fields import (
    METHOD_FIELDS,
)


def test_get_method_with_event_file_returns_all_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_payment_method")
    assert reply.status == 200
    assert reply.body.keys() == METHOD_FIELDS
    assert (reply.body["id"], reply.body["is_default"]) == ("pm_saved_card_123", True)
    assert type(reply.body["exp_month"]) is type(reply.body["exp_year"]) is int


@pytest.mark.parametrize("identifier", ["pm_404", "nothing", "%20", "..", "x" * 200])
def test_b1_get_method_returns_404_for_unknown_id(api: Api, identifier: str) -> None:
    reply = api.get(f"/payment-methods/{identifier}")
    assert (reply.status, reply.code) == (404, "not_found")


def test_get_method_of_other_user_returns_same_404_as_unknown_id(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/{api.method()['id']}"
    of_other, unknown = stranger.get(path), stranger.get("/payment-methods/pm_404")
    assert of_other.status == unknown.status == 404
    assert {**of_other.body, "request_id": ""} == {**unknown.body, "request_id": ""}


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member"])
def test_b9_every_role_reads_methods_of_its_organization(
    api: Api, signed_in: Callable[..., Api], role: str
) -> None:
    method = api.method(organization_id="org_456")
    path = f"/payment-methods/{method['id']}"
    assert signed_in("user_1", org_456=role).get(path).body == method
    assert signed_in("user_2", org_other=role).get(path).status == 404


def test_b12_get_method_of_deleted_customer_returns_404(api: Api) -> None:
    method = api.method()
    api.delete(f"/customers/{method['customer_id']}")
    assert api.get(f"/payment-methods/{method['id']}").status == 404
    assert api.get("/payment-methods").body == []
