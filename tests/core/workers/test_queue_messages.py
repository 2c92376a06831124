"""Messages of the queue. Source: docs/payment-correctness.md, sections 6 and 7.

How whole batches are handled: tests/functions/jobs/test_process_queue_message.py.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import queue_messages
from bridge.core.workers.queue_messages import Message
from bridge.errors import InvalidRequest, UnknownOutcome
from bridge.models.model import values_of
from bridge.models.payment import Payment
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.payments import payment_items, payment_writes
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Environment, run_context
from tests.stripe_events import about_intent, delayed, wrapped

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
VISA = Confirmation(payment_method_id="pm_card_visa")


def created() -> Payment:
    new = NewPayment(total_cents=2000, currency="USD")
    return create_payment.create_payment_intent(USER, new, run_context()).payment


def paid_in_browser(stripe: StripeSimulator) -> Payment:
    """A payment that is paid at Stripe; our row does not say so yet."""
    payment = created()
    stripe.browser_confirm(
        str(payment.provider_payment_id), str(payment.client_secret), "pm_card_visa"
    )
    return payment


def about(payment: Payment, event_id: str = "evt_1", **more: Any) -> WebhookEventReference:
    return WebhookEventReference(
        provider_id="stripe",
        event_id=event_id,
        type="payment_intent.succeeded",
        **{"payment_id": payment.id} | more,
    )


def worker_run() -> RunContext:
    return replace(run_context(seconds=60), cause="webhook")


def handle(message: Message) -> None:
    queue_messages.handle(message, worker_run())


def stored(payment: Payment) -> Payment:
    found = payment_items.get(payment.id)
    assert found
    return found


def fetches(stripe: StripeSimulator) -> int:
    return len([each for each in stripe.requests if each.method == "GET"])


def outcomes(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The outcomes in the log lines of events."""
    return [vars(each)["outcome"] for each in caplog.records if each.getMessage() == "event"]


def test_event_synchronizes_its_payment_and_a_repeat_does_nothing(
    stripe_simulator: StripeSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    payment = paid_in_browser(stripe_simulator)
    with caplog.at_level("INFO"):
        handle(Message(event_reference=about(payment)))
        assert stored(payment).status == "succeeded"
        asked = fetches(stripe_simulator)
        handle(Message(event_reference=about(payment)))
    assert fetches(stripe_simulator) == asked
    assert outcomes(caplog) == ["checked", "seen"]


def test_foreign_event_is_remembered_as_unmatched(caplog: pytest.LogCaptureFixture) -> None:
    foreign = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.refunded")
    with caplog.at_level("INFO"):
        handle(Message(event_reference=foreign))
    item = dynamodb.get(webhook_items.place(foreign))
    assert item
    assert item["state"] == "unmatched"
    assert outcomes(caplog) == ["unmatched"]


def test_event_of_an_unknown_method_is_unmatched(caplog: pytest.LogCaptureFixture) -> None:
    reference = MethodEventReference(
        provider_id="stripe", event_id="evt_1", type="payment_method.updated", token="pm_unknown"
    )
    with caplog.at_level("INFO"):
        handle(Message(method_event_reference=reference))
    assert outcomes(caplog) == ["unmatched"]


def test_second_event_of_a_second_is_deferred_to_one_status_check(
    stripe_simulator: StripeSimulator,
    environment: Environment,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The clock may be in the next second already, so the row says when the last event came."""
    payment = paid_in_browser(stripe_simulator)
    asked = fetches(stripe_simulator)

    def handle_in_the_second_of_the_last_event(event_id: str) -> None:
        row = stored(payment)
        payment_writes.advance(row, replace(row, last_event_at=clock.seconds()))
        handle(Message(event_reference=about(payment, event_id)))

    with caplog.at_level("INFO"):
        for number in range(100):
            handle_in_the_second_of_the_last_event(f"evt_{number}")
            if outcomes(caplog)[-1] == "deferred":
                break
    assert outcomes(caplog)[-1] == "deferred"
    assert delayed(environment.queues["SyncQueue"]) == 1
    assert (stored(payment).due_at or 2**40) <= clock.seconds()
    assert fetches(stripe_simulator) == asked + outcomes(caplog).count("checked")


def test_partner_event_is_handled_by_its_inner_ids(stripe_simulator: StripeSimulator) -> None:
    payment = paid_in_browser(stripe_simulator)
    handle(msgspec.convert(wrapped(about_intent(values_of(payment))), Message))
    assert stored(payment).status == "succeeded"


@pytest.mark.parametrize(
    "message",
    [
        Message(),
        Message(source="aws.partner/stripe.com.evil/x", detail={}),
        Message(source="another", detail={"id": "evt_1"}),
    ],
)
def test_message_of_unknown_form_raises_invalid_request(message: Message) -> None:
    with pytest.raises(InvalidRequest):
        handle(message)


def test_event_raises_if_the_provider_fails_and_is_not_remembered(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid_in_browser(stripe_simulator)
    stripe_simulator.fault("fetch", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        handle(Message(event_reference=about(payment)))
    assert dynamodb.get(webhook_items.place(about(payment))) is None
    handle(Message(event_reference=about(payment)))
    assert stored(payment).status == "succeeded"


def test_status_check_ends_an_attempt_whose_response_was_lost(
    stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    number = stored(payment).locked_attempt.number
    later(5)
    check = Message(status_check=StatusCheck(payment_id=payment.id, attempt=number))
    handle(check)
    assert stored(payment).status == "succeeded"
    asked = fetches(stripe_simulator)
    handle(check)
    assert fetches(stripe_simulator) == asked


def test_status_check_that_is_not_needed_does_not_ask_the_provider(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()  # not due yet
    asked = fetches(stripe_simulator)
    for status_check in (
        StatusCheck(payment_id=payment.id),
        StatusCheck(payment_id=payment.id, attempt=7),
        StatusCheck(payment_id="pay_unknown"),
    ):
        handle(Message(status_check=status_check))
    assert fetches(stripe_simulator) == asked


def test_failed_status_check_raises_nothing_and_leaves_the_payment_due(
    stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = created()
    later(100)
    stripe_simulator.fault("fetch", "500_before", times=2)
    handle(Message(status_check=StatusCheck(payment_id=payment.id)))
    assert stored(payment).due_at is not None
