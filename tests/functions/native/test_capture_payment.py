"""POST /bridge-payment/payments/{id}/capture. Source: docs/api/native.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.capture_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    VISA,
    Api,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)


def authorized_payment(api: Api) -> dict[str, object]:
    payment = api.payment(capture_method="manual")
    reply = api.confirm(payment, VISA)
    assert (reply.status, reply.body["status"]) == (200, "requires_capture")
    return dict(reply.body)


def test_capture_with_event_file_returns_captured_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/capture_payment")
    assert (reply.status, reply.body["id"]) == (200, "pay_456")
    assert (reply.body["status"], reply.body["amount_captured_cents"]) == ("succeeded", 1500)


@pytest.mark.parametrize(
    ("body", "captured"),
    [
        (None, 2000),
        ({}, 2000),
        ({"amount_cents": 1}, 1),
    ],
)
@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_capture_takes_given_amount_or_all(
    api: Api, body: object, captured: int, name: str
) -> None:
    reply = api.post(f"/payments/{authorized_payment(api)[name]}/capture", body)
    assert (reply.status, reply.body.keys()) == (200, PAYMENT_FIELDS)
    assert (reply.body["status"], reply.body["amount_captured_cents"]) == ("succeeded", captured)
    assert (reply.body["amount_refunded_cents"], reply.body["total_cents"]) == (0, 2000)
    assert reply.body["completed_at"]
    assert api.sync(reply.body).body == reply.body


def test_capture_of_more_than_authorized_returns_409(api: Api) -> None:
    reply = api.post(f"/payments/{authorized_payment(api)['id']}/capture", {"amount_cents": 2001})
    assert (reply.status, reply.code) == (409, "amount_exceeds_available")


@pytest.mark.parametrize("amount", [0, -1, 1.5, "500", True])
def test_capture_with_invalid_amount_returns_400_on_field(api: Api, amount: object) -> None:
    reply = api.post(f"/payments/{authorized_payment(api)['id']}/capture", {"amount_cents": amount})
    assert (reply.status, reply.fields) == (400, {"amount_cents"})


def test_b17_capture_with_same_key_is_replayed_and_sent_once(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = authorized_payment(api)
    keyed = api.with_headers(idempotency_key="key-1")
    first, again = (keyed.post(f"/payments/{payment['id']}/capture") for _ in range(2))
    assert (again.status, again.body, again.replayed) == (200, first.body, True)
    twice = api.post(f"/payments/{payment['id']}/capture")
    assert (twice.status, twice.code) == (409, "payment_not_capturable")
    assert stripe_simulator.log.counts["capture"] == 1


def test_b20_capture_with_lost_response_returns_202_with_stored_status(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = authorized_payment(api)
    stripe_simulator.fault("capture", "drop_after")
    lost = api.post(f"/payments/{payment['id']}/capture")
    assert (lost.status, lost.body["status"]) == (202, "requires_capture")
    assert api.sync(payment).body["status"] == "succeeded"
    assert len(stripe_simulator.charges()) == 1
