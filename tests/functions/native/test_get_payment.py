"""GET /bridge-payment/payments/{id}. Source: docs/api/native.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.get_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    TIME,
    VISA,
    Api,
    Dashboard,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)


def test_get_payment_with_event_file_returns_all_fields_without_provider_call(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    before = len(demo_data.requests)
    reply = invoke(handler, "native/get_payment")
    assert reply.status == 200
    assert reply.body.keys() == PAYMENT_FIELDS
    values = [reply.body[name] for name in ("id", "total_cents", "status", "concept")]
    assert values == ["pay_123", 2000, "succeeded", "Premium Subscription"]
    assert len(demo_data.requests) == before  # a read does not call the provider


@pytest.mark.parametrize("path", ["/payments/{id}", "/payments/intents/{id}"])
@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_get_payment_accepts_either_id_on_both_paths(api: Api, path: str, name: str) -> None:
    payment = api.payment()
    reply = api.get(path.replace("{id}", payment[name]))
    assert (reply.status, reply.body) == (200, payment)


def test_get_payment_returns_times_in_whole_seconds_utc(api: Api) -> None:
    payment = api.payment()
    api.confirm(payment, VISA)
    body = api.get(f"/payments/{payment['id']}").body
    for name in ("created_at", "updated_at", "completed_at"):
        assert TIME.fullmatch(body[name])


def test_b13_new_payment_has_status_created(api: Api) -> None:
    payment = api.payment()
    assert api.get(f"/payments/{payment['id']}").body["status"] == "created"
    assert payment["completed_at"] is None


@pytest.mark.parametrize(
    ("refunded", "status"), [(0, "succeeded"), (1, "partially_refunded"), (2000, "refunded")]
)
def test_b13_status_follows_refunded_amount(
    api: Api, dashboard: Dashboard, refunded: int, status: str
) -> None:
    payment = api.payment()
    api.confirm(payment, VISA)
    if refunded:
        dashboard.refund(payment, refunded)
    api.sync(payment)
    body = api.get(f"/payments/{payment['id']}").body
    assert (body["status"], body["amount_refunded_cents"]) == (status, refunded)


@pytest.mark.parametrize(
    "identifier", ["pay_404", "pi_404", "%20", "pay_%00", "..", "%F0%9F%92%B3", "x" * 200]
)
def test_b1_get_payment_returns_404_for_unknown_id(api: Api, identifier: str) -> None:
    reply = api.get(f"/payments/{identifier}")
    assert (reply.status, reply.code) == (404, "not_found")


def test_get_payment_of_other_user_returns_same_404_as_unknown_id(api: Api, stranger: Api) -> None:
    payment = api.payment()
    unknown = stranger.get("/payments/pay_404")
    for identifier in (payment["id"], payment["provider_payment_id"]):
        of_other = stranger.get(f"/payments/{identifier}")
        assert of_other.status == 404
        assert {**of_other.body, "request_id": ""} == {**unknown.body, "request_id": ""}


def test_b8_guest_token_opens_payment_by_header_and_by_query(guest: Api, api: Api) -> None:
    payment = guest.payment(guest_data=GUEST)
    token = payment.pop("guest_token")
    assert guest.with_headers(x_guest_token=token).get(f"/payments/{payment['id']}").body == payment
    assert guest.get(f"/payments/{payment['id']}?guest_token={token}").body == payment
    assert guest.get(f"/payments/{payment['id']}").status == 401
    assert api.get(f"/payments/{payment['id']}").status == 404


def test_b8_guest_token_expires_after_30_days(guest: Api, later: Callable[[float], None]) -> None:
    payment = guest.payment(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=payment["guest_token"])
    later(30 * 24 * 3600 - 10)
    assert with_token.get(f"/payments/{payment['id']}").status == 200
    later(20)
    reply = with_token.get(f"/payments/{payment['id']}")
    assert (reply.status, reply.code) == (401, "session_invalid")


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member"])
def test_b9_every_role_reads_payments_of_its_organization(
    api: Api, signed_in: Callable[..., Api], role: str
) -> None:
    payment = api.payment(organization_id="org_456")
    reply = signed_in("user_1", org_456=role).get(f"/payments/{payment['id']}")
    assert reply.body == payment | {"client_secret": None}
    assert signed_in("user_2", org_other=role).get(f"/payments/{payment['id']}").status == 404
