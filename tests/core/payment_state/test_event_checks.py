"""What an event has counted, only a status check clears. Events come as from the queue.

Source: docs/payment-correctness.md, rule 14.
"""

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.bodies.payment import NewRefund, PaymentChange
from bridge.core.payment_state import event_checks
from bridge.core.payments import change_payment
from bridge.core.workers import queue_messages, reconciliation, sweep
from bridge.models.event_counter import EventCounter
from bridge.models.payment import Payment
from bridge.models.queue_message import WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.payments import event_counter_items, payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, run_context, sweep_run
from tests.core.payment_state.conftest import VISA, Later, created, stored, sweep_each_minute

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
MINUTE, DAY = 60, 24 * 3600


def paid() -> Payment:
    payment = change_payment.confirm(USER, created().id, VISA, run_context()).payment
    assert payment.status == "succeeded"
    return payment


def handle(payment: Payment, event_id: str) -> None:
    """What the queue's worker does with an event of the payment. It never fails."""
    event_reference = WebhookEventReference(
        provider_id="stripe",
        event_id=event_id,
        type="charge.refunded",
        payment_id=payment.id,
        provider_payment_id=payment.provider_payment_id,
    )
    queue_messages.handle(queue_messages.Message(event_reference=event_reference), worker_run())


def worker_run() -> RunContext:
    return RunContext(cause="webhook", ends_at=run_context(seconds=60).ends_at)


def counter(payment: Payment) -> EventCounter:
    found = event_counter_items.get(payment.id)
    assert found
    return found


def intent(payment: Payment) -> str:
    return str(payment.provider_payment_id)


