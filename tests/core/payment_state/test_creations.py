"""What became of a creation without an object. Source: docs/payment-correctness.md, section 6."""

import pytest

from bridge.bodies.payment import NewPayment
from bridge.core.payment_state import creations
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import queue_messages
from bridge.errors import UnknownOutcome
from bridge.models.payment import Payment
from bridge.models.queue_message import WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.payments import event_counter_items, payment_items
from local.stripe.simulator import StripeSimulator
from tests import records
from tests.conftest import USER, run_context
from tests.core.payment_state.conftest import (
    VISA,
    Later,
    assert_settled,
    stored,
    sweep_each_minute,
)

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
KEY = "k" * 20
NEW = NewPayment(total_cents=2000, currency="USD")
HOUR = 3600


def create(key: str = KEY) -> Payment:
    return create_payment.create_payment_intent(USER, NEW, run_context(key)).payment


def handle_created_event(payment: Payment, provider_payment_id: str) -> None:
    event_reference = WebhookEventReference(
        provider_id="stripe",
        event_id="evt_1",
        type="payment_intent.created",
        payment_id=payment.id,
        provider_payment_id=provider_payment_id,
    )
    run = RunContext(cause="webhook", ends_at=run_context(seconds=60).ends_at)
    queue_messages.handle(queue_messages.Message(event_reference=event_reference), run)


def made(simulator: StripeSimulator) -> dict[str, object]:
    """The objects at the provider, with their states."""
    return {str(each["id"]): each["status"] for each in simulator.intents()}


def assert_created_once(simulator: StripeSimulator, payment: Payment) -> None:
    row = stored(payment.id)
    assert list(made(simulator)) == [row.provider_payment_id]
    assert row.displayed_status == "created"
    assert_settled(payment.id)
    assert create() == create()
    assert create().id == payment.id
    assert (
        change_payment.confirm(USER, payment.id, VISA, run_context()).payment.status == "succeeded"
    )


def test_rule17_creation_that_was_done_and_got_a_500_is_found_by_its_event(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.fault("create_payment", "500_after", times=1)
    payment = create()
    assert payment.displayed_status == "processing"
    handle_created_event(payment, next(iter(made(stripe_simulator))))
    assert_created_once(stripe_simulator, payment)


def test_rule17_creation_that_was_done_and_got_a_500_is_found_in_the_list(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.fault("create_payment", "500_after", times=1)
    payment = create()
    sweep_each_minute(later, 2)
    assert_created_once(stripe_simulator, payment)
    assert (
        len([each for each in stripe_simulator.requests if each.operation == "create_payment"]) == 3
    )


def test_rule17_creation_that_was_not_done_and_got_a_500_is_sent_again_with_another_key(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.fault("create_payment", "500_stored", times=1)
    payment = create()
    sweep_each_minute(later, 6)
    assert made(stripe_simulator) == {}  # until the lease and 5 minutes more are over
    sweep_each_minute(later, 2)
    assert_created_once(stripe_simulator, payment)
    ends = [(each.attempt, each.outcome) for each in payment_items.timeline(payment.id)][:2]
    assert ends == [(1, "not_sent"), (2, "done")]


def test_rule17_three_answers_5xx_end_the_keyed_call_too(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.fault("create_payment", "500_before", times=6)
    payment = create()
    sweep_each_minute(later, 10)
    assert_created_once(stripe_simulator, payment)
    assert stored(payment.id).attempts == 3  # the confirm is the third


def test_rule17_new_attempt_is_sent_again_by_the_next_check_if_it_is_lost(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.fault("create_payment", "500_stored", times=1)
    payment = create()
    sweep_each_minute(later, 6)
    stripe_simulator.fault("create_payment", "drop_before", times=2)
    sweep_each_minute(later, 1)
    assert stored(payment.id).locked_attempt.number == 2
    assert made(stripe_simulator) == {}
    sweep_each_minute(later, 2)
    assert_created_once(stripe_simulator, payment)


def test_rule17_object_with_another_amount_is_canceled_and_never_taken(
    stripe_simulator: StripeSimulator,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stripe_simulator.fault("create_payment", "500_stored", times=1)
    payment = create()
    provider = registry.open_provider("stripe")
    other = records.payment(id=payment.id, total_cents=999)
    sent = provider.write_creation(other, None)
    wrong = provider.create_payment(sent, key="x", ends_at=run_context().ends_at)
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    handle_created_event(payment, wrong.provider_payment_id)
    assert made(stripe_simulator) == {wrong.provider_payment_id: "canceled"}
    assert "duplicate_objects" in capsys.readouterr().out
    counter = event_counter_items.get(payment.id)
    assert counter
    sweep_each_minute(later, 9)
    assert stored(payment.id).displayed_status == "created"
    assert stored(payment.id).provider_payment_id != wrong.provider_payment_id


def test_object_of_somebody_else_in_the_event_is_not_taken(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.fault("create_payment", "drop_before", times=2)
    payment = create()
    other = create("another key of twenty characters")
    handle_created_event(payment, str(other.provider_payment_id))
    assert len(made(stripe_simulator)) == 2
    assert set(made(stripe_simulator).values()) == {"requires_payment_method"}
    assert stored(payment.id).provider_payment_id != other.provider_payment_id
    assert stored(payment.id).displayed_status == "created"


def test_creation_is_given_up_an_hour_after_the_key_may_be_forgotten(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.fault("create_payment", "drop_before", times=None)
    payment = create()
    for _ in range(22):
        later(HOUR)
        sweep_each_minute(later, 1)
    row = stored(payment.id)
    assert (row.status, row.failure and row.failure.code) == ("failed", "not_sent")
    assert row.due_at is None
    stripe_simulator.faults.clear()
    sweep_each_minute(later, 2)
    assert made(stripe_simulator) == {}


def test_object_that_appears_in_the_list_after_20_hours_is_taken(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.fault("create_payment", "drop_after", times=2)
    payment = create()
    stripe_simulator.fault("", "503", times=None)
    for _ in range(20):
        later(HOUR)
        sweep_each_minute(later, 1)
    stripe_simulator.faults.clear()
    sweep_each_minute(later, 2)
    assert list(made(stripe_simulator)) == [stored(payment.id).provider_payment_id]
    assert stored(payment.id).displayed_status == "created"


def test_answers_of_a_key_are_counted_for_creations_only() -> None:
    stored_answer = UnknownOutcome("no", server_errors=1, is_stored=True)
    creation = records.attempt(operation="create", server_errors=1)
    assert (
        creations.with_answers(creation, UnknownOutcome("no", server_errors=2)).server_errors == 3
    )
    assert creations.with_answers(creation, stored_answer).server_errors == 4
    assert creations.with_answers(records.attempt(), stored_answer) == records.attempt()
