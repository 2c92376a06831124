"""POST /bridge-payment/payments/{id}/cancel. Source: docs/api/native.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.cancel_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    VISA,
    Api,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)


def test_cancel_with_event_file_returns_canceled_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/cancel_payment")
    assert (reply.status, reply.body["id"]) == (200, "pay_456")
    assert reply.body["status"] == "canceled"


@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_cancel_twice_returns_200_and_calls_provider_once(
    api: Api, stripe_simulator: StripeSimulator, name: str
) -> None:
    payment = api.payment()
    first, again = (api.post(f"/payments/{payment[name]}/cancel") for _ in range(2))
    assert (first.status, first.body.keys()) == (200, PAYMENT_FIELDS)
    assert (first.body["status"], first.body["client_secret"]) == ("canceled", None)
    assert (again.status, again.body) == (200, first.body)
    assert stripe_simulator.log.counts["cancel"] == 1
    refused = api.confirm(payment, VISA)
    assert (refused.status, refused.code) == (409, "payment_not_confirmable")


def test_cancel_sends_reason_to_provider_and_rejects_unknown_reason(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    assert api.post(f"/payments/{payment['id']}/cancel", {"reason": "duplicate"}).status == 200
    assert stripe_simulator.intents()[0]["cancellation_reason"] == "duplicate"
    other = api.payment()
    refused = api.post(f"/payments/{other['id']}/cancel", {"reason": "no idea"})
    assert (refused.status, refused.fields) == (400, {"reason"})


def test_cancel_of_authorized_payment_releases_authorization(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment(capture_method="manual")
    api.confirm(payment, VISA)
    reply = api.post(f"/payments/{payment['id']}/cancel")
    assert (reply.status, reply.body["status"]) == (200, "canceled")
    assert (reply.body["amount_captured_cents"], reply.body["amount_refunded_cents"]) == (0, 0)


def test_cancel_of_succeeded_payment_returns_409(api: Api) -> None:
    payment = api.payment()
    api.confirm(payment, VISA)
    reply = api.post(f"/payments/{payment['id']}/cancel")
    assert (reply.status, reply.code) == (409, "payment_not_cancelable")


def test_b8_guest_token_cancels_its_payment(guest: Api, stranger: Api) -> None:
    payment = guest.payment(guest_data=GUEST)
    path = f"/payments/{payment['id']}/cancel"
    assert stranger.post(path).status == 404
    reply = guest.with_headers(x_guest_token=payment["guest_token"]).post(path)
    assert (reply.status, reply.body["status"]) == (200, "canceled")


def test_b20_cancel_with_lost_response_returns_202_with_stored_status(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    stripe_simulator.fault("cancel", "drop_after", times=2)
    lost = api.post(f"/payments/{payment['id']}/cancel")
    assert (lost.status, lost.body["status"]) == (202, "created")
    assert api.sync(payment).body["status"] == "canceled"
