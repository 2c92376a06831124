"""What became of a creation without an object. Source: docs/payment-correctness.md, section 6."""

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.bodies.payment import NewPayment
from bridge.core.payment_state import creations
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import queue_messages
from bridge.errors import UnknownOutcome
from bridge.models.payment import ActiveAttempt, Payment
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


def test_rule17_canceled_object_is_not_taken_and_the_creation_is_sent_again(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    stripe_simulator.fault("create_payment", "500_after", times=1)
    payment = create()
    (canceled,) = made(stripe_simulator)
    stripe_simulator.dashboard("cancel", canceled)
    sweep_each_minute(later, 8)
    row = stored(payment.id)
    assert row.displayed_status == "created"
    assert made(stripe_simulator) == {
        canceled: "canceled",
        str(row.provider_payment_id): "requires_payment_method",
    }
    assert_settled(payment.id)


@pytest.mark.parametrize(("server_errors", "is_called"), [(2, True), (3, False)])
def test_rule17_key_is_used_again_until_its_results_were_5xx_three_times(
    server_errors: int, is_called: bool, stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.fault("create_payment", "drop_before", times=2)
    payment = stored(create().id)
    attempt = replace(payment.locked_attempt, server_errors=server_errors)
    found = creations.find(payment, attempt, run_context())
    assert (found is not None) == is_called
    keys = [
        each.headers["Idempotency-Key"]
        for each in stripe_simulator.requests
        if each.operation == "create_payment"
    ]
    assert keys == [attempt.key] * (2 + is_called)


def lost_creation(**more: int) -> ActiveAttempt:
    """An attempt that was locked a second ago, if `more` does not say otherwise."""
    now = clock.seconds()
    known = {"operation": "create", "from_status": "new", "at": now - 1, "until": now + 89}
    return records.attempt(**known | more)


@pytest.mark.usefixtures("stopped_clock")
def test_creation_ends_as_not_sent_an_hour_after_its_key_is_not_asked_any_more() -> None:
    gives_up = registry.open_provider("stripe").create_check_s + HOUR
    attempt = lost_creation(at=clock.seconds() - gives_up)
    outcome = creations.give_up(records.payment(), attempt, 0)
    assert (outcome.attempt, outcome.kind, outcome.next_attempt) == (2, "not_sent", None)
    assert outcome.failure
    assert outcome.failure.code == "not_sent"
    with pytest.raises(UnknownOutcome, match="no object for this creation yet"):
        creations.give_up(records.payment(), replace(attempt, at=attempt.at + 1), 0)


@pytest.mark.usefixtures("stopped_clock")
def test_rule17_next_attempt_takes_the_place_of_a_spent_key_5_minutes_after_the_lease() -> None:
    now = clock.seconds()
    attempt = lost_creation(server_errors=3, until=now - 301)
    outcome = creations.give_up(records.payment(), attempt, now + 90)
    assert (outcome.attempt, outcome.kind) == (2, "not_sent")
    assert outcome.next_attempt == replace(
        attempt, number=3, key="1.3", at=now, until=now + 90, server_errors=0
    )
    for early in (replace(attempt, until=now - 300), replace(attempt, server_errors=2)):
        with pytest.raises(UnknownOutcome):
            creations.give_up(records.payment(), early, now + 90)


@pytest.mark.parametrize("ours", [True, False])
def test_rule17_duplicate_is_canceled_only_if_it_has_our_payments_id(
    ours: bool, stripe_simulator: StripeSimulator
) -> None:
    payment = create()
    provider = registry.open_provider("stripe")
    about = payment if ours else records.payment(id="pay_2")
    sent = provider.write_creation(about, None)
    run = run_context()
    second = provider.create_payment(sent, key="late", ends_at=run.ends_at).provider_payment_id
    for _ in range(2):  # to cancel it again does no harm
        creations.cancel_duplicate(payment, second, run)
    assert made(stripe_simulator) == {
        str(payment.provider_payment_id): "requires_payment_method",
        second: "canceled" if ours else "requires_payment_method",
    }


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
