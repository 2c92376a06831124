"""GET /bridge-payment/payments. Source: docs/api/native.md, section 4."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.native.list_payments.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    Api,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [each["id"] for each in reply.body]


def ids_of(*payments: dict[str, Any]) -> list[str]:
    return [each["id"] for each in payments]


def test_list_payments_with_event_file_returns_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_payments")
    assert ids(reply) == ["pay_456", "pay_123"]
    listed = reply.body[1]
    assert listed.keys() == PAYMENT_FIELDS
    assert (listed["total_cents"], listed["status"]) == (2000, "succeeded")


def test_list_payments_contains_payment_just_created_newest_first(api: Api) -> None:
    created: list[str] = []
    for _ in range(3):
        created.insert(0, api.payment()["id"])
        assert ids(api.get("/payments")) == created


def test_b15_list_payments_contains_no_client_secret(api: Api) -> None:
    customer = api.payment(organization_id="org_456")["customer_id"]
    for query in ("", "organization_id=org_456", f"organization_id=org_456&customer_id={customer}"):
        reply = api.get(f"/payments?{query}")
        assert [each["client_secret"] for each in reply.body] == [None]
        assert "_secret_" not in reply.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=2", slice(0, 2)),
        ("limit=2&offset=1", slice(1, 3)),
        ("limit=2&page=2", slice(2, 4)),
        ("limit=3&page=2", slice(3, 4)),
        ("limit=2&page=2&offset=0", slice(0, 2)),
        ("offset=10000", slice(4, 4)),
        ("provider_id=stripe&limit=2&offset=1", slice(1, 3)),
        ("provider_id=paypal", slice(0, 0)),
    ],
)
def test_list_payments_applies_limit_offset_and_page(api: Api, query: str, expected: slice) -> None:
    created = [api.payment()["id"] for _ in range(4)][::-1]
    assert ids(api.get(f"/payments?{query}")) == created[expected]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=0", {"limit"}),
        ("limit=501", {"limit"}),
        ("offset=10001", {"offset"}),
        ("organization_id=org_456&offset=10001", {"offset"}),
        ("page=0", {"page"}),
        ("limit=500&page=22", {"page"}),
        ("limit=NaN&offset=1e3&page=%2B1", {"limit", "offset", "page"}),
    ],
)
def test_list_payments_with_invalid_number_returns_400_on_parameter(
    api: Api, query: str, fields: set[str]
) -> None:
    reply = api.get(f"/payments?{query}")
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", fields)


def test_b9_list_payments_returns_own_or_those_of_organization(
    api: Api, stranger: Api, signed_in: Callable[..., Api]
) -> None:
    colleague = signed_in("user_1", org_456="billing", org_other="member")
    alone, shared = api.payment(), api.payment(organization_id="org_456")
    theirs = colleague.payment(organization_id="org_456")
    api.payment(organization_id="org_789")
    assert ids(colleague.get("/payments")) == ids_of(theirs)
    for caller in (api, colleague):
        listed = ids(caller.get("/payments?organization_id=org_456"))
        assert listed == ids_of(theirs, shared)
    assert alone["id"] in ids(api.get("/payments"))
    assert ids(stranger.get("/payments")) == []
    assert stranger.get("/payments?organization_id=org_456").status == 403


def test_b9_list_payments_by_customer_returns_own_or_those_of_organization(
    api: Api, signed_in: Callable[..., Api], stranger: Api
) -> None:
    """A shared customer gives no access to payments that a caller may not read by id."""
    colleague = signed_in("user_1", org_456="admin")
    shared = api.customer(organization_id="org_456")["id"]
    private = api.payment(customer_id=shared)
    theirs = colleague.payment(customer_id=shared)
    common = api.payment(customer_id=shared, organization_id="org_456")
    api.payment()
    by_customer = f"/payments?customer_id={shared}"
    assert ids(colleague.get(by_customer)) == ids_of(theirs)
    assert ids(api.get(by_customer)) == ids_of(common, private)
    for caller in (api, colleague):
        listed = caller.get(f"{by_customer}&organization_id=org_456")
        assert ids(listed) == ids_of(common)
    assert ids(api.get(f"{by_customer}&limit=1&offset=1")) == ids_of(private)
    assert ids(api.get(f"{by_customer}&organization_id=org_789")) == []
    assert stranger.get(by_customer).status == 404
    assert api.get("/payments?customer_id=cust_404").status == 404


def test_b12_list_payments_by_deleted_customer_returns_its_payments(api: Api) -> None:
    payment = api.payment()
    api.delete(f"/customers/{payment['customer_id']}")
    assert ids(api.get(f"/payments?customer_id={payment['customer_id']}")) == ids_of(payment)


def test_list_payments_without_session_returns_401(guest: Api) -> None:
    token = guest.payment(guest_data=GUEST)["guest_token"]
    assert guest.get("/payments").status == 401
    assert guest.with_headers(x_guest_token=token).get("/payments").status == 401
