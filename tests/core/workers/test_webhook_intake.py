"""Webhooks are verified and queued. Source: docs/payment-correctness.md, section 7."""

import json
from collections.abc import Callable

import pytest

from bridge.core.workers import webhook_intake
from bridge.errors import InvalidRequest, TemporarilyUnavailable
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.stripe_events import Event, about_intent, event, sign, waiting

pytestmark = pytest.mark.usefixtures("tables")
PAYMENT = {"id": "pay_123", "provider_payment_id": "pi_1"}


@pytest.fixture
def queue(environment: Environment) -> str:
    return environment.queues["SyncQueue"]


def receive(sent: Event, signature: str | None = None) -> None:
    body = json.dumps(sent)
    headers = {"stripe-signature": sign(body) if signature is None else signature}
    webhook_intake.receive("stripe", headers, body.encode())


def test_signed_event_queues_its_ids_and_calls_no_provider(
    queue: str, stripe_simulator: StripeSimulator
) -> None:
    sent = about_intent(PAYMENT)
    receive(sent)
    (message,) = waiting(queue)
    assert message == {
        "event_reference": {
            "provider_id": "stripe",
            "event_id": sent["id"],
            "type": "payment_intent.succeeded",
            "payment_id": "pay_123",
            "provider_payment_id": "pi_1",
        }
    }
    assert stripe_simulator.requests == []


@pytest.mark.parametrize("signature", ["", "t=1,v1=00", sign("{}", "whsec_other", 4102444800)])
def test_event_without_valid_signature_raises_invalid_request(signature: str, queue: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        receive(about_intent(PAYMENT), signature)
    assert refused.value.code == "signature_invalid"
    assert waiting(queue) == []


def test_signed_event_of_unrelated_type_is_dropped(queue: str) -> None:
    receive(event("customer.deleted", {"id": "cus_1"}))
    assert waiting(queue) == []


def test_failing_queue_raises_temporarily_unavailable(
    queue: str, setting: Callable[[str, str], None]
) -> None:
    setting("QUEUE_URL", f"{queue}-gone")
    with pytest.raises(TemporarilyUnavailable):
        receive(about_intent(PAYMENT))
