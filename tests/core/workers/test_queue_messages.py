"""Messages of the queue. Source: docs/payment-correctness.md, sections 6 and 7.

How whole batches are handled: tests/functions/jobs/test_process_queue_message.py.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import queue_messages, sweep
from bridge.core.workers.queue_messages import Message
from bridge.errors import InvalidRequest, UnknownOutcome
from bridge.models.model import values_of
from bridge.models.payment import Payment
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.payments import event_counter_items, payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run
from tests.stripe_events import about_intent, wrapped

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


def test_event_checks_its_payment_and_a_repeat_does_not_check_it_again(
    stripe_simulator: StripeSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    payment = paid_in_browser(stripe_simulator)
    with caplog.at_level("INFO"):
        handle(Message(event_reference=about(payment)))
        before, asked = stored(payment), fetches(stripe_simulator)
        assert before.status == "succeeded"
        handle(Message(event_reference=about(payment)))
    assert outcomes(caplog) == ["checked", "seen"]
    assert fetches(stripe_simulator) == asked
    assert stored(payment) == before
    counter = event_counter_items.get(payment.id)
    assert counter
    assert (counter.received, counter.covered, counter.due_at) == (2, 2, None)


def test_rule14_repeat_of_an_event_is_checked_while_another_event_is_not_covered(
    stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    """Its own earlier count is covered, but the provider has changed since."""
    payment = paid_in_browser(stripe_simulator)
    handle(Message(event_reference=about(payment)))
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id), 500)
    crash.at = "event_received"
    with pytest.raises(Killed):
        handle(Message(event_reference=about(payment, "evt_2")))
    handle(Message(event_reference=about(payment)))
    sweep.sweep(sweep_run())
    assert stored(payment).displayed_status == "partially_refunded"


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


def test_rule14_events_that_come_during_a_check_join_it(
    stripe_simulator: StripeSimulator, crash: Crash, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the first asks the provider, and once more for those that came after it had asked."""
    payment = paid_in_browser(stripe_simulator)
    asked = fetches(stripe_simulator)

    def meanwhile(_: str) -> None:
        for number in range(1, 6):
            handle(Message(event_reference=about(payment, f"evt_{number}")))

    crash.at, crash.meanwhile = "fetched", meanwhile
    with caplog.at_level("INFO"):
        handle(Message(event_reference=about(payment, "evt_0")))
    assert outcomes(caplog) == [*["counted"] * 5, "checked"]
    assert fetches(stripe_simulator) == asked + 2
    counter = event_counter_items.get(payment.id)
    assert counter
    assert (counter.received, counter.covered, counter.due_at) == (6, 6, None)
    for number in range(6):
        assert dynamodb.get(webhook_items.place(about(payment, f"evt_{number}")))


def test_rule14_worker_that_dies_after_counting_leaves_the_payment_due(
    stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    payment = paid_in_browser(stripe_simulator)
    crash.at = "event_received"
    with pytest.raises(Killed):
        handle(Message(event_reference=about(payment)))
    assert stored(payment).status == "created"
    sweep.sweep(sweep_run())
    assert stored(payment).status == "succeeded"


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


def test_rule14_event_is_counted_and_remembered_even_if_the_provider_fails(
    stripe_simulator: StripeSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    payment = paid_in_browser(stripe_simulator)
    stripe_simulator.fault("fetch", "500_before", times=2)
    with caplog.at_level("INFO"):
        handle(Message(event_reference=about(payment)))
    assert outcomes(caplog) == ["left"]
    assert dynamodb.get(webhook_items.place(about(payment)))
    counter = event_counter_items.get(payment.id)
    assert counter
    assert counter.failing_since
    assert counter.due_at == counter.failing_since + 5


def test_event_whose_payment_cannot_be_found_now_stays_in_the_queue(
    stripe_simulator: StripeSimulator,
) -> None:
    """It has only the id of a charge, and Stripe does not say whose charge it is."""
    reference = WebhookEventReference(
        provider_id="stripe", event_id="evt_1", type="charge.refunded", parent_id="ch_1"
    )
    stripe_simulator.fault("", "503", times=2)
    with pytest.raises(UnknownOutcome):
        handle(Message(event_reference=reference))
    assert dynamodb.get(webhook_items.place(reference)) is None


def test_event_of_a_payment_of_another_system_with_the_same_account_is_unmatched(
    caplog: pytest.LogCaptureFixture,
) -> None:
    foreign = WebhookEventReference(
        provider_id="stripe",
        event_id="evt_1",
        type="payment_intent.succeeded",
        payment_id="pay_01m8rz2pqgfsarpv8e1wg0jxhw",
    )
    with caplog.at_level("INFO"):
        handle(Message(event_reference=foreign))
    assert outcomes(caplog) == ["unmatched"]
    assert event_counter_items.get(str(foreign.payment_id)) is None


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
        StatusCheck(payment_id=payment.id, attempt=7),
        StatusCheck(payment_id="pay_unknown", attempt=1),
    ):
        handle(Message(status_check=status_check))
    assert fetches(stripe_simulator) == asked


def test_failed_status_check_raises_nothing_and_leaves_the_payment_due(
    stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    number = stored(payment).locked_attempt.number
    later(5)
    stripe_simulator.fault("fetch", "500_before", times=2)
    handle(Message(status_check=StatusCheck(payment_id=payment.id, attempt=number)))
    assert stored(payment).due_at is not None