def test_one_check_covers_an_event_and_the_next_event_brings_another_one(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    handle(payment, "evt_1")
    stripe_simulator.dashboard("refund", intent(payment), 500)
    handle(payment, "evt_2")
    assert stored(payment.id).displayed_status == "partially_refunded"
    assert counter(payment) == EventCounter(payment_id=payment.id, received=2, covered=2)


@pytest.mark.parametrize("other", ["sweep", "sync", "event"])
def test_rule14_event_during_a_status_check_is_covered_by_a_later_one(
    stripe_simulator: StripeSimulator, crash: Crash, stopped_clock: pytest.MonkeyPatch, other: str
) -> None:
    """The check has its answer already when something happens, all within one second."""
    payment = paid()

    def meanwhile(_: str) -> None:
        stripe_simulator.dashboard("refund", intent(payment), 500)
        handle(payment, "evt_2")

    if other == "sweep":
        event_counter_items.count(payment.id, clock.seconds())
    crash.at, crash.meanwhile = "fetched", meanwhile
    if other == "sweep":
        sweep.sweep(sweep_run())
    elif other == "sync":
        change_payment.sync(USER, payment.id, run_context())
    else:
        handle(payment, "evt_1")
    stopped_clock.undo()
    assert stored(payment.id).displayed_status == "partially_refunded"
    assert counter(payment).due_at is None


@pytest.mark.parametrize(
    ("at_provider", "expected"), [("inquire", "disputed"), ("refund", "partially_refunded")]
)
def test_rule14_counted_event_survives_a_call_of_ours(
    stripe_simulator: StripeSimulator, later: Later, at_provider: str, expected: str
) -> None:
    """The provider is down when the event comes, and our own refund is written after it."""
    payment = paid()
    stripe_simulator.dashboard(at_provider, intent(payment))
    stripe_simulator.fault("fetch", "503", times=2)
    handle(payment, "evt_1")
    assert counter(payment).covered == 0
    if at_provider == "inquire":
        change_payment.refund(USER, payment.id, NewRefund(amount_cents=100), run_context())
    change_payment.update(USER, payment.id, PaymentChange(metadata={"a": "b"}), run_context())
    assert counter(payment).due_at
    sweep_each_minute(later, 2)
    assert stored(payment.id).displayed_status in (expected, "refunded")
    assert counter(payment).due_at is None


def test_rule14_dashboard_refund_survives_a_refund_of_ours(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", intent(payment), 300)
    stripe_simulator.fault("fetch", "503", times=2)
    handle(payment, "evt_1")
    change_payment.refund(USER, payment.id, NewRefund(amount_cents=200), run_context())
    sweep_each_minute(later, 2)
    assert sorted(each.amount_cents for each in payment_items.refunds(payment.id)) == [200, 300]


def test_rule14_what_the_reconciliation_counted_survives_a_refund_of_ours(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    later(100)
    stripe_simulator.dashboard("refund", intent(payment), 300)
    run = RunContext(cause="reconciliation", ends_at=run_context(seconds=900).ends_at)
    assert reconciliation.reconcile(run).differing == 1
    change_payment.refund(USER, payment.id, NewRefund(amount_cents=200), run_context())
    sweep_each_minute(later, 2)
    assert sorted(each.amount_cents for each in payment_items.refunds(payment.id)) == [200, 300]


def test_rule14_check_does_not_give_up_because_own_fields_are_changed(
    stripe_simulator: StripeSimulator, crash: Crash
) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", intent(payment), 500)
    changes = iter(range(8))

    def meanwhile(payment_id: str) -> None:
        for number in changes:
            change = PaymentChange(metadata={"n": str(number)})
            change_payment.update(USER, payment_id, change, run_context())
            crash.at = "fetched"
            return

    crash.at, crash.meanwhile = "fetched", meanwhile
    handle(payment, "evt_1")
    assert stored(payment.id).displayed_status == "partially_refunded"
    assert stored(payment.id).metadata == {"n": "7"}


def test_check_that_is_overtaken_every_time_leaves_the_counter_due(
    stripe_simulator: StripeSimulator, crash: Crash, later: Later
) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", intent(payment), 500)

    def meanwhile(payment_id: str) -> None:
        change = PaymentChange(metadata={"at": str(clock.now())})
        change_payment.update(USER, payment_id, change, run_context())
        crash.at = "fetched"

    crash.at, crash.meanwhile = "fetched", meanwhile
    handle(payment, "evt_1")
    crash.at = crash.meanwhile = None
    assert counter(payment).due_at
    sweep_each_minute(later, 1)
    assert stored(payment.id).displayed_status == "partially_refunded"


def test_failed_check_is_tried_again_ever_more_slowly(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    stripe_simulator.fault("", "503", times=None)
    handle(payment, "evt_1")
    begun, pauses = clock.seconds(), []
    for _ in range(8):
        due_at = counter(payment).due_at
        assert due_at
        pauses.append(due_at - begun)
        later(due_at - clock.seconds())
        assert event_checks.check(counter(payment), worker_run()) == "left"
    minutes = [1, 2, 5, 20, 35, 50]
    assert all(
        abs(pause - expected) <= 1
        for pause, expected in zip(pauses, [5, 30, *(MINUTE * m for m in minutes)], strict=True)
    )


def deliver_while_the_provider_is_down(
    stripe_simulator: StripeSimulator, later: Later, payment: Payment, event_id: str
) -> None:
    """The queue delivers an event eight times within an hour; then the provider is up again."""
    stripe_simulator.fault("", "503", times=None)
    for _ in range(8):
        handle(payment, event_id)
        later(360)
        sweep.sweep(sweep_run())
    stripe_simulator.faults.clear()
    for _ in range(4):
        later(300)
        sweep.sweep(sweep_run())


def test_rule14_event_outlasts_an_hour_in_which_the_provider_is_down(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    later(100)
    stripe_simulator.dashboard("dispute", intent(payment))
    deliver_while_the_provider_is_down(stripe_simulator, later, payment, "evt_1")
    assert stored(payment.id).displayed_status == "disputed"


def test_dispute_that_is_won_during_an_hour_in_which_the_provider_is_down(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    stripe_simulator.dashboard("dispute", intent(payment))
    handle(payment, "evt_0")
    later(20 * DAY)
    sweep.sweep(sweep_run())
    assert stored(payment.id).displayed_status == "disputed"
    stripe_simulator.dashboard("close_dispute", intent(payment), outcome="won")
    deliver_while_the_provider_is_down(stripe_simulator, later, payment, "evt_1")
    assert stored(payment.id).displayed_status == "succeeded"


def test_failed_check_is_logged_with_the_payment_and_the_reason(
    stripe_simulator: StripeSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    payment = paid()
    stripe_simulator.fault("fetch", "503", times=2)
    seen = event_counter_items.count(payment.id, clock.seconds())
    with caplog.at_level("INFO"):
        assert event_checks.check(seen, worker_run()) == "left"
    (line,) = [vars(each) for each in caplog.records if each.getMessage() == "left to the sweep"]
    assert (line["payment_id"], line["error"]) == (payment.id, "provider_timeout")


def test_event_that_names_no_object_checks_the_payment(stripe_simulator: StripeSimulator) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", intent(payment), 500)
    handle(replace(payment, provider_payment_id=None), "evt_1")
    assert stored(payment.id).displayed_status == "partially_refunded"
    assert counter(payment).due_at is None


def test_counter_of_a_payment_that_is_not_ours_is_removed() -> None:
    foreign = "pay_01m8rz2pqgfsarpv8e1wg0jxhw"
    seen = event_counter_items.count(foreign, clock.seconds())
    assert event_checks.check(seen, worker_run()) == "unmatched"
    assert event_counter_items.get(foreign) is None


def test_rule17_event_of_a_second_object_cancels_that_object(
    stripe_simulator: StripeSimulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its metadata has our payment's id, but our payment has another object."""
    payment = created()
    provider = registry.open_provider("stripe")
    sent = provider.write_creation(payment, None)
    ends_at = run_context().ends_at
    second = provider.create_payment(sent, key="late", ends_at=ends_at).provider_payment_id
    event_reference = WebhookEventReference(
        provider_id="stripe",
        event_id="evt_1",
        type="payment_intent.created",
        payment_id=payment.id,
        provider_payment_id=second,
    )
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    queue_messages.handle(queue_messages.Message(event_reference=event_reference), worker_run())
    statuses = {str(each["id"]): each["status"] for each in stripe_simulator.intents()}
    assert statuses == {intent(payment): "requires_payment_method", second: "canceled"}
    assert stored(payment.id).provider_payment_id == payment.provider_payment_id
    assert "duplicate_objects" in capsys.readouterr().out
    change_payment.confirm(USER, payment.id, VISA, run_context())
    assert stored(payment.id).status == "succeeded"
