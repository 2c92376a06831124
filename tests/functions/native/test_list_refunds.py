"""GET /bridge-payment/payments/{id}/refunds. Source: docs/api/native.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.list_refunds.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, VISA, Api, Reply


def test_list_refunds_with_event_file_returns_empty_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_refunds")
    assert (reply.status, reply.body) == (200, [])


@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_list_refunds_returns_refunds_as_created(api: Api, name: str) -> None:
    payment = api.payment()
    api.confirm(payment, VISA)
    path = f"/payments/{payment['id']}/refund"
    refunds = [api.post(path, {"amount_cents": cents}).body for cents in (300, 200)]
    reply = api.get(f"/payments/{payment[name]}/refunds")
    assert (reply.status, reply.body) == (200, refunds)


def test_list_refunds_contains_dashboard_refund_after_sync(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    api.confirm(payment, VISA)
    stripe_simulator.dashboard("refund", payment["provider_payment_id"], 700)
    api.sync(payment)
    (refund,) = api.get(f"/payments/{payment['id']}/refunds").body
    assert (refund["amount_cents"], refund["status"]) == (700, "succeeded")
    assert refund["reason"] == "requested_by_customer"


def test_list_refunds_returns_404_to_other_user_and_401_to_guest(
    api: Api, stranger: Api, guest: Api
) -> None:
    payment = api.payment()
    assert stranger.get(f"/payments/{payment['id']}/refunds").status == 404
    theirs = guest.payment(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=theirs["guest_token"])
    assert with_token.get(f"/payments/{theirs['id']}/refunds").status == 401
