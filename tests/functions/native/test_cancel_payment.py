"""POST /bridge-payment/payments/{id}/cancel. Source: contracts/bridge.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.cancel_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, PAYMENT_FIELDS, VISA, Api, Reply


def test_the_event_file_is_answered_with_the_canceled_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/cancel_payment")
    assert (reply.status, reply.body["id"]) == (200, "pay_456")
    assert reply.body["status"] == "canceled"


@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_canceled_twice_is_canceled_once(
    api: Api, stripe_simulator: StripeSimulator, name: str
) -> None:
    made = api.payment()
    first, again = (api.post(f"/payments/{made[name]}/cancel") for _ in range(2))
    assert (first.status, first.body.keys()) == (200, PAYMENT_FIELDS)
    assert (first.body["status"], first.body["client_secret"]) == ("canceled", None)
    assert (again.status, again.body) == (200, first.body)
    assert stripe_simulator.log.counts["cancel"] == 1
    refused = api.confirm(made, VISA)
    assert (refused.status, refused.code) == (409, "payment_not_confirmable")


def test_why_is_told_to_the_provider(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment()
    assert api.post(f"/payments/{made['id']}/cancel", {"reason": "duplicate"}).status == 200
    assert stripe_simulator.intents()[0]["cancellation_reason"] == "duplicate"
    other = api.payment()
    refused = api.post(f"/payments/{other['id']}/cancel", {"reason": "no idea"})
    assert (refused.status, refused.fields) == (400, {"reason"})


def test_an_authorization_is_let_go(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment(capture_method="manual")
    api.confirm(made, VISA)
    reply = api.post(f"/payments/{made['id']}/cancel")
    assert (reply.status, reply.body["status"]) == (200, "canceled")
    assert (reply.body["amount_captured_cents"], reply.body["amount_refunded_cents"]) == (0, 0)


def test_what_has_succeeded_is_a_409(api: Api) -> None:
    made = api.payment()
    api.confirm(made, VISA)
    reply = api.post(f"/payments/{made['id']}/cancel")
    assert (reply.status, reply.code) == (409, "payment_not_cancelable")


def test_b8_a_guest_cancels_the_payment_of_the_token(guest: Api, stranger: Api) -> None:
    made = guest.payment(guest_data=GUEST)
    path = f"/payments/{made['id']}/cancel"
    assert stranger.post(path).status == 404
    reply = guest.bearing(x_guest_token=made["guest_token"]).post(path)
    assert (reply.status, reply.body["status"]) == (200, "canceled")


def test_b20_a_cancellation_whose_answer_is_lost_shows_the_payment_as_it_stands(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    stripe_simulator.fault("cancel", "drop_after", times=2)
    lost = api.post(f"/payments/{made['id']}/cancel")
    assert (lost.status, lost.body["status"]) == (202, "created")
    assert api.sync(made).body["status"] == "canceled"
